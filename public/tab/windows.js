// The section “Windows”: lists the windows of the application, switches between them and closes them.

// The application changes the titles without a message, so they are read again while the menu is open.
const TITLES_MS = 2000;

export function start(tab) {
  const list = document.getElementById('windows');
  const empty = document.getElementById('no-windows');
  const rows = new Map();
  let timer;

  tab.on('notice:windows', ({ windows }) => {
    show(tab, list, rows, windows);
    empty.hidden = windows.length > 0;
  });
  tab.on('menu', () => {
    clearInterval(timer);
    const ask = () => (tab.menu.isOpen ? tab.send({ kind: 'titles' }) : clearInterval(timer));
    ask();
    timer = setInterval(ask, TITLES_MS);
  });
}

/** Keeps the rows of windows that stay, so that the focus stays on them. */
function show(tab, list, rows, windows) {
  const gone = new Set(rows.keys());
  for (const window of windows) {
    gone.delete(window.id);
    if (!rows.has(window.id)) {
      const row = makeRow(tab, window.id);
      rows.set(window.id, row);
      list.append(row.item);
    }
    const { activate, close } = rows.get(window.id);
    const title = window.title || 'Window without a title';
    if (activate.textContent !== title) activate.textContent = title;
    if (window.active) activate.setAttribute('aria-current', 'true');
    else activate.removeAttribute('aria-current');
    close.setAttribute('aria-label', `Close ${title}`);
  }
  for (const id of gone) {
    const { item } = rows.get(id);
    const next = item.nextElementSibling ?? item.previousElementSibling;
    const focused = item.contains(document.activeElement);
    item.remove();
    rows.delete(id);
    if (focused) (next?.querySelector('button') ?? document.getElementById('resume')).focus();
  }
}

function makeRow(tab, id) {
  const item = document.createElement('li');
  const activate = document.createElement('button');
  activate.type = 'button';
  activate.className = 'window';
  activate.addEventListener('click', () => {
    tab.send({ kind: 'window', id, action: 'activate' });
    tab.menu.close();
  });
  const close = document.createElement('button');
  close.type = 'button';
  close.className = 'plain close';
  close.textContent = 'Close';
  close.addEventListener('click', () => {
    tab.send({ kind: 'window', id, action: 'activate' });
    tab.send({ kind: 'window', id, action: 'close' });
  });
  item.append(activate, close);
  return { item, activate, close };
}
