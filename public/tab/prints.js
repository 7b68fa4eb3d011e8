// The notice that a print of the application is ready. It opens or saves the PDF, if the policy lets files leave the session.

const FAILED = 'Your print could not be stored. Your files may have reached their limit.';

export function start(tab) {
  let bar;
  const hide = () => {
    bar?.remove();
    bar = undefined;
  };
  tab.on('notice:printed', ({ result, name, download }) => {
    bar ??= build(() => {
      hide();
      tab.focus();
    });
    const [line, links] = [bar.querySelector('[role=status]'), bar.querySelector('.print-links')];
    links.replaceChildren();
    if (result === 'failed') return (line.textContent = FAILED);
    const file = document.createElement('bdi');
    file.textContent = name;
    line.replaceChildren('Your print is ready: ', file, ...(download ? [] : ['. It is in the folder Printed of this session.']));
    if (!download) return undefined;
    const address = `/sessions/${tab.id}/prints/${encodeURIComponent(name)}`;
    // Another tab: this one keeps the session.
    const open = link('Open', `${address}?show=1`, { className: 'primary', target: '_blank', rel: 'noopener' });
    links.append(open, link('Save', address, { className: 'quiet', download: name }));
    return undefined;
  });
}

function link(text, href, more) {
  return Object.assign(document.createElement('a'), { textContent: text, href, ...more });
}

function build(dismissed) {
  const section = document.createElement('section');
  section.className = 'warning home-warning print-notice';
  section.setAttribute('aria-label', 'Print');
  const box = document.createElement('div');
  const line = document.createElement('p');
  line.setAttribute('role', 'status');
  const links = document.createElement('span');
  links.className = 'print-links';
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'plain';
  button.textContent = 'Dismiss';
  button.addEventListener('click', dismissed);
  box.append(line, links, button);
  section.append(box);
  document.body.append(section);
  return section;
}
