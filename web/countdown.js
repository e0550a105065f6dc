// Counts down to an exact deadline, without polling.

// Calls `show(seconds)` now and at each whole second before `deadline` (of performance.now()), last
// with 0. Returns a function that stops it.
export function countDown(deadline, show) {
  let timer = null;
  function tick() {
    const left = Math.max(0, deadline - performance.now());
    show(Math.ceil(left / 1000));
    if (left > 0) timer = setTimeout(tick, left % 1000 || 1000);
  }
  tick();
  return () => clearTimeout(timer);
}

export const deadlineIn = (seconds) => performance.now() + seconds * 1000;
