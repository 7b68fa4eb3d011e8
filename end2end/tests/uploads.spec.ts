// Uploads from the page Files and from a session's tab: progress, lost connections, and attacks. Judged by the files on the disk.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page, Route } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { expectConnected } from '../support/portal.ts';
import type { Server } from '../support/server.ts';

test.use({ setup: { name: 'uploads' } });

const PARTS = '**/files/uploads/*';
const CHUNK = 16 << 20;

let folder: string;
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'uploads-'));
});
test.afterAll(() => rmSync(folder, { recursive: true }));

/** A file of this device. */
function fileOf(name: string, size: number): { path: string; content: Buffer } {
  const path = join(folder, name);
  const content = randomBytes(size);
  writeFileSync(path, content);
  return { path, content };
}

/** The folder of the home that has this file. */
function homeWith(server: Server, name: string): string | undefined {
  const homes = join(server.dataDir, 'homes');
  return readdirSync(homes).map((home) => join(homes, home)).find((home) => readdirSync(home).includes(name));
}

function arrived(server: Server, name: string): Buffer {
  const home = homeWith(server, name);
  if (home === undefined) throw new Error(`no home has ${name}`);
  return readFileSync(join(home, name));
}

const uploads = (page: Page) => page.getByRole('list', { name: 'Uploads' }).getByRole('listitem');

/** Drags files from this device onto the middle of a page and drops them there, as a mouse does. */
async function drop(page: Page, files: string[], beforeDrop?: () => Promise<void>): Promise<void> {
  const browser = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    if (type === 'drop') await beforeDrop?.();
    await browser.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  }
  await browser.detach();
}

async function environmentOf(server: Server, username: string): Promise<string> {
  const page = (await server.call(username, 'GET', '/files')).text;
  return /name="environment" value="([0-9a-f-]+)"/.exec(page)?.[1] ?? '';
}

const encode = (text: string) => Buffer.from(text).toString('base64');

/** Begins an upload by the protocol. */
async function begin(server: Server, username: string, name: string, length: number) {
  const environment = await environmentOf(server, username);
  const metadata = `environment ${encode(environment)},path ,filename ${encode(name)}`;
  const headers = { 'upload-length': String(length), 'upload-metadata': metadata, accept: 'application/json' };
  const answer = await server.call(username, 'POST', '/files/uploads', { headers });
  return { ...answer, address: String(answer.headers.location) };
}

const append = (server: Server, username: string, address: string, offset: number, body: Buffer) =>
  server.call(username, 'PATCH', address, {
    headers: { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream', accept: 'application/json' },
    body,
  });

const offsetOf = async (server: Server, username: string, address: string) =>
  Number((await server.call(username, 'HEAD', address)).headers['upload-offset']);

/** Sends the first bytes of a part, and leaves the connection open. */
async function sendPartly(server: Server, username: string, address: string, bytes: Buffer, length: number) {
  const headers = { cookie: await server.cookie(username), 'upload-offset': '0', 'content-length': String(length) };
  const sending = request(new URL(address, server.url), { method: 'PATCH', headers });
  const answer = new Promise<number | undefined>((resolve) => {
    sending.on('response', ({ statusCode }) => resolve(statusCode));
    sending.on('error', () => resolve(undefined));
  });
  await new Promise<void>((resolve) => sending.write(bytes, () => resolve()));
  return { answer, cut: () => sending.destroy() };
}

test('files that are dropped on a session’s tab are in its home folder', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  const session = await server.launchAs('student', 'Calculator');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectConnected(tab);
  const one = fileOf('one.bin', 3_000_000);
  const two = fileOf('Größe.txt', 5);
  await drop(tab, [one.path, two.path], () => expect(tab.getByText('Drop to upload into your home folder.')).toBeVisible());
  await expect(tab.locator('#toast')).toHaveText('2 files uploaded.');
  await expect(tab.getByText('Drop to upload')).toBeHidden();
  expect(arrived(server, 'one.bin').equals(one.content)).toBe(true);
  expect(arrived(server, 'Größe.txt').equals(two.content)).toBe(true);
  await expectConnected(tab);

  // By the menu, with the keyboard. A name that is in use gets a number.
  await tab.getByRole('button', { name: 'Session menu' }).click();
  const chooser = tab.waitForEvent('filechooser');
  await tab.getByRole('button', { name: 'Upload files…' }).press('Enter');
  await (await chooser).setFiles(one.path);
  await expect(uploads(tab).last()).toContainText('one.bin uploaded as one (2).bin');
  expect(arrived(server, 'one (2).bin').equals(one.content)).toBe(true);
  await server.expire(session.id);
});

test('an application that forbids uploads refuses a drop, and says so', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  await server.cli(['application', 'add', 'Sealed', '--files', 'off', '--', 'galculator']);
  const session = await server.launchAs(await server.person('sealed', 'user'), 'Sealed');
  const tab = await open('sealed', `/sessions/${session.id}`);
  await expectConnected(tab);
  await drop(tab, [fileOf('answer.txt', 10).path]);
  await expect(tab.locator('#toast')).toHaveText('Uploads are turned off.');
  await tab.getByRole('button', { name: 'Session menu' }).click();
  await expect(tab.getByText('Uploads and downloads are turned off while this application runs.')).toBeVisible();
  await expect(tab.getByRole('button', { name: 'Upload files…' })).toBeHidden();
  // A page that ignores the rule.
  const environment = session.environment_id;
  const metadata = `environment ${encode(environment)},path ,filename ${encode('answer.txt')}`;
  const forced = await server.call('sealed', 'POST', '/files/uploads', { headers: { 'upload-length': '3', 'upload-metadata': metadata } });
  expect(forced.status).toBe(403);
  expect(homeWith(server, 'answer.txt')).toBeUndefined();
  await server.expire(session.id);
});

test('an upload goes on after its connection was lost, and shows its progress', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/ERR_CONNECTION_RESET/);
  const page = await open('student', '/files');
  const { path, content } = fileOf('lost.bin', 2 * CHUNK + 1000);
  const offsets: string[] = [];
  await page.route(PARTS, async (route: Route) => {
    const part = route.request();
    if (part.method() !== 'PATCH') return route.continue();
    offsets.push(part.headers()['upload-offset'] ?? '');
    await (offsets.length === 2 ? route.abort('connectionreset') : route.continue());
  });
  await page.getByLabel('Upload files').setInputFiles(path);
  await expect(uploads(page)).toContainText(['uploaded']);
  expect(arrived(server, 'lost.bin').equals(content)).toBe(true);
  expect(offsets, 'the second part again, never the first').toEqual(['0', String(CHUNK), String(CHUNK), String(2 * CHUNK)]);
  await expect(page.getByRole('link', { name: 'lost.bin' })).toBeVisible();
});

test('an upload is continued when the page was closed and the file is chosen again', async ({ server, open }) => {
  const page = await open('student', '/files');
  const { path, content } = fileOf('closed.bin', CHUNK + 5);
  await page.route(PARTS, (route) => (route.request().headers()['upload-offset'] === String(CHUNK) ? undefined : route.continue()));
  const second = page.waitForRequest((part) => part.method() === 'PATCH' && part.headers()['upload-offset'] === String(CHUNK));
  await page.getByLabel('Upload files').setInputFiles(path);
  await second;
  await expect(uploads(page)).toContainText([/^closed\.bin 16 MiB of 16 MiB/]);
  // Browsers ask only people who have used the page.
  await page.getByText('New folder').click();
  const asked = page.waitForEvent('dialog');
  const left = page.goto('/');
  expect((await asked).type(), 'the browser asks before it leaves').toBe('beforeunload');
  await (await asked).accept();
  await left;
  expect(homeWith(server, 'closed.bin'), 'half a file is never visible').toBeUndefined();
  await page.unroute(PARTS);
  await page.goto('/files');
  const parts: string[] = [];
  page.on('request', (part) => part.method() === 'PATCH' && parts.push(part.headers()['upload-offset'] ?? ''));
  await page.getByLabel('Upload files').setInputFiles(path);
  await expect(uploads(page)).toContainText(['uploaded']);
  expect(parts).toEqual([String(CHUNK)]);
  expect(arrived(server, 'closed.bin').equals(content)).toBe(true);
});

test('a person cancels an upload, and nothing of it stays', async ({ server, open }) => {
  const page = await open(await server.person('cancels', 'user'), '/files');
  const { path } = fileOf('cancelled.bin', CHUNK + 5);
  await page.route(PARTS, (route) => (route.request().headers()['upload-offset'] === String(CHUNK) ? undefined : route.continue()));
  await page.getByLabel('Upload files').setInputFiles([path, fileOf('kept.txt', 4).path]);
  await expect(uploads(page).nth(1)).toContainText('uploaded');
  const removed = page.waitForResponse((answer) => answer.request().method() === 'DELETE');
  await page.getByRole('button', { name: 'Cancel the upload of cancelled.bin' }).click();
  expect((await removed).status()).toBe(204);
  await expect(uploads(page)).toHaveCount(1);
  await expect(page.getByRole('status')).toHaveText('1 file uploaded.');
  const home = homeWith(server, 'kept.txt') ?? '';
  expect(readdirSync(home).filter((name) => name !== '.cloud-delivery')).toEqual(['kept.txt']);
  expect(readdirSync(join(home, '.cloud-delivery'))).toEqual([]);
});

test('bytes that arrived before a cut count, and a later request takes over', async ({ server }) => {
  const content = randomBytes(3_000_000);
  const { address, status } = await begin(server, 'student', 'cut.bin', content.length);
  expect(status).toBe(201);
  const cut = await sendPartly(server, 'student', address, content.subarray(0, 1_000_000), content.length);
  await expect.poll(() => offsetOf(server, 'student', address)).toBeGreaterThan(0);
  // The first connection still looks alive to the server.
  const offset = await offsetOf(server, 'student', address);
  expect(await cut.answer, 'it was taken over').toBe(409);
  cut.cut();
  const done = await append(server, 'student', address, offset, content.subarray(offset));
  expect([done.status, done.headers['upload-offset']]).toEqual([204, String(content.length)]);
  expect(arrived(server, 'cut.bin').equals(content)).toBe(true);
  expect(await offsetOf(server, 'student', address), 'the last answer may be lost').toBe(content.length);
});

test('an upload that stalls is answered after half a minute, and can go on', async ({ server }) => {
  const content = randomBytes(200_000);
  const { address } = await begin(server, 'student', 'stalled.bin', content.length);
  const sending = await sendPartly(server, 'student', address, content.subarray(0, 100_000), content.length);
  expect(await sending.answer).toBe(408);
  sending.cut();
  expect(await offsetOf(server, 'student', address)).toBe(100_000);
  expect(homeWith(server, 'stalled.bin')).toBeUndefined();
  expect((await append(server, 'student', address, 100_000, content.subarray(100_000))).status).toBe(204);
  expect(arrived(server, 'stalled.bin').equals(content)).toBe(true);
});

test('hostile uploads are refused', async ({ server }) => {
  const hostile = await server.person('hostile', 'user');
  for (const name of ['../up', '/etc/passwd', '..', '', 'a\0b', 'x'.repeat(256)]) {
    expect((await begin(server, hostile, name, 3)).status, JSON.stringify(name)).toBe(422);
  }
  expect((await begin(server, hostile, 'endless', Number.MAX_SAFE_INTEGER)).status, 'above the limit of the home').toBe(413);
  for (const headers of [{}, { 'upload-length': '-1' }, { 'upload-length': '3', 'upload-metadata': 'filename %%%' }, { 'upload-length': '3' }]) {
    expect((await server.call(hostile, 'POST', '/files/uploads', { headers })).status, JSON.stringify(headers)).toBe(400);
  }
  const { address } = await begin(server, hostile, 'mine', 5);
  const wrong = await append(server, hostile, address, 3, Buffer.from('xx'));
  expect(wrong.status, 'a gap').toBe(409);
  expect((await append(server, 'student', address, 0, Buffer.from('x'))).status, 'the upload of another').toBe(404);
  expect((await server.call('student', 'DELETE', address)).status).toBe(404);
  expect((await append(server, hostile, address, 0, Buffer.from('123456'))).status, 'more than announced').toBe(400);
  expect((await append(server, hostile, address, 0, Buffer.from('12345'))).status).toBe(204);
  expect(arrived(server, 'mine').toString()).toBe('12345');

  // Unfinished uploads hold open files, so their number is limited; finished ones do not count.
  const statuses = [];
  for (let at = 0; at < 17; at += 1) statuses.push((await begin(server, hostile, `open-${at}`, 5)).status);
  expect(statuses.slice(-2)).toEqual([201, 429]);
  expect((await begin(server, 'student', 'unhindered', 0)).status).toBe(201);
  expect(arrived(server, 'unhindered').length).toBe(0);
});

test('transfers end with the login that began them', async ({ server }) => {
  const revoked = await server.person('revoked', 'user');
  const content = randomBytes(40 << 20);
  const first = await begin(server, revoked, 'large.bin', content.length);
  expect((await append(server, revoked, first.address, 0, content)).status).toBe(204);

  const { address } = await begin(server, revoked, 'secret.bin', 2_000_000);
  const sending = await sendPartly(server, revoked, address, content.subarray(0, 1_000_000), 2_000_000);
  const environment = await environmentOf(server, revoked);
  const headers = { cookie: await server.cookie(revoked) };
  let received = 0;
  const ended = new Promise<void>((resolve) => {
    const receiving = request(new URL(`/files/download?environment=${environment}&path=large.bin`, server.url), { headers }, (answer) => {
      answer.once('data', (bytes: Buffer) => {
        received += bytes.length;
        answer.pause();
        void server.cli(['user', 'block', revoked]).then(async () => {
          await expect.poll(async () => (await server.call(revoked, 'GET', '/files')).status).not.toBe(200);
          answer.on('data', (more: Buffer) => (received += more.length));
          answer.resume();
        });
      });
      answer.on('close', resolve);
    });
    receiving.end();
  });
  await ended;
  expect(received, 'the download was cut').toBeLessThan(content.length);
  sending.cut();
  await sending.answer;
  expect(homeWith(server, 'secret.bin')).toBeUndefined();
});

test('a server that is killed during an upload leaves the file whole or absent', async ({ startServer }) => {
  const server = await startServer({ name: 'uploads-killed' });
  const content = randomBytes(8 << 20);
  for (let round = 0; round < 6; round += 1) {
    const name = `round-${round}.bin`;
    const { address } = await begin(server, 'admin', name, content.length);
    const cut = Math.floor((content.length * round) / 6);
    if (cut > 0) expect((await append(server, 'admin', address, 0, content.subarray(0, cut))).status).toBe(204);
    const last = append(server, 'admin', address, cut, content.subarray(cut)).then(({ status }) => status, () => 'cut');
    // In odd rounds the kill comes while the last part is on its way.
    if (round % 2 === 0) expect(await last).toBe(204);
    await server.kill();
    await last;
    await server.launch();
    await server.renewLogin('admin');
    const whole = homeWith(server, name) !== undefined;
    if (whole) expect(arrived(server, name).equals(content), name).toBe(true);
    if (round % 2 === 0) expect(whole, 'an answered upload is on the disk').toBe(true);
    expect((await server.call('admin', 'HEAD', address)).status, 'the page begins again').toBe(404);
  }
});
