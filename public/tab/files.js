// The section “Files”: uploads into the home folder, by its button or by a drop on the tab.
import { toast } from './toast.js';
import { carriesFiles, dropped, Uploads } from './uploads.js';

const FOLDER = 'A folder can’t be uploaded. Put it into a zip file first.';

const section = document.getElementById('files');
const button = document.getElementById('upload-button');
const input = document.getElementById('upload-input');
const rule = document.getElementById('files-rule');
const target = document.getElementById('drop-target');

export function start(tab) {
  let refusal = 'Files can’t be uploaded, because this session keeps none.';
  const accept = section && listen(tab);
  if (section) {
    refusal = 'The session is not connected yet.';
    tab.on('notice:limits', ({ files }) => {
      const permitted = files === 'both' || files === 'in';
      refusal = permitted ? undefined : 'Uploads are turned off.';
      button.hidden = !permitted;
      rule.textContent = RULES[files];
    });
  }
  takeDrops((event) => {
    if (refusal) return toast(refusal);
    const { files, folders } = dropped(event);
    accept(files);
    if (folders > 0) toast(FOLDER);
  }, () => refusal ?? 'Drop to upload into your home folder.');
}

const RULES = {
  both: '',
  in: 'Downloads are turned off while this application runs.',
  out: 'Uploads are turned off while this application runs.',
  off: 'Uploads and downloads are turned off while this application runs.',
};

/** Returns a function that uploads files. */
function listen(tab) {
  const uploads = new Uploads({
    list: document.getElementById('uploads'),
    place: () => ({ environment: section.dataset.environment, folder: '' }),
    announce: toast,
  });
  button.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const files = Array.from(input.files);
    input.value = '';
    uploads.add(files);
  });
  return (files) => {
    uploads.add(files);
    tab.focus();
  };
}

/** A drop must never replace the tab by the file. */
function takeDrops(take, text) {
  // A drag passes through many elements: each is entered before the last is left.
  let depth = 0;
  const show = () => {
    target.textContent = depth > 0 ? text() : '';
    target.hidden = depth <= 0;
  };
  const on = (type, change) =>
    window.addEventListener(type, (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      change(event);
      show();
    });
  on('dragenter', () => (depth += 1));
  on('dragleave', () => (depth -= 1));
  on('dragover', () => {});
  on('drop', (event) => {
    depth = 0;
    take(event);
  });
}
