// Uploads with progress, which go on after a lost connection. The page Files and the session's tab use this module. The protocol
// is tus; its client comes from npm and is loaded with the first file.
import { bytes } from './sizes.js';

// The server keeps at most 16 unfinished uploads of a person.
const PARALLEL = 3;
// One request each, so that a proxy's limit of time or size is no limit of the file.
const CHUNK_BYTES = 16 * 1024 * 1024;
// Below the limit that nginx has by default.
const SMALL_CHUNK_BYTES = 1000 * 1000;
// Some ten minutes. A part that arrives begins them again.
const RETRY_MS = [0, 1000, 2000, 5000, ...Array(60).fill(10000)];

const FAILED = 'The upload failed.';

let client;

/** The global `tus`, which a classic script defines. */
function loadClient() {
  client ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = '/tus/tus.min.js';
    script.onload = () => resolve(window.tus);
    script.onerror = () => {
      client = undefined;
      script.remove();
      reject(new Error('The server can’t be reached.'));
    };
    document.head.append(script);
  });
  return client;
}

/** "1 file", "3 files". */
export const count = (files) => (files === 1 ? '1 file' : `${files} files`);

/** Is this drag one of files? */
export const carriesFiles = (event) => Array.from(event.dataTransfer?.types ?? []).includes('Files');

/** The dropped files, and the number of dropped folders, which browsers give without their content. */
export function dropped(event) {
  const items = Array.from(event.dataTransfer.items).filter(({ kind }) => kind === 'file');
  const isFolder = (item) => item.webkitGetAsEntry?.()?.isDirectory === true;
  const files = items.filter((item) => !isFolder(item)).map((item) => item.getAsFile());
  return { files, folders: items.filter(isFolder).length };
}

/** The uploads of a page. `list` is an empty `ul`; `place()` gives the environment and the folder of the next file. */
export class Uploads {
  #list;
  #place;
  #announce;
  #waiting = [];
  #active = 0;
  #round = { done: 0, failed: 0 };
  #uploaded;

  /** `announce(text)` tells people about the beginning and the end of a round; `uploaded()` runs after each file. */
  constructor({ list, place, announce, uploaded }) {
    this.#list = list;
    this.#place = place;
    this.#announce = announce;
    this.#uploaded = uploaded;
    window.addEventListener('beforeunload', (event) => {
      if (this.#active > 0) event.preventDefault();
    });
  }

  add(files) {
    const all = Array.from(files);
    if (all.length === 0) return;
    this.#waiting.push(...all.map((file) => this.#entry(file)));
    this.#announce(`Uploading ${count(all.length)}…`);
    this.#next();
  }

  #next() {
    while (this.#active < PARALLEL && this.#waiting.length > 0) {
      this.#active += 1;
      this.#waiting.shift().start();
    }
    if (this.#active > 0) return;
    const { done, failed } = this.#round;
    if (done + failed === 0) return;
    this.#round = { done: 0, failed: 0 };
    const failures = failed > 0 ? ` ${count(failed)} could not be uploaded.` : '';
    this.#announce(`${done > 0 || failed === 0 ? `${count(done)} uploaded.` : ''}${failures}`.trim());
  }

  /** A file with its line in the list. */
  #entry(file) {
    const { environment, folder } = this.#place();
    const line = new Line(file);
    this.#list.append(line.element);
    let upload;
    let isCancelled = false;
    const end = (outcome) => {
      if (outcome) this.#round[outcome] += 1;
      this.#active -= 1;
      this.#next();
    };
    const fail = (reason) => {
      line.fail(reason, () => {
        this.#waiting.push(entry);
        this.#next();
      });
      end('failed');
    };
    const entry = {
      start: async () => {
        line.progress(0);
        try {
          upload ??= await begin(file, { environment, folder }, { progress: (sent) => line.progress(sent), lost: () => line.lost() });
        } catch (error) {
          return fail(error.message);
        }
        if (isCancelled) return end();
        upload.options.onError = (error) => (isCancelled ? undefined : fail(reason(error)));
        upload.options.onSuccess = ({ lastResponse }) => {
          line.done(decodeURIComponent(lastResponse?.getHeader('File-Name') ?? file.name));
          this.#uploaded?.();
          end('done');
        };
        upload.start();
      },
    };
    line.onCancel = () => {
      const waits = this.#waiting.indexOf(entry);
      isCancelled = true;
      line.element.remove();
      if (waits >= 0) this.#waiting.splice(waits, 1);
      // The server forgets it after an hour if this request is lost.
      if (!line.isDone) upload?.abort(true).catch(() => {});
      if (line.isActive && upload) end();
    };
    return entry;
  }
}

/** Prepares an upload. Continues an earlier one of the same file to the same place. */
async function begin(file, { environment, folder }, { progress, lost }) {
  const tus = await loadClient();
  const upload = new tus.Upload(file, {
    endpoint: '/files/uploads',
    chunkSize: CHUNK_BYTES,
    retryDelays: RETRY_MS,
    removeFingerprintOnSuccess: true,
    headers: { Accept: 'application/json' },
    metadata: { environment, path: folder, filename: file.name },
    fingerprint: async () => ['upload', environment, folder, file.name, file.size, file.lastModified].join('/'),
    onProgress: progress,
    onShouldRetry: (error, _, options) => {
      if (isRefusedByProxy(error) && options.chunkSize > SMALL_CHUNK_BYTES) {
        options.chunkSize = SMALL_CHUNK_BYTES;
        return true;
      }
      const again = mayPass(error);
      if (again) lost();
      return again;
    },
  });
  const [earlier] = await upload.findPreviousUploads();
  if (earlier) upload.resumeFromPreviousUpload(earlier);
  return upload;
}

/** Did a proxy find the request too large? The server gives its own reason. */
const isRefusedByProxy = (error) => error.originalResponse?.getStatus() === 413 && !problem(error)?.code;

/** Can the same request succeed later? */
function mayPass(error) {
  const status = error.originalResponse?.getStatus() ?? 0;
  return [0, 408, 409, 502, 504].includes(status) || (status === 503 && problem(error)?.code !== 'disk_full');
}

function problem(error) {
  try {
    return JSON.parse(error.originalResponse.getBody());
  } catch {
    return undefined;
  }
}

function reason(error) {
  if (!error.originalResponse) return 'The server can’t be reached, or the file has changed on this device.';
  return problem(error)?.detail ?? FAILED;
}

/** The line of a file: its name, its state, its progress, and a button. */
class Line {
  element = document.createElement('li');
  isActive = false;
  isDone = false;
  onCancel;
  #file;
  #state = document.createElement('span');
  #bar = document.createElement('progress');
  #again = document.createElement('button');
  #button = document.createElement('button');

  constructor(file) {
    this.#file = file;
    const name = document.createElement('bdi');
    name.textContent = file.name;
    const text = document.createElement('p');
    text.append(name, ' ', this.#state);
    this.#bar.max = Math.max(file.size, 1);
    this.#bar.value = 0;
    this.#bar.setAttribute('aria-label', `Upload of ${file.name}`);
    for (const button of [this.#again, this.#button]) {
      button.type = 'button';
      button.className = 'plain';
    }
    this.#again.textContent = 'Try again';
    this.#again.hidden = true;
    this.#label('Cancel', `Cancel the upload of ${file.name}`);
    this.#button.onclick = () => this.onCancel();
    this.element.append(text, this.#bar, this.#again, this.#button);
    this.#say('waits');
  }

  #label(text, label) {
    this.#button.textContent = text;
    this.#button.setAttribute('aria-label', label);
  }

  #say(text) {
    this.#state.textContent = text;
  }

  progress(sent) {
    this.isActive = true;
    this.#again.hidden = true;
    this.#bar.hidden = false;
    this.#label('Cancel', `Cancel the upload of ${this.#file.name}`);
    this.#bar.value = sent;
    this.#say(`${bytes(sent)} of ${bytes(this.#file.size)}`);
  }

  lost() {
    this.#say('The connection was lost. The upload goes on by itself.');
  }

  done(name) {
    this.isActive = false;
    this.isDone = true;
    this.#bar.hidden = true;
    this.#say(name === this.#file.name ? 'uploaded' : `uploaded as ${name}`);
    this.#label('Dismiss', `Dismiss ${this.#file.name}`);
  }

  fail(reason, retry) {
    this.isActive = false;
    this.#bar.hidden = true;
    this.#say(reason);
    this.#again.hidden = false;
    this.#again.setAttribute('aria-label', `Try the upload of ${this.#file.name} again`);
    this.#again.onclick = () => {
      this.#again.hidden = true;
      retry();
    };
    this.#label('Dismiss', `Dismiss ${this.#file.name}`);
  }
}
