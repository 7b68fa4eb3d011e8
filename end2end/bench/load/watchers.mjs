// Watches the list over many connections and records the arrival of each revision.
//
// It does not parse events: real pages do that on two hundred computers, and this process has only one.
import http from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { now, serve } from './helper.mjs';

const REVISION = Buffer.from('"revision":');
const END = Buffer.from('\n\n');

const watchers = [];
const delay = monitorEventLoopDelay({ resolution: 1 });

serve({
  /** Opens a watch for each search. Returns after each has received its first list. */
  async open({ url, cookie, searches }) {
    delay.enable();
    await Promise.all(searches.map((search) => watch(url, cookie, search)));
  },

  /** Clears the measured delays of this process. */
  begin() {
    delay.reset();
  },

  /** Closes all watches and returns their records. */
  close() {
    const delayMs = delay.percentile(99) / 1e6;
    watchers.forEach(({ request }) => request.destroy());
    const each = ({ search, revisions, times, bytes, lost }) => ({
      search,
      revisions: Float64Array.from(revisions),
      times: Float64Array.from(times),
      bytes,
      lost,
    });
    return { delayMs, watchers: watchers.map(each) };
  },
});

function watch(url, cookie, search) {
  return new Promise((resolve, reject) => {
    const watcher = { search, revisions: [], times: [], bytes: 0, lost: false };
    watcher.request = http.get(new URL(`/api/v1/sessions/watch${search}`, url), { agent: false, headers: { cookie } });
    watchers.push(watcher);
    watcher.request.on('error', reject);
    watcher.request.on('response', (response) => {
      if (response.statusCode !== 200) return reject(new Error(`a watch of “${search}” was answered ${response.statusCode}`));
      const read = reader(watcher);
      response.on('data', (chunk) => {
        watcher.bytes += chunk.length;
        read(chunk);
        if (watcher.revisions.length > 0) resolve();
      });
      response.on('error', () => {});
      response.on('close', () => (watcher.lost = true));
    });
  });
}

/** Records each event when its last byte has arrived. */
function reader(watcher) {
  let [rest, revision] = [Buffer.alloc(0), undefined];
  return (chunk) => {
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (;;) {
      if (revision === undefined) {
        const found = text.indexOf(REVISION, at);
        const digits = found < 0 ? null : /^(\d+)\D/.exec(text.toString('latin1', found + REVISION.length, found + 40));
        // An incomplete name or number is parsed again with the next chunk.
        if (digits === null) return (rest = text.subarray(Math.max(at, found < 0 ? text.length - REVISION.length : found)));
        revision = Number(digits[1]);
        at = found;
      }
      const end = text.indexOf(END, at);
      if (end < 0) return (rest = text.subarray(Math.max(at, text.length - 1)));
      watcher.revisions.push(revision);
      watcher.times.push(now());
      [revision, at] = [undefined, end + END.length];
    }
  };
}
