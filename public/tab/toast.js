// A short message over the application, which goes away by itself.

const SHOWN_MS = 8000;

const element = document.getElementById('toast');
let hiding;

/** Shows a message and announces it. A later one replaces it. */
export function toast(message) {
  clearTimeout(hiding);
  element.textContent = message;
  hiding = setTimeout(() => (element.textContent = ''), SHOWN_MS);
}
