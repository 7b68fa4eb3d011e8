// The page Files, as a person uses it and as an attacker does. Judged by the files on the disk.
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { homeFile, processesOf } from '../support/processes.ts';
import type { Server } from '../support/server.ts';

test.use({ setup: { name: 'files' } });

const HOST = 'This host';

let known: string | undefined;

/** The home of `student`, the first person who uses the page. */
function home(server: Server): string {
  known ??= readdirSync(join(server.dataDir, 'homes'))[0];
  if (known === undefined) throw new Error('the server keeps no home');
  return join(server.dataDir, 'homes', known);
}

const fileList = (page: Page) => page.getByRole('list', { name: 'Files' });
const file = (page: Page, name: string) => fileList(page).getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) });

async function choose(page: Page, ...files: { name: string; content: Buffer | string }[]): Promise<void> {
  const bytes = files.map(({ name, content }) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) }));
  await page.getByLabel('Upload files').setInputFiles(bytes);
}

/** Uploads files and waits for the end of all uploads, good or bad. */
async function upload(page: Page, ...files: { name: string; content: Buffer | string }[]): Promise<void> {
  await choose(page, ...files);
  await expect(page.getByRole('status')).toHaveText(/uploaded\.$/);
}

const uploads = (page: Page) => page.getByRole('list', { name: 'Uploads' }).getByRole('listitem');

/** The environment of the page, from the address of its first folder. */
async function environmentOf(page: Page): Promise<string> {
  const href = await page.getByRole('navigation', { name: 'Folder' }).getByRole('link', { name: 'Home' }).getAttribute('href');
  return new URL(href ?? '', page.url()).searchParams.get('environment') ?? '';
}

test('a person uploads, downloads, renames and deletes files, and a session has them', async ({ server, open }) => {
  const page = await open('student', '/');
  await page.getByRole('link', { name: 'Files', exact: true }).click();
  await expect(page.getByText('This folder is empty.')).toBeVisible();
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256));
  await upload(page, { name: 'data.bin', content }, { name: 'Grüße & <b>.txt', content: 'hello' });
  await expect(file(page, 'data.bin')).toContainText('292 KiB');
  await expect(file(page, 'Grüße & <b>.txt')).toBeVisible();
  expect(readFileSync(join(home(server), 'data.bin')).equals(content)).toBe(true);

  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'data.bin' }).click();
  expect(readFileSync(await (await download).path()).equals(content)).toBe(true);

  // A file is never replaced.
  await upload(page, { name: 'data.bin', content: 'other' });
  await expect(fileList(page).getByRole('listitem')).toHaveCount(3);
  expect(readFileSync(join(home(server), 'data.bin')).equals(content)).toBe(true);

  const session = await server.launchAs('student', 'Calculator');
  await expect.poll(() => processesOf(session.id).some(({ command }) => command.startsWith('galculator'))).toBe(true);
  expect(readFileSync(homeFile(session.id, 'data.bin', 'galculator')).equals(content)).toBe(true);
  await server.expire(session.id);

  await page.getByText('New folder').click();
  await page.getByLabel('Name', { exact: true }).fill('Results');
  await page.getByRole('button', { name: 'Make folder' }).click();
  await page.getByRole('link', { name: 'Results/' }).click();
  await expect(page.getByText('This folder is empty.')).toBeVisible();
  await page.getByRole('link', { name: 'Home' }).click();

  await file(page, 'data.bin').getByText('Rename or delete').click();
  await file(page, 'data.bin').getByLabel('New name').fill('Grüße & <b>.txt');
  await file(page, 'data.bin').getByRole('button', { name: 'Rename' }).click();
  await expect(page.getByRole('alert')).toHaveText('Something with this name exists already. Choose another name.');
  await file(page, 'data.bin').getByText('Rename or delete').click();
  await file(page, 'data.bin').getByRole('button', { name: 'Delete data.bin' }).click();
  await expect(file(page, 'data.bin')).toHaveCount(0);
  expect(existsSync(join(home(server), 'data.bin'))).toBe(false);

  const { items } = (await server.call('admin', 'GET', '/api/v1/events?q=data.bin')).json as { items: { what: string; who: string }[] };
  expect(items.map(({ who }) => who)).toEqual(['student', 'student', 'student']);
  expect(items.map(({ what }) => what).join('\n')).toMatch(/downloaded[^]*uploaded/i);
});

test('no path and no planted link leads out of the home, and nobody reaches the files of others', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/4\d\d \(/);
  const page = await open('student', '/files');
  await upload(page, { name: 'mine.txt', content: 'mine' });
  symlinkSync('/etc/passwd', join(home(server), 'passwords'));
  symlinkSync('/', join(home(server), 'everything'));
  mkdirSync(join(home(server), 'sub'));
  symlinkSync('..', join(home(server), 'sub', 'loop'));
  await page.reload();
  await expect(file(page, 'passwords')).toContainText('a link or device, which can’t be downloaded');
  const environment = await environmentOf(page);
  const get = (username: string | null, path: string) =>
    server.call(username, 'GET', `/files/download?environment=${environment}&path=${encodeURIComponent(path)}`);
  for (const path of ['passwords', 'everything/etc/passwd', 'sub/loop/mine.txt', '../mine.txt', '/etc/passwd', 'sub/../mine.txt', '.', '', 'sub', '.cloud-delivery/x']) {
    const answer = await get('student', path);
    expect(answer.status, path).toBeGreaterThanOrEqual(400);
    expect(answer.status, path).toBeLessThan(500);
    expect(answer.text, path).not.toContain('root:');
  }
  expect((await get('student', 'mine.txt')).text).toBe('mine');
  expect((await get('admin', 'mine.txt')).status, 'an administrator has files of their own only').toBe(404);
  expect((await get(null, 'mine.txt')).status).toBeGreaterThanOrEqual(300);
  const other = await server.person('other', 'user');
  expect((await get(other, 'mine.txt')).status).toBe(404);
});

test('an upload above the limit is refused with the reason, and leaves nothing', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/413 \(/);
  await server.cli(['environment', 'homes', HOST, 'kept', '--limit-mib', '1']);
  const page = await open('student', '/files');
  await expect(page.getByText(/^Your files use .* of 1 MiB\.$/)).toBeVisible();
  const before = readdirSync(home(server));
  await upload(page, { name: 'large.bin', content: Buffer.alloc(2 << 20, 1) });
  await expect(uploads(page)).toContainText(['Nothing of it was stored.']);
  await page.getByRole('button', { name: 'Dismiss large.bin' }).click();
  await expect(file(page, 'large.bin')).toHaveCount(0);
  expect(readdirSync(home(server))).toEqual(before);
  expect(readdirSync(join(home(server), '.cloud-delivery'))).toEqual([]);
  // A full home can be emptied, and filled again.
  writeFileSync(join(home(server), 'filler'), Buffer.alloc(1 << 20, 1));
  await upload(page, { name: 'small.txt', content: 'small' });
  await expect(uploads(page)).toContainText(['Nothing of it was stored.']);
  await page.reload();
  await file(page, 'filler').getByText('Rename or delete').click();
  await file(page, 'filler').getByRole('button', { name: 'Delete filler' }).click();
  await upload(page, { name: 'small.txt', content: 'small' });
  await expect(file(page, 'small.txt')).toBeVisible();
  await server.cli(['environment', 'homes', HOST, 'kept', '--limit-mib', '2048']);
});

test('a folder is downloaded as a zip file, without the links in it', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/404 \(/);
  const page = await open(await server.person('archivist', 'user'), '/files');
  await expect(page.getByRole('link', { name: 'Download this folder' }), 'nothing to download').toHaveCount(0);
  await page.getByText('New folder').click();
  await page.getByLabel('Name', { exact: true }).fill('Thesis');
  await page.getByRole('button', { name: 'Make folder' }).click();
  await page.getByRole('link', { name: 'Thesis/' }).click();
  await upload(page, { name: 'table.csv', content: 'a,b\n1,2\n' });
  const homes = join(server.dataDir, 'homes');
  const own = readdirSync(homes).map((name) => join(homes, name)).find((folder) => existsSync(join(folder, 'Thesis'))) ?? '';
  symlinkSync('..', join(own, 'Thesis', 'loop'));
  symlinkSync('/etc/passwd', join(own, 'Thesis', 'passwords'));
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download this folder as a zip file' }).click();
  expect((await download).suggestedFilename()).toBe('Thesis.zip');
  const archive = readFileSync(await (await download).path()).toString('latin1');
  expect(archive.slice(0, 2)).toBe('PK');
  expect(archive.match(/table\.csv/g)?.length, 'in the file’s own header and in the directory').toBe(2);
  expect(archive).not.toMatch(/loop|passwords|root:/);
  const { items } = (await server.call('admin', 'GET', '/api/v1/events?q=Thesis')).json as { items: { what: string }[] };
  expect(items.map(({ what }) => what).join('\n')).toMatch(/downloaded/i);
  const environment = await environmentOf(page);
  expect((await server.call('archivist', 'GET', `/files/archive?environment=${environment}&path=../..`)).status).toBe(422);
  expect((await server.call('student', 'GET', `/files/archive?environment=${environment}&path=Thesis`)).status).not.toBe(200);
});

test('an application restricts the transfers of its user while it runs', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/403 \(/);
  await server.cli(['application', 'add', 'Exam', '--files', 'in', '--', 'galculator']);
  const page = await open(await server.person('examinee', 'user'), '/files');
  await upload(page, { name: 'notes.txt', content: 'notes' });
  const link = file(page, 'notes.txt').getByRole('link', { name: 'notes.txt' });
  await expect(link).toBeVisible();
  const address = (await link.getAttribute('href')) ?? '';
  const session = await server.launchAs('examinee', 'Exam');
  await page.reload();
  await expect(page.getByText('While Exam runs, downloads are off.')).toBeVisible();
  await expect(link).toHaveCount(0);
  expect((await server.call('examinee', 'GET', address)).status, 'a page from before the launch').toBe(403);
  await upload(page, { name: 'more.txt', content: 'more' });
  await expect(file(page, 'more.txt')).toBeVisible();
  await server.expire(session.id);
  await page.reload();
  await expect(link).toBeVisible();
  expect((await server.call('examinee', 'GET', address)).text).toBe('notes');
});

test('the page works without JavaScript and at 320 px', async ({ open }) => {
  const page = await open('student', '/files', { javaScriptEnabled: false, viewport: { width: 320, height: 640 } });
  await choose(page, { name: 'a-name-that-is-long-enough-to-need-more-than-one-line-on-a-phone.txt', content: 'x' });
  await page.getByRole('button', { name: 'Upload', exact: true }).click();
  await expect(file(page, 'a-name-that-is-long-enough-to-need-more-than-one-line-on-a-phone.txt')).toBeVisible();
  const main = await page.getByRole('main').boundingBox();
  expect((main?.x ?? 0) + (main?.width ?? 0)).toBeLessThanOrEqual(320);
});
