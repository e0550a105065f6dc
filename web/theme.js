// Sets the theme before the first paint. Not a module, since modules run after it.
(() => {
  try {
    const { theme } = JSON.parse(localStorage.getItem('preferences')) ?? {};
    if (theme && theme !== 'system') document.documentElement.dataset.theme = theme;
  } catch {
    // Then the system's theme applies.
  }
})();
