// The session menu: its button in the bar, its panel, and the keys that open it.

const OPENS = ['Control', 'Alt', 'Shift', 'Meta']; // Chromium names Alt “Meta” when Shift is pressed first.

export function start(tab) {
  const button = document.getElementById('menu-button');
  const panel = document.getElementById('menu');
  const resume = document.getElementById('resume');

  const show = (visible) => {
    panel.hidden = !visible;
    button.setAttribute('aria-expanded', String(visible));
  };
  tab.menu = {
    get isOpen() {
      return !panel.hidden;
    },
    /** Opens the menu with the focus on an element of it, by default on one without effect. */
    open(element = resume) {
      const opens = panel.hidden;
      show(true);
      if (opens) tab.announce('menu');
      element.focus();
    },
    /** Closes the menu. Returns the keyboard to the application if the menu had it. */
    close() {
      const held = panel.contains(document.activeElement) || document.activeElement === button;
      show(false);
      if (held) tab.focus();
      // A hidden element keeps no focus, so a tab without a picture would lose its place.
      if (held && !tab.display) button.focus();
    },
  };
  const toggle = () => (tab.menu.isOpen ? tab.menu.close() : tab.menu.open());

  button.addEventListener('click', toggle);
  resume.addEventListener('click', tab.menu.close);
  document.getElementById('screen').addEventListener('pointerdown', () => show(false), { capture: true });
  for (const element of [button, panel]) {
    element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      tab.menu.close();
    });
  }
  openWithKeys(toggle);
}

/**
 * The application receives all keys, including Tab. Ctrl, Alt and Shift together, without another key, open the menu when they
 * are released.
 */
function openWithKeys(toggle) {
  let alone = false;
  const pressed = (event) => {
    if (event.repeat) return;
    alone = OPENS.includes(event.key) && event.ctrlKey && event.altKey && event.shiftKey && !event.metaKey;
  };
  const released = () => {
    if (!alone) return;
    alone = false;
    toggle();
  };
  window.addEventListener('keydown', pressed, { capture: true });
  window.addEventListener('keyup', released, { capture: true });
}
