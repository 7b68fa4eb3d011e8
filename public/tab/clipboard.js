// The clipboard of the user and that of the application.

export function start(tab) {
  tab.on('connect', () => {
    tab.display.addEventListener('clipboard', (event) => {
      // The browser refuses without the permission or the focus. The clipboard inside the application still works.
      navigator.clipboard?.writeText(event.detail.text).catch(() => {});
    });
  });
  window.addEventListener('focus', () => share(tab));
}

/** Passes the user's clipboard to the application if the browser permits it without a prompt. */
async function share(tab) {
  try {
    const permission = await navigator.permissions.query({ name: 'clipboard-read' });
    if (permission.state === 'granted') tab.display?.clipboardPasteFrom(await navigator.clipboard.readText());
  } catch {
    // The browser does not support the permission, so the clipboard is not shared.
  }
}
