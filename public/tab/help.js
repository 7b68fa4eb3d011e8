// The section “Help”: copies the session id that a support team asks for.

export function start() {
  const button = document.getElementById('copy-id');
  const id = document.getElementById('help-id');
  const done = document.getElementById('copied');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(id.textContent);
      done.textContent = 'Copied.';
    } catch {
      // Without the permission, or over plain HTTP: the user can copy the selected text with the keyboard.
      window.getSelection().selectAllChildren(id);
      done.textContent = 'The browser refused. Copy the selected ID.';
    }
  });
}
