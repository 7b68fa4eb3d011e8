// The page Files with JavaScript: files are uploaded as soon as they are chosen or dropped, with progress.
import { showTimes } from './times.js';
import { carriesFiles, dropped, Uploads } from './uploads.js';

const form = document.getElementById('upload-form');
if (form) start();

function start() {
  const input = form.querySelector('input[type=file]');
  const status = document.getElementById('upload-status');
  const { environment, path } = Object.fromEntries(new FormData(form));
  const uploads = new Uploads({
    list: document.getElementById('uploads'),
    place: () => ({ environment, folder: path }),
    announce: (text) => (status.textContent = text),
    uploaded: refresh,
  });
  form.querySelector('button').hidden = true;
  document.getElementById('drop-hint').hidden = false;
  input.addEventListener('change', () => {
    uploads.add(input.files);
    input.value = '';
  });
  form.addEventListener('submit', (event) => event.preventDefault());

  window.addEventListener('dragover', (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  window.addEventListener('drop', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const { files, folders } = dropped(event);
    uploads.add(files);
    if (folders > 0) status.textContent = 'A folder can’t be uploaded. Put it into a zip file first.';
  });
}

/** Shows the new files. Changes nothing while the person renames or deletes one. */
async function refresh() {
  const area = document.getElementById('file-area');
  const open = area.querySelector('details[open]');
  if (open) {
    open.addEventListener('toggle', refresh, { once: true });
    return;
  }
  const answer = await fetch(location.href).catch(() => undefined);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const fresh = page.getElementById('file-area');
  if (fresh && !area.querySelector('details[open]')) area.replaceWith(fresh);
  showTimes();
}
