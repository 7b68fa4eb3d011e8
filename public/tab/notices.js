// The time that is left: the session menu, and warnings before the end. Text messages of the stream are notices of the server;
// binary messages are the application's picture.

import { showHome } from './home.js';

const menu = document.getElementById('menu');
const limits = document.getElementById('limits');
const warning = document.getElementById('warning');
const text = document.getElementById('warning-text');
const left = document.getElementById('warning-left');
const problem = document.getElementById('end-problem');

const { hour12 } = new Intl.DateTimeFormat(undefined, { hour: 'numeric' }).resolvedOptions();
const TIME = { hour: hour12 ? 'numeric' : '2-digit', minute: '2-digit', timeZoneName: 'short', numberingSystem: 'latn' };
const time = new Intl.DateTimeFormat(undefined, TIME);
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', ...TIME });
// How far the server's clock is ahead of this one's.
let ahead = 0;
let ticking;
// How long the session lives without a tab; null means without a limit.
let disconnectedSeconds = null;

const OPENS_MENU = ['Control', 'Alt', 'Shift', 'Meta']; // Chromium names Alt “Meta” when Shift is pressed first.
const WHY = {
  idle: (at, minutes) => `You’ll be disconnected in ${minutes} min, at ${at}, because of inactivity.`,
  valid_until: (at, minutes) => `This session reaches its time limit in ${minutes} min, at ${at}. Save your work.`,
};

/** Takes the server's notices out of a stream, before noVNC receives them. */
export function listen(socket) {
  socket.addEventListener('message', (event) => {
    if (typeof event.data !== 'string') return;
    event.stopImmediatePropagation();
    const notice = JSON.parse(event.data);
    if (notice.server_time) ahead = Date.parse(notice.server_time) - Date.now();
    if (notice.kind === 'limits') showLimits(notice);
    if (notice.kind === 'warning') warn(notice);
    if (notice.kind === 'calm') calm();
    if (notice.kind === 'home') showHome(notice);
  });
  socket.addEventListener('close', () => {
    calm();
    menu.open = false;
  });
}

function showLimits({ valid_until, idle_seconds, disconnected_seconds }) {
  disconnectedSeconds = disconnected_seconds ?? null;
  const idle = idle_seconds ? ` You’ll be disconnected after ${words(idle_seconds)} of inactivity.` : '';
  limits.textContent = `This session ends at ${moment(new Date(valid_until))} at the latest.${idle}`;
}

/** "23:05 CET"; with the day when it is not today. */
function moment(at) {
  const today = at.toDateString() === new Date().toDateString();
  return (today ? time : day).format(at);
}

/** The rest of "Your session is still running": until when, if nobody reconnects. */
export function untilEnd() {
  if (disconnectedSeconds === null) return ' for now.';
  return `. It ends at ${moment(new Date(Date.now() + disconnectedSeconds * 1000))} unless you reconnect.`;
}

function words(seconds) {
  const [number, unit] = seconds % 3600 === 0 ? [seconds / 3600, 'hour'] : [Math.round(seconds / 60), 'minute'];
  return `${number} ${unit}${number === 1 ? '' : 's'}`;
}

function warn({ at, timer, minutes }) {
  calm();
  const end = new Date(at);
  text.textContent = WHY[timer](time.format(end), minutes);
  warning.hidden = false;
  if (minutes > 1) return;
  // For the eye only: a screen reader would read every second.
  const tick = () => (left.textContent = `${Math.max(0, Math.round((end - Date.now() - ahead) / 1000))} s`);
  tick();
  ticking = setInterval(tick, 1000);
}

function calm() {
  clearInterval(ticking);
  left.textContent = '';
  warning.hidden = true;
}

/** Ends the session. The server closes the stream and gives the reason. */
async function end(id) {
  problem.hidden = true;
  try {
    const answer = await fetch(`/sessions/${id}/end`, { method: 'POST', body: new URLSearchParams(), redirect: 'manual' });
    if (answer.type !== 'opaqueredirect' && !answer.ok) throw new Error(String(answer.status));
  } catch {
    problem.hidden = false;
    menu.open = true;
  }
}

/** Asks before the session ends. The second click of a double click never confirms. */
function askBeforeEnd(id) {
  const dialog = document.getElementById('end-dialog');
  for (const button of document.querySelectorAll('[data-end]')) {
    button.addEventListener('click', () => dialog.showModal());
  }
  document.getElementById('end-cancel').addEventListener('click', () => dialog.close());
  document.getElementById('end-confirm').addEventListener('click', (event) => {
    if (event.detail > 1) return;
    dialog.close();
    end(id);
  });
}

/** Adds the handlers of the buttons and keys. `focus` returns the keyboard to the application. */
export function start(id, focus) {
  askBeforeEnd(id);
  const close = () => {
    menu.open = false;
    focus();
  };
  document.getElementById('resume').addEventListener('click', close);
  document.getElementById('dismiss').addEventListener('click', () => {
    calm();
    focus();
  });
  // The application receives all keys, including Tab. Ctrl, Alt and Shift together, without another key, open the menu when
  // they are released.
  let alone = false;
  const pressed = (event) => {
    if (event.repeat) return;
    alone = OPENS_MENU.includes(event.key) && event.ctrlKey && event.altKey && event.shiftKey && !event.metaKey;
  };
  const released = () => {
    if (!alone) return;
    alone = false;
    menu.open = !menu.open;
    if (menu.open) document.getElementById('resume').focus();
    else focus();
  };
  window.addEventListener('keydown', pressed, { capture: true });
  window.addEventListener('keyup', released, { capture: true });
  menu.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });
}
