// Opens the stream and gives it to noVNC, so that this page sees why it was closed. Text messages are notices of the server;
// binary messages are the application's picture.
//
// When the server cuts the stream, the page reloads and the server gives the reason. The tab reconnects by itself only when the
// network or the server was lost.
import { untilEnd } from './notices.js';
import { Picture } from './picture.js';

const CLOSED = { expired: 4001, otherTab: 4002, lost: 4003, idle: 4004, signedOut: 4005, restart: 1012, logLost: 1013 };
const COMES_BACK = {
  [CLOSED.restart]: 'The server is restarting. Reconnecting…',
  [CLOSED.logLost]: 'The server can’t reach its database. Reconnecting…',
};
const LOST = 'The connection was lost. Reconnecting…';
const ANSWER_MS = 5000;
const RETRY_MS = [500, 1000, 2000, 5000, 10000];

const screen = document.getElementById('screen');
const notice = document.getElementById('notice');
const text = document.getElementById('notice-text');
const left = document.getElementById('notice-left');
const action = document.getElementById('notice-action');
const last = document.getElementById('last-picture');

let failures = 0;
// The reason that the server gave for cutting the stream. Valid until the next connection.
let told;
// noVNC releases the held keys only when the window loses the focus. Without this they would stay pressed in the application
// when the menu takes the focus.
screen.addEventListener('focusout', () => window.dispatchEvent(new Event('blur')));

function say(message, label, act) {
  text.textContent = message;
  left.textContent = '';
  const shown = !notice.hidden && !action.hidden;
  // A hidden element can't take the focus, so show it first.
  notice.hidden = false;
  notice.classList.toggle('over', last.childElementCount > 0);
  action.hidden = !label;
  if (label) {
    action.textContent = label;
    action.onclick = act;
    if (!shown) action.focus();
  }
}

/** Keeps a copy of the picture, because noVNC removes its own when the stream ends. */
function keepPicture() {
  const canvas = screen.querySelector('canvas');
  if (!canvas || !isPainted(canvas)) return;
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  [copy.style.width, copy.style.height] = [canvas.style.width, canvas.style.height];
  copy.getContext('2d').drawImage(canvas, 0, 0);
  last.replaceChildren(copy);
}

/** Removes the copy as soon as there is a new picture. */
function removeCopy(rfb, tab) {
  const canvas = screen.querySelector('canvas');
  if (tab.display !== rfb) return;
  if (canvas && isPainted(canvas)) last.replaceChildren();
  else requestAnimationFrame(() => removeCopy(rfb, tab));
}

function isPainted(canvas) {
  if (canvas.width === 0 || canvas.height === 0) return false;
  const pixel = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  pixel.drawImage(canvas, 0, 0, 1, 1, 0, 0, 1, 1);
  return pixel.getImageData(0, 0, 1, 1).data[3] > 0;
}

/** Connects again after a time that the user sees and can cut short. */
function reconnectIn(ms, message, tab) {
  const at = performance.now() + ms;
  let ticking;
  const go = () => {
    clearInterval(ticking);
    window.removeEventListener('online', go);
    left.textContent = '';
    open(tab);
  };
  say(message, 'Reconnect now', go);
  const tick = () => {
    const rest = at - performance.now();
    if (rest <= 0) go();
    // For the eye only: a screen reader would read every second.
    else left.textContent = `${Math.ceil(rest / 1000)} s`;
  };
  window.addEventListener('online', go);
  ticking = setInterval(tick, 250);
  tick();
}

/** Connects, and reconnects by itself until the session or its access ends. */
export function open(tab) {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(`${scheme}//${location.host}/sessions/${tab.id}/stream`);
  socket.binaryType = 'arraybuffer';
  // noVNC uses the socket's on… properties, so this page uses listeners.
  socket.addEventListener('close', (event) => {
    // Runs before noVNC's own handler, which removes the picture.
    keepPicture();
    tab.socket = tab.display = undefined;
    tab.announce('disconnect', event.code);
    closed(tab, event);
  });
  socket.addEventListener('message', (event) => {
    if (typeof event.data !== 'string') return;
    event.stopImmediatePropagation();
    const message = JSON.parse(event.data);
    tab.announce(`notice:${message.kind}`, message);
  });
  screen.replaceChildren();
  const rfb = new Picture(screen, socket);
  rfb.addEventListener('connect', () => {
    failures = 0;
    told = undefined;
    notice.hidden = true;
    document.documentElement.dataset.state = 'connected';
    tab.socket = socket;
    tab.display = rfb;
    if (!tab.menu.isOpen) rfb.focus();
    tab.announce('connect');
    removeCopy(rfb, tab);
  });
}

async function closed(tab, event) {
  document.documentElement.dataset.state = 'closed';
  if (event.code === CLOSED.expired || event.code === CLOSED.lost) {
    location.reload();
  } else if (event.code === CLOSED.otherTab) {
    tab.menu.close();
    say('This session is now open in another tab.', 'Use it here', () => {
      say('Connecting…');
      open(tab);
    });
  } else if (event.code === CLOSED.signedOut) {
    tab.menu.close();
    // Remove the application's picture, because its user has signed out.
    screen.replaceChildren();
    last.replaceChildren();
    // The reload leads to sign-in and back to this page.
    say('You’ve been signed out, so this tab was disconnected. Your session is still running.', 'Continue', () => {
      location.reload();
    });
  } else if (event.code === CLOSED.idle) {
    tab.menu.close();
    say(`Disconnected because of inactivity. Your session is still running${untilEnd()}`, 'Reconnect', () => {
      say('Connecting…');
      open(tab);
    });
  } else {
    const shown = !notice.hidden;
    told = COMES_BACK[event.code] ?? told;
    // The answer below may take seconds when the network is lost.
    if (!shown) say(told ?? LOST);
    if (!(await running(tab.id))) return;
    const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    failures += 1;
    reconnectIn(wait, told ?? LOST, tab);
  }
}

// Whether the session still runs. If not, reloads the page, which shows the reason.
async function running(id) {
  try {
    const answer = await fetch(`/api/v1/sessions/${id}`, { headers: { accept: 'application/json' }, signal: AbortSignal.timeout(ANSWER_MS) });
    if (answer.status >= 500) return true;
    const session = answer.ok ? await answer.json() : null;
    if (session && (session.status === 'active' || session.status === 'pending')) return true;
    location.reload();
    return false;
  } catch {
    return true; // A failure of the network, so the session may still run.
  }
}
