// A link as a QR code. The library is loaded on demand.

const SVG = 'http://www.w3.org/2000/svg';
// The quiet zone around a code, in modules (ISO/IEC 18004).
const QUIET = 4;

export async function qrCode(link) {
  const { qrcode } = await import('./vendor/qrcode-generator-2.0.4.mjs');
  const code = qrcode(0, 'M');
  code.addData(link);
  code.make();
  const size = code.getModuleCount();
  let path = '';
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      if (code.isDark(row, column)) path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`;
    }
  }
  const svg = document.createElementNS(SVG, 'svg');
  const whole = size + 2 * QUIET;
  svg.setAttribute('viewBox', `0 0 ${whole} ${whole}`);
  svg.setAttribute('class', 'qr');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', 'The link as a QR code');
  const dark = document.createElementNS(SVG, 'path');
  dark.setAttribute('d', path);
  svg.append(dark);
  return svg;
}
