// The section “Touch”: a bar with a text field, which brings up the on-screen keyboard, and with keys that such keyboards lack.
import keysyms from '/novnc/core/input/keysymdef.js';
import KeyTable from '/novnc/core/input/keysym.js';
import { choice } from './choices.js';

const KEYS = {
  Escape: KeyTable.XK_Escape,
  Tab: KeyTable.XK_Tab,
  ArrowLeft: KeyTable.XK_Left,
  ArrowUp: KeyTable.XK_Up,
  ArrowDown: KeyTable.XK_Down,
  ArrowRight: KeyTable.XK_Right,
  Enter: KeyTable.XK_Return,
  Backspace: KeyTable.XK_BackSpace,
  Delete: KeyTable.XK_Delete,
};
const MODIFIERS = { Control: KeyTable.XK_Control_L, Alt: KeyTable.XK_Alt_L };

export function start(tab) {
  const bar = document.getElementById('keys');
  const field = document.getElementById('type');
  const box = document.getElementById('keys-shown');
  const held = new Map([...bar.querySelectorAll('[data-modifier]')].map((button) => [button, MODIFIERS[button.dataset.modifier]]));
  const isHeld = (button) => button.getAttribute('aria-pressed') === 'true';

  /** Presses a key once, with the modifiers that are on. They go off after it. */
  const press = (keysym) => {
    const down = [...held.keys()].filter(isHeld);
    for (const button of down) tab.display?.sendKey(held.get(button), undefined, true);
    tab.display?.sendKey(keysym);
    for (const button of down.reverse()) {
      tab.display?.sendKey(held.get(button), undefined, false);
      button.setAttribute('aria-pressed', 'false');
    }
  };

  for (const button of held.keys()) button.addEventListener('click', () => button.setAttribute('aria-pressed', String(!isHeld(button))));
  for (const button of bar.querySelectorAll('[data-key]')) button.addEventListener('click', () => press(KEYS[button.dataset.key]));
  // The field keeps the focus, so that the on-screen keyboard stays.
  bar.addEventListener('pointerdown', (event) => {
    if (event.target.closest('button')) event.preventDefault();
  });
  type(field, tab, press);
  whenShown(tab, bar, box, field);
  aboveKeyboard();
}

/** Sends the text of the field when the keyboard or the input method commits it. */
function type(field, tab, press) {
  const commit = () => {
    if (!tab.display) return; // The text stays until the tab is connected again.
    for (const character of field.value) press(keysyms.lookup(character.codePointAt(0)));
    field.value = '';
  };
  field.addEventListener('input', (event) => {
    if (!event.isComposing) commit();
  });
  field.addEventListener('compositionend', commit);
  tab.on('connect', commit);
  field.addEventListener('keydown', (event) => {
    if (event.isComposing || field.value !== '' || !(event.key in KEYS)) return;
    event.preventDefault();
    press(KEYS[event.key]);
  });
}

function whenShown(tab, bar, box, field) {
  const kept = choice('keys');
  box.checked = (kept.read() ?? (matchMedia('(hover: none) and (pointer: coarse)').matches ? 'shown' : 'hidden')) === 'shown';
  const apply = () => {
    bar.hidden = !box.checked;
    document.documentElement.classList.toggle('with-keys', box.checked);
  };
  box.addEventListener('change', () => {
    kept.write(box.checked ? 'shown' : 'hidden');
    apply();
    if (!box.checked) return;
    tab.menu.close();
    field.focus();
  });
  apply();
}

/** Keeps the bar above an on-screen keyboard that covers the page, as on iPhones. */
function aboveKeyboard() {
  const view = window.visualViewport;
  if (!view) return;
  const measure = () => {
    // A page that is zoomed shows a part of itself, which is no keyboard.
    const covered = view.scale > 1.01 ? 0 : Math.max(0, window.innerHeight - view.height - view.offsetTop);
    document.documentElement.style.setProperty('--covered', `${Math.round(covered)}px`);
  };
  view.addEventListener('resize', measure);
  view.addEventListener('scroll', measure);
}
