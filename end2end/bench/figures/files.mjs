// Uploads and downloads of one large file, beside a copy of the same file on the same disk, and the memory that they take.
import { randomBytes } from 'node:crypto';
import { closeSync, copyFileSync, fsyncSync, openSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';

import { signIn } from '../client.mjs';
import { ADMIN, memory, withServer } from '../server.mjs';
import { repeat } from '../stats.mjs';

export const title = 'upload and download, about 30 s';

const BYTES = 256 << 20;
/** The part that the page sends with one request (public/tab/uploads.js). */
const PART = 16 << 20;
const MB = 1e6;

export async function measure(bench) {
  const dataDir = await bench.dataDir('history');
  const content = randomBytes(BYTES);
  return withServer(bench, dataDir, async (server) => {
    const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
    const environment = /name="environment" value="([0-9a-f-]+)"/.exec((await admin.get('/files')).text)[1];
    const before = memory(server.pid, 'VmHWM');
    const runs = await repeat(bench.runs, async (n) => {
      const name = `bench-${n}.bin`;
      const up = await upload(server.url, admin.cookie, environment, name, content);
      const down = await download(server.url, admin.cookie, environment, name);
      const copied = copy(dataDir, name);
      return { up, down, copied };
    });
    const more = memory(server.pid, 'VmHWM') - before;
    admin.close();
    const speed = (name, key) => ({ name, unit: 'MB/s', runs: runs.map((run) => BYTES / MB / run[key]) });
    const share = (name, key) => ({ name, unit: '%', runs: runs.map((run) => (100 * run.copied) / run[key]), least: 50 });
    return [
      speed('upload of 256 MiB', 'up'),
      speed('download of 256 MiB', 'down'),
      { ...speed('copy of 256 MiB on the same disk, with fsync', 'copied') },
      share('upload, share of the copy', 'up'),
      share('download, share of the copy', 'down'),
      { name: 'more memory at the peak of transfers', unit: 'MB', runs: [more / MB], aim: 20 },
    ];
  });
}

/** The seconds of an upload, as the page does it. */
async function upload(url, cookie, environment, name, content) {
  const encode = (text) => Buffer.from(text).toString('base64');
  const metadata = `environment ${encode(environment)},path ,filename ${encode(name)}`;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const send = (method, path, headers, body) =>
    new Promise((resolve, reject) => {
      const sent = http.request(new URL(path, url), { agent, method, headers: { cookie, origin: url, ...headers } }, (answer) => {
        answer.resume().on('end', () => resolve(answer));
      });
      sent.on('error', reject).end(body);
    });
  const began = performance.now();
  const { headers } = await send('POST', '/files/uploads', { 'upload-length': content.length, 'upload-metadata': metadata });
  for (let offset = 0; offset < content.length; offset += PART) {
    const part = content.subarray(offset, offset + PART);
    const answer = await send('PATCH', headers.location, { 'upload-offset': offset, 'content-length': part.length }, part);
    if (answer.statusCode !== 204) throw new Error(`a part was answered with ${answer.statusCode}`);
  }
  agent.destroy();
  return (performance.now() - began) / 1000;
}

function download(url, cookie, environment, name) {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    http.get(new URL(`/files/download?environment=${environment}&path=${name}`, url), { headers: { cookie } }, (answer) => {
      let bytes = 0;
      answer.on('data', (part) => (bytes += part.length));
      answer.on('end', () => {
        if (bytes === BYTES) resolve((performance.now() - began) / 1000);
        else reject(new Error(`${bytes} bytes arrived`));
      });
    }).on('error', reject);
  });
}

/** The seconds of a copy that is on the disk at its end, as an upload is. Removes both files. */
function copy(dataDir, name) {
  const homes = join(dataDir, 'homes');
  const from = readdirSync(homes).map((home) => join(homes, home, name))[0];
  const to = `${from}.copy`;
  const began = performance.now();
  copyFileSync(from, to);
  const file = openSync(to, 'r+');
  fsyncSync(file);
  closeSync(file);
  const seconds = (performance.now() - began) / 1000;
  rmSync(from);
  rmSync(to);
  return seconds;
}
