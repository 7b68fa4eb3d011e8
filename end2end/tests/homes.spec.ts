// Files of people: kept for later sessions, or deleted with each session. Judged by the files on the disk.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, waitForHydration } from '../support/test.ts';
import { expectConnected, expectPrompt, typeLine } from '../support/portal.ts';
import type { Server } from '../support/server.ts';

test.use({ setup: { name: 'homes' } });

// The tab of an expired session loads its last page.
test.beforeEach(({ consoleErrors }) => consoleErrors.allow(/410 \(Gone\)/));

const HOST = 'This host';
const WARNING = /^Your files use /;

/** The only home that the server keeps so far: that of `student`. */
function home(server: Server): string {
  const [only] = readdirSync(join(server.dataDir, 'homes'));
  if (only === undefined) throw new Error('the server keeps no home');
  return join(server.dataDir, 'homes', only);
}

const sum = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

async function setHomes(server: Server, kind: string, ...limit: string[]): Promise<void> {
  await server.cli(['environment', 'homes', HOST, kind, ...limit]);
}

test('a file that was saved in one session is there in the next, byte for byte', async ({ server, open }) => {
  const first = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${first.id}`);
  await expectPrompt(tab);
  await typeLine(tab, 'head -c 2000000 /dev/urandom >notes.bin; sync; touch saved');
  await expect.poll(() => readdirSync(home(server)).includes('saved')).toBe(true);
  const before = sum(join(home(server), 'notes.bin'));
  await tab.close();
  await server.expire(first.id);
  // The next server finds the same home.
  await server.kill();
  await server.launch();
  const second = await server.launchAs('student', 'Terminal');
  const again = await open('student', `/sessions/${second.id}`);
  await expectPrompt(again);
  await typeLine(again, 'sha256sum <notes.bin >sum');
  await expect.poll(() => readdirSync(home(server)).includes('sum') && readFileSync(join(home(server), 'sum'), 'utf8')).toBe(`${before}  -\n`);
  await again.close();
  await server.expire(second.id);
});

test('a nearly full home warns in the tab, and a full one refuses the next launch', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/409 \(Conflict\)/);
  await setHomes(server, 'kept', '--limit-mib', '100');
  const session = await server.launchAs('student', 'Calculator');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectConnected(tab);
  const file = join(home(server), 'large');
  writeFileSync(file, Buffer.alloc(95 << 20));
  const warning = tab.getByRole('region', { name: 'Storage' });
  await expect(warning.getByRole('status')).toHaveText(WARNING, { timeout: 30_000 });
  await warning.getByRole('button', { name: 'Dismiss' }).click();
  await expect(warning).toHaveCount(0);
  writeFileSync(file, Buffer.alloc(101 << 20));
  await expect(warning.getByRole('status')).toHaveText(/^Your files have reached their limit of 100 MiB\./, { timeout: 30_000 });

  const apps = await open('student', '/');
  await waitForHydration(apps);
  const card = apps.getByRole('article', { name: 'Terminal' });
  const opened = apps.context().waitForEvent('page');
  await card.getByRole('button', { name: 'Launch' }).click();
  const refused = await opened;
  await expect(refused.getByRole('heading', { name: 'Couldn’t launch' })).toBeVisible();
  await expect(refused.getByText('Your files have reached their size limit.')).toBeVisible();
  const { items } = (await server.call('admin', 'GET', '/api/v1/events?q=size+limit')).json as { items: { kind: string; who: string }[] };
  expect(items[0]).toMatchObject({ kind: 'launch_refused', who: 'student' });
  truncateSync(file, 0);
  await expect(warning).toHaveCount(0, { timeout: 30_000 });
  const next = await server.launchAs('student', 'Terminal');
  await server.expire(next.id);
  await tab.close();
  await server.expire(session.id);
});

test('where files are deleted, everything says so before it matters', async ({ server, open }) => {
  await setHomes(server, 'kept', '--limit-mib', '100');
  const kept = await server.launchAs('student', 'Text Editor');
  const admin = await open('admin', '/admin/cloud-delivery/environments');
  await waitForHydration(admin);
  await expect(admin.getByText('Files: Kept, at most 100 MiB a person')).toBeVisible();
  await admin.getByRole('button', { name: `Files of ${HOST}` }).click();
  const form = admin.getByRole('dialog', { name: `Files in ${HOST}` });
  await form.getByLabel('Limit of each person in MiB').fill('none');
  await form.getByRole('button', { name: 'Save' }).click();
  await expect(form.getByText('A whole number from 1 to 4294967295')).toBeVisible();
  await form.getByLabel('Limit of each person in MiB').fill('');
  await form.getByLabel('Files of a session').selectOption('Delete them when the session ends');
  await form.getByRole('button', { name: 'Save' }).click();
  await expect(form).toBeHidden();
  await expect(admin.getByText('Files: Deleted with the session')).toBeVisible();
  const { items } = (await server.call('admin', 'GET', '/api/v1/events?q=homes')).json as { items: { what: string }[] };
  expect(items[0]?.what).toBe('Homes of environment This host changed by admin: Deleted with the session');

  const apps = await open('student', '/');
  await waitForHydration(apps);
  const note = 'When the session ends, its files are deleted.';
  await expect(apps.getByRole('article', { name: 'Calculator' }).getByText(note)).toBeVisible();
  await expect(apps.getByRole('article', { name: 'Text Editor' }).getByText('When the session ends, saved files stay and unsaved work is lost.'), 'its session has a kept home').toBeVisible();
  await apps.getByRole('article', { name: 'Text Editor' }).getByRole('button', { name: 'End session' }).click();
  await expect(apps.getByRole('dialog')).toContainText('Unsaved work is lost. Saved files stay.');
  await apps.getByRole('button', { name: 'Cancel' }).click();
  await server.expire(kept.id);

  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);
  await typeLine(tab, 'ls -A ~/notes.bin || exit');
  const ended = await open('student', `/sessions/${session.id}`);
  await expect(ended.getByRole('heading', { name: 'Your session has ended' }), 'the kept file is not there').toBeVisible();

  const second = await server.launchAs('student', 'Calculator');
  const calculator = await open('student', `/sessions/${second.id}`);
  await expectConnected(calculator);
  await calculator.getByRole('button', { name: 'Session menu' }).click();
  const menu = calculator.getByRole('region', { name: 'Session menu' });
  await expect(menu.getByText('Files that you save here are deleted when the session ends.')).toBeVisible();
  await menu.getByRole('button', { name: 'End session…' }).click();
  await expect(calculator.getByRole('dialog')).toContainText('Its files are deleted, and unsaved work is lost.');
  await calculator.getByRole('button', { name: 'End session and delete files' }).click();
  await expect(calculator.getByRole('heading', { name: 'Your session has ended' })).toBeVisible();
});

test('the API changes homes under the same rules', async ({ server }) => {
  const list = (await server.call('admin', 'GET', '/api/v1/environments')).json as { items: { id: string; name: string; homes: object | null }[] };
  const host = list.items.find(({ name }) => name === HOST);
  const path = `/api/v1/environments/${host?.id}/homes`;
  const homes = { kind: 'kept', limit_mib: 4096 };
  expect((await server.call('student', 'PUT', path, { json: homes })).status).toBe(403);
  expect((await server.call('admin', 'PUT', path, { json: { kind: 'kept', limit_mib: 0 } })).status).toBe(422);
  const answer = await server.call('admin', 'PUT', path, { json: homes });
  expect([answer.status, answer.json]).toEqual([200, expect.objectContaining({ id: host?.id, homes })]);
});
