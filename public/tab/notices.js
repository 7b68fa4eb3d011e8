// The section “Time left”, and the warnings before the end.

const limits = document.getElementById('limits');
const warning = document.getElementById('warning');
const text = document.getElementById('warning-text');
const left = document.getElementById('warning-left');

const { hour12 } = new Intl.DateTimeFormat(undefined, { hour: 'numeric' }).resolvedOptions();
const TIME = { hour: hour12 ? 'numeric' : '2-digit', minute: '2-digit', timeZoneName: 'short', numberingSystem: 'latn' };
const time = new Intl.DateTimeFormat(undefined, TIME);
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', ...TIME });
// How far the server's clock is ahead of this one's.
let ahead = 0;
let ticking;
// How long the session lives without a tab; null means without a limit.
let disconnectedSeconds = null;

const WHY = {
  idle: (at, minutes) => `You’ll be disconnected in ${minutes} min, at ${at}, because of inactivity.`,
  valid_until: (at, minutes) => `This session reaches its time limit in ${minutes} min, at ${at}. Save your work.`,
};

export function start(tab) {
  tab.on('notice:limits', showLimits);
  tab.on('notice:warning', warn);
  tab.on('notice:calm', calm);
  tab.on('disconnect', calm);
  document.getElementById('dismiss').addEventListener('click', () => {
    calm();
    tab.focus();
  });
}

function readClock({ server_time }) {
  ahead = Date.parse(server_time) - Date.now();
}

function showLimits(notice) {
  readClock(notice);
  const { valid_until, idle_seconds, disconnected_seconds } = notice;
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

function warn(notice) {
  readClock(notice);
  const { at, timer, minutes } = notice;
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
