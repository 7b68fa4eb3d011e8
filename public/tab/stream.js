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
const RETRY_MS = [500, 1000, 2000, 5000, 10000];

const screen = document.getElementById('screen');
const notice = document.getElementById('notice');
const text = document.getElementById('notice-text');
const action = document.getElementById('notice-action');

let failures = 0;
// The reason that the server gave for cutting the stream. Valid until the next connection.
let told;
// noVNC releases the held keys only when the window loses the focus. Without this they would stay pressed in the application
// when the menu takes the focus.
screen.addEventListener('focusout', () => window.dispatchEvent(new Event('blur')));

function say(message, label, act) {
  text.textContent = message;
  // A hidden element can't take the focus, so show it first.
  notice.hidden = false;
  action.hidden = !label;
  if (label) {
    action.textContent = label;
    action.onclick = act;
    action.focus();
  }
}

/** Connects, and reconnects by itself until the session or its access ends. */
export function open(tab) {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(`${scheme}//${location.host}/sessions/${tab.id}/stream`);
  socket.binaryType = 'arraybuffer';
  // noVNC uses the socket's on… properties, so this page uses listeners.
  socket.addEventListener('close', (event) => {
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
  } else if (await running(tab.id)) {
    const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    failures += 1;
    told = COMES_BACK[event.code] ?? told;
    say(told ?? 'The connection was lost. Reconnecting…');
    setTimeout(open, wait, tab);
  }
}

// Whether the session still runs. If not, reloads the page, which shows the reason.
async function running(id) {
  try {
    const answer = await fetch(`/api/v1/sessions/${id}`, { headers: { accept: 'application/json' } });
    if (answer.status >= 500) return true;
    const session = answer.ok ? await answer.json() : null;
    if (session && (session.status === 'active' || session.status === 'pending')) return true;
    location.reload();
    return false;
  } catch {
    return true; // A network failure, so the session may still run.
  }
}
