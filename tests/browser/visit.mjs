// The first visit of a browser with an empty cache.

// Returns the bytes that it loads, compressed, the number of requests, and the milliseconds until the page is interactive.
export async function visit(chrome, address) {
  const context = await chrome.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => {
    const look = () => {
      if (document.querySelector('form.play button')) globalThis.interactive ??= performance.now();
      else requestAnimationFrame(look);
    };
    look();
  });
  const network = await context.newCDPSession(page);
  let [bytes, requests] = [0, 0];
  await network.send('Network.enable');
  network.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests += 1;
  });
  await page.goto(address);
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
  await page.waitForLoadState('networkidle');
  const time = await page.evaluate(() => globalThis.interactive);
  await context.close();
  return { bytes, requests, time };
}
