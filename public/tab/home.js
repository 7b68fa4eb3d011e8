// The warning that the user's kept home is nearly full. Each change of its size brings a notice; a dismissed warning returns when
// launches begin to be refused.
import { bytes } from './sizes.js';

export function start(tab) {
  let bar;
  let dismissed; // The level that the user has dismissed: 'near' or 'full'.
  const hide = () => {
    bar?.remove();
    bar = undefined;
  };
  tab.on('notice:home', ({ used, limit, warn, full }) => {
    const level = full ? 'full' : 'near';
    if (!warn) dismissed = undefined;
    if (!warn || dismissed === level) return hide();
    bar ??= build();
    const text = full
      ? `Your files have reached their limit of ${bytes(limit)}. You can’t launch applications until you delete some.`
      : `Your files use ${bytes(used)} of ${bytes(limit)}. At the limit you can’t launch applications, so delete what you no longer need.`;
    const line = bar.querySelector('[role=status]');
    // A screen reader reads each change.
    if (line.textContent !== text) line.textContent = text;
    bar.querySelector('button').onclick = () => {
      dismissed = level;
      hide();
      tab.focus();
    };
  });
}

function build() {
  const section = document.createElement('section');
  section.className = 'warning home-warning';
  section.setAttribute('aria-label', 'Storage');
  const box = document.createElement('div');
  const line = document.createElement('p');
  line.setAttribute('role', 'status');
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Dismiss';
  box.append(line, button);
  section.append(box);
  document.body.append(section);
  return section;
}
