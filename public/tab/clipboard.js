// The clipboard of the user's device and that of the application. The relay enforces the policy; this module explains it.
//
// A browser gives its clipboard to a page when the user pastes. So a key that pastes goes to the browser first. Its text goes to
// the application's clipboard, and then the key follows on the same stream.
import { toast } from './toast.js';

/** Longest text in bytes of UTF-8. The relay and the display accept no longer ones. */
const MAX_BYTES = 1 << 20;
const TOO_LONG = 'The text is larger than 1 MB, so it was not copied. Use a file.';
// Without a paste event in this time, the browser has none for this key.
const PASTE_MS = 100;
const MAC = /Mac|iP(hone|ad|od)/.test(navigator.platform);

const box = document.getElementById('clipboard-text');
const send = document.getElementById('clipboard-send');
const read = document.getElementById('clipboard-read');
const copy = document.getElementById('clipboard-copy');
const state = document.getElementById('clipboard-state');
const rule = document.getElementById('clipboard-rule');

const RULES = {
  both: '',
  in: 'Copying out of this application is off.',
  out: 'Pasting into this application is off.',
  off: 'The clipboard of this application is off.',
};

let policy = 'off';
// The application's clipboard has a text that the user's lacks. It stays the newer one until the user leaves this tab.
let applicationIsNewer = false;
// The key that waits for its paste event.
let waiting;

const allowsIn = () => policy === 'both' || policy === 'in';
const allowsOut = () => policy === 'both' || policy === 'out';

export function start(tab) {
  tab.on('connect', () => {
    tab.display.addEventListener('clipboard', (event) => copied(event.detail.text));
  });
  tab.on('notice:limits', ({ clipboard }) => apply(clipboard));
  tab.on('notice:clipboard_kept', () => {
    applicationIsNewer = true;
    toast('Copied inside the application only: copying out of it is off.');
  });
  tab.on('notice:clipboard_too_long', () => {
    applicationIsNewer = true;
    toast(TOO_LONG);
  });
  tab.on('disconnect', () => (waiting = undefined));
  window.addEventListener('blur', () => (applicationIsNewer = false));
  window.addEventListener('focus', () => share(tab));
  pasteWithKeys(tab);
  section(tab);
}

function apply(clipboard) {
  policy = clipboard;
  rule.textContent = RULES[policy];
  box.hidden = policy === 'off';
  box.readOnly = !allowsIn();
  send.hidden = read.hidden = !allowsIn();
  copy.hidden = !allowsOut();
}

/** Gives a text to the application. Returns whether it was sent. */
function give(tab, text) {
  if (!tab.display || !allowsIn()) return false;
  if (new TextEncoder().encode(text).length > MAX_BYTES) {
    toast(TOO_LONG);
    return false;
  }
  tab.display.clipboardPasteFrom(text);
  return true;
}

/** Passes a text of the application to the user's device. */
async function copied(text) {
  box.value = text;
  applicationIsNewer = true;
  // An application must not overwrite the user's clipboard by itself: it only answers to a key or a click.
  if (navigator.userActivation?.isActive === false) return;
  if (await write(text)) applicationIsNewer = false;
  else toast('The browser did not allow to copy. Open the menu and choose “Copy to this device”.');
}

/** Writes the user's clipboard. Returns whether the browser allowed it. */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return writeWithEvent(text);
  }
}

/** The way without the permission, and over plain HTTP. */
function writeWithEvent(text) {
  let done = false;
  const fill = (event) => {
    event.clipboardData.setData('text/plain', text);
    event.preventDefault();
    event.stopImmediatePropagation();
    done = true;
  };
  document.addEventListener('copy', fill, { capture: true });
  document.execCommand('copy');
  document.removeEventListener('copy', fill, { capture: true });
  return done;
}

/** Passes the user's clipboard to the application if the browser permits it without a prompt: for its menus. */
async function share(tab) {
  try {
    const permission = await navigator.permissions.query({ name: 'clipboard-read' });
    if (permission.state === 'granted' && tab.display && allowsIn()) give(tab, await navigator.clipboard.readText());
  } catch {
    // The browser does not support the permission. Keys and the menu still paste.
  }
}

/** Whether a key pastes, by the customs of the user's system. */
function pastes({ code, key, ctrlKey, metaKey, altKey, shiftKey }) {
  if (altKey) return false;
  if (code === 'Insert') return shiftKey && !ctrlKey && !metaKey;
  const letter = key.toLowerCase() === 'v' || (code === 'KeyV' && !/^[a-z]$/i.test(key));
  return letter && (MAC && metaKey ? !ctrlKey : ctrlKey && !metaKey);
}

function pasteWithKeys(tab) {
  const screen = document.getElementById('screen');
  const inScreen = () => screen.contains(document.activeElement);

  const release = () => {
    const key = waiting;
    waiting = undefined;
    clearTimeout(key?.timer);
    key?.forward();
  };
  const keydown = (event) => {
    // Events without trust are those that this module forwards.
    if (!event.isTrusted) return;
    release();
    if (!inScreen() || !tab.display || !allowsIn() || applicationIsNewer || !pastes(event)) return;
    // The browser must process the key, and noVNC would prevent that.
    event.stopImmediatePropagation();
    waiting = { code: event.code, released: false, forward: () => forward(tab, event), timer: setTimeout(release, PASTE_MS) };
  };
  const keyup = (event) => {
    if (event.isTrusted && waiting?.code === event.code) release();
  };
  const paste = (event) => {
    if (!waiting) return;
    event.preventDefault();
    const text = event.clipboardData.getData('text/plain');
    // A text that was refused must not paste an older one.
    if (text !== '' && !give(tab, text)) {
      clearTimeout(waiting.timer);
      waiting = undefined;
      return;
    }
    release();
  };
  window.addEventListener('keydown', keydown, { capture: true });
  window.addEventListener('keyup', keyup, { capture: true });
  document.addEventListener('paste', paste, { capture: true });
}

/** Gives a key to noVNC that was kept from it. On a Mac, Command and V become Ctrl and V. */
function forward(tab, { code, key, location, ctrlKey, shiftKey, altKey, metaKey }) {
  const target = document.activeElement;
  const press = (type, init) => target.dispatchEvent(new KeyboardEvent(type, { bubbles: true, cancelable: true, ...init }));
  if (MAC && metaKey) {
    for (const held of ['MetaLeft', 'MetaRight']) press('keyup', { code: held, key: 'Meta' });
    press('keydown', { code: 'ControlLeft', key: 'Control', location: 1, ctrlKey: true });
    press('keydown', { code, key, location, ctrlKey: true, shiftKey });
    press('keyup', { code, key, location, ctrlKey: true, shiftKey });
    press('keyup', { code: 'ControlLeft', key: 'Control', location: 1 });
    return;
  }
  press('keydown', { code, key, location, ctrlKey, shiftKey, altKey, metaKey });
}

/** The section of the menu, which works without any permission of the browser. */
function section(tab) {
  const say = (message) => (state.textContent = message);
  tab.on('menu', () => say(''));
  const giveBox = () => {
    if (!tab.display) say('Not connected.');
    if (!give(tab, box.value)) return;
    // The next key pastes this text, not that of the user's clipboard.
    applicationIsNewer = true;
    say('Sent. Now paste in the application.');
  };
  send.addEventListener('click', giveBox);
  read.addEventListener('click', async () => {
    try {
      box.value = await navigator.clipboard.readText();
      giveBox();
    } catch {
      say('The browser did not allow it. Paste into the box above.');
      box.focus();
    }
  });
  copy.addEventListener('click', async () => {
    if (await write(box.value)) {
      applicationIsNewer = false;
      say('Copied.');
    } else {
      box.select();
      say('The browser did not allow it. Copy the selected text.');
    }
  });
}
