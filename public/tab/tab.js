// The session's own tab: opens the stream and gives it to noVNC, so that this page sees why it was closed.
// When the server cuts the stream, the page is loaded anew and the server says what happened. It reconnects by itself only
// where nobody ended anything: when the network was lost.
import RFB from '/novnc/core/rfb.js';
import { listen, start } from './notices.js';

const CLOSED = { expired: 4001, otherTab: 4002, lost: 4003, idle: 4004, signedOut: 4005, restart: 1012, logLost: 1013 };
const COMES_BACK = {
  [CLOSED.restart]: 'The server restarts. The session is opened again in a moment…',
  [CLOSED.logLost]: 'The server has lost its database. The session is opened again when it is back…',
};
const RETRY_MS = [500, 1000, 2000, 5000, 10000];

const screen = document.getElementById('screen');
const notice = document.getElementById('notice');
const text = document.getElementById('notice-text');
const action = document.getElementById('notice-action');
const id = screen.dataset.session;

document.getElementById('needs-script').remove();
let failures = 0;
// What the server said when it cut the stream: good until there is a new one.
let told;
let display;
start(id, () => display?.focus());

function say(message, label, act) {
  text.textContent = message;
  // What is hidden can't take the focus.
  notice.hidden = false;
  action.hidden = !label;
  if (label) {
    action.textContent = label;
    action.onclick = act;
    action.focus();
  }
}

function open() {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(`${scheme}//${location.host}/sessions/${id}/stream`);
  socket.binaryType = 'arraybuffer';
  // noVNC takes over the socket's on… properties; listeners stay ours.
  socket.addEventListener('close', closed);
  listen(socket);
  screen.replaceChildren();
  const rfb = new RFB(screen, socket, { shared: true });
  display = rfb;
  rfb.resizeSession = true;
  rfb.focusOnClick = true;
  rfb.background = 'transparent';
  rfb.addEventListener('connect', () => {
    failures = 0;
    told = undefined;
    notice.hidden = true;
    document.documentElement.dataset.state = 'connected';
    rfb.focus();
  });
  rfb.addEventListener('clipboard', (event) => {
    // Without the permission or the focus the browser refuses; the application's own clipboard still works.
    navigator.clipboard?.writeText(event.detail.text).catch(() => {});
  });
  window.addEventListener('focus', () => shareClipboard(rfb), { signal: stopWith(socket) });
}

// Gives the person's clipboard to the application, where the browser allows it without asking.
async function shareClipboard(rfb) {
  try {
    const permission = await navigator.permissions.query({ name: 'clipboard-read' });
    if (permission.state === 'granted') rfb.clipboardPasteFrom(await navigator.clipboard.readText());
  } catch {
    // This browser has no such permission: nothing is shared.
  }
}

function stopWith(socket) {
  const stop = new AbortController();
  socket.addEventListener('close', () => stop.abort());
  return stop.signal;
}

async function closed(event) {
  document.documentElement.dataset.state = 'closed';
  if (event.code === CLOSED.expired || event.code === CLOSED.lost) {
    location.reload();
  } else if (event.code === CLOSED.otherTab) {
    say('This session was opened in another tab.', 'Use it here', () => {
      say('Connecting…');
      open();
    });
  } else if (event.code === CLOSED.signedOut) {
    // Nothing of the application stays on the screen of somebody who has left.
    screen.replaceChildren();
    // The server asks for a sign-in where there must be one, and comes back here.
    say('You’ve been signed out, so this tab was disconnected. Your session is still running.', 'Continue', () => {
      location.reload();
    });
  } else if (event.code === CLOSED.idle) {
    say('This tab was closed because nobody used it for too long. The session goes on for a while.', 'Open it again', () => {
      say('Connecting…');
      open();
    });
  } else if (await running()) {
    const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    failures += 1;
    told = COMES_BACK[event.code] ?? told;
    say(told ?? 'The connection was lost. Trying again…');
    setTimeout(open, wait);
  }
}

// Is there a session to go back to? When the server says no, the page is loaded anew: it says why.
async function running() {
  try {
    const answer = await fetch(`/api/v1/sessions/${id}`, { headers: { accept: 'application/json' } });
    if (answer.status >= 500) return true;
    const session = answer.ok ? await answer.json() : null;
    if (session && (session.status === 'active' || session.status === 'pending')) return true;
    location.reload();
    return false;
  } catch {
    return true; // The network is away, which says nothing about the session.
  }
}

open();
