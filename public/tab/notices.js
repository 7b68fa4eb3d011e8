// The session menu, and warnings about the remaining time.
// Text messages of the stream are notices of the server. Binary messages are the application's picture.

const menu = document.getElementById('menu');
const limits = document.getElementById('limits');
const warning = document.getElementById('warning');
const text = document.getElementById('warning-text');
const left = document.getElementById('warning-left');
const problem = document.getElementById('end-problem');

const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
// The difference between the server's clock and this one, in milliseconds.
let ahead = 0;
let ticking;

const WHY = {
  idle: (at, minutes) => `Nobody has used this session for a while. In ${minutes} min, at ${at}, this tab is closed.`,
  valid_until: (at, minutes) => `This session ends in ${minutes} min, at ${at}: its allowed time is over then. Save your work.`,
};

/** Handles the notices of a stream. Other listeners do not receive them. */
export function listen(socket) {
  socket.addEventListener('message', (event) => {
    if (typeof event.data !== 'string') return;
    event.stopImmediatePropagation();
    const notice = JSON.parse(event.data);
    if (notice.server_time) ahead = Date.parse(notice.server_time) - Date.now();
    if (notice.kind === 'limits') showLimits(notice);
    if (notice.kind === 'warning') warn(notice);
    if (notice.kind === 'calm') calm();
  });
  socket.addEventListener('close', () => {
    calm();
    menu.open = false;
  });
}

function showLimits({ valid_until, idle_seconds }) {
  const until = new Date(valid_until);
  const today = until - Date.now() < 20 * 3600 * 1000;
  const idle = idle_seconds ? ` This tab is closed after ${words(idle_seconds)} in which nobody uses it.` : '';
  limits.textContent = `This session ends at ${(today ? time : day).format(until)} at the latest.${idle}`;
}

function words(seconds) {
  return seconds % 3600 === 0 ? `${seconds / 3600} h` : `${Math.round(seconds / 60)} min`;
}

function warn({ at, timer, minutes }) {
  calm();
  const moment = new Date(at);
  text.textContent = WHY[timer](time.format(moment), minutes);
  warning.hidden = false;
  if (minutes > 1) return;
  // Not announced, because a screen reader would read it every second.
  const tick = () => (left.textContent = `${Math.max(0, Math.round((moment - Date.now() - ahead) / 1000))} s`);
  tick();
  ticking = setInterval(tick, 1000);
}

function calm() {
  clearInterval(ticking);
  left.textContent = '';
  warning.hidden = true;
}

/** Ends the session at the second press of a button. The server then closes the stream with the reason. */
function ending(button, id) {
  const words = button.textContent;
  let sure = false;
  const back = () => {
    sure = false;
    button.textContent = words;
  };
  button.addEventListener('blur', back);
  button.addEventListener('click', async () => {
    if (!sure) {
      sure = true;
      button.textContent = 'Really end it? Unsaved work is lost';
      return;
    }
    back();
    problem.hidden = true;
    try {
      const answer = await fetch(`/sessions/${id}/end`, { method: 'POST', body: new URLSearchParams(), redirect: 'manual' });
      if (answer.type !== 'opaqueredirect' && !answer.ok) throw new Error(String(answer.status));
    } catch {
      problem.hidden = false;
      menu.open = true;
    }
  });
}

/** Adds the handlers of the buttons and keys. `focus` returns the keyboard to the application. */
export function start(id, focus) {
  for (const button of document.querySelectorAll('[data-end]')) ending(button, id);
  document.getElementById('dismiss').addEventListener('click', () => {
    calm();
    focus();
  });
  // The application receives all keys, including Tab. This combination opens the menu.
  window.addEventListener(
    'keydown',
    (event) => {
      if (!event.ctrlKey || !event.altKey || !event.shiftKey || event.repeat) return;
      menu.open = !menu.open;
      if (menu.open) menu.querySelector('[data-end]').focus();
      else focus();
    },
    { capture: true },
  );
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    menu.open = false;
    focus();
  });
}
