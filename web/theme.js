// Sets the theme before anything is drawn. No module: those run after the first picture.
(() => {
  try {
    const { theme } = JSON.parse(localStorage.getItem('preferences')) ?? {};
    if (theme && theme !== 'system') document.documentElement.dataset.theme = theme;
  } catch {
    // Then it is the system's.
  }
})();
