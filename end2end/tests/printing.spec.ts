// Printing: a print of the application becomes a PDF that the tab offers. Judged by the file that arrives.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { expectConnected, expectPrompt, typeLine } from '../support/portal.ts';
import { homeFile, processesOf } from '../support/processes.ts';

test.use({ setup: { name: 'printing' } });

// The tab of an expired session loads its last page.
test.beforeEach(({ consoleErrors }) => consoleErrors.allow(/410 \(Gone\)/));

const HOST = 'This host';
const notice = (tab: Page): Locator => tab.getByRole('region', { name: 'Print' });

/** Prints from a terminal. The title of the print is the name of the file. */
async function print(tab: Page, name: string): Promise<void> {
  await typeLine(tab, `echo ${name} >${name} && lp ${name}`);
  await expect(notice(tab).getByRole('status')).toHaveText(`Your print is ready: ${name}.pdf`);
}

/** Saves the print with the link of the notice. */
async function save(tab: Page): Promise<Buffer> {
  const saving = tab.waitForEvent('download');
  await notice(tab).getByRole('link', { name: 'Save' }).press('Enter');
  return readFileSync(await (await saving).path());
}

test('a print of a terminal is a PDF that the tab opens and saves', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/Multiple readback operations/);
  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);
  await print(tab, 'notes');
  expect(await save(tab)).toEqual(readFileSync(homeFile(session.id, 'Printed/notes.pdf', 'xterm')));
  const address = await notice(tab).getByRole('link', { name: 'Open' }).getAttribute('href');
  const opened = await server.call('student', 'GET', address ?? '');
  expect(opened.headers['content-type']).toBe('application/pdf');
  expect(opened.headers['content-disposition']).toBe('inline');
  expect(opened.text.slice(0, 5)).toBe('%PDF-');
  // Only its user.
  expect((await server.call('admin', 'GET', address ?? '')).status).toBe(404);
  expect((await server.call(null, 'GET', address ?? '')).status).toBe(401);
  const { items } = (await server.call('admin', 'GET', '/api/v1/events?q=notes.pdf')).json as { items: { kind: string; who: string }[] };
  expect(items[0]).toMatchObject({ kind: 'file_transferred', who: 'student' });
  await notice(tab).getByRole('button', { name: 'Dismiss' }).click();
  await expect(notice(tab)).toHaveCount(0);
  await typeLine(tab, 'echo back >back');
  const back = homeFile(session.id, 'back', 'xterm');
  await expect.poll(() => existsSync(back), { message: 'the keyboard is the application’s again' }).toBe(true);
  await print(tab, 'again');
  await tab.setViewportSize({ width: 320, height: 640 });
  for (const control of [notice(tab).getByRole('link', { name: 'Save' }), notice(tab).getByRole('button', { name: 'Dismiss' })]) await expect(control).toBeInViewport({ ratio: 1 });
  await tab.close();
  await server.expire(session.id);
});

test('the print dialog of a desktop application prints', async ({ server, open }) => {
  await server.cli(['application', 'add', 'Letter', '--environment', HOST, '--', 'sh', '-c', 'echo Dear reader >letter.txt; exec mousepad --disable-server letter.txt']);
  const session = await server.launchAs('student', 'Letter');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectConnected(tab);
  await expect.poll(() => processesOf(session.id).some(({ command }) => command.startsWith('mousepad'))).toBe(true);
  const windows = tab.getByRole('list', { name: 'Windows' });
  await tab.keyboard.press('Control+Alt+Shift');
  await expect(windows.getByRole('listitem')).toHaveCount(1);
  await tab.keyboard.press('Escape');
  await tab.keyboard.press('Control+p');
  await tab.keyboard.press('Control+Alt+Shift');
  await expect(windows.getByRole('button', { name: 'Print', exact: true })).toBeVisible();
  await tab.keyboard.press('Escape');
  // Its default printer is the PDF printer, and its default button prints.
  await tab.keyboard.press('Alt+p');
  // The name is GTK’s.
  await expect(notice(tab).getByRole('status')).toHaveText(/^Your print is ready: .+\.pdf$/);
  expect(execFileSync('pdftotext', ['-', '-'], { input: await save(tab), encoding: 'utf8' })).toContain('Dear reader');
  await tab.close();
  await server.expire(session.id);
});

test('a print of a session whose files are deleted can be saved while it runs', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/404|410/);
  await server.cli(['environment', 'homes', HOST, 'scratch']);
  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);
  await print(tab, 'scratch');
  expect((await save(tab)).subarray(0, 5).toString()).toBe('%PDF-');
  const address = await notice(tab).getByRole('link', { name: 'Save' }).getAttribute('href');
  await server.expire(session.id);
  expect((await server.call('student', 'GET', address ?? '')).status).toBe(404);
  await server.cli(['environment', 'homes', HOST, 'kept']);
});

test('a policy that keeps files inside keeps prints inside', async ({ server, open }) => {
  await server.cli(['application', 'add', 'Exam', '--files', 'in', '--environment', HOST, '--', 'xterm']);
  const session = await server.launchAs('student', 'Exam');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);
  await typeLine(tab, 'echo x >exam && lp exam');
  await expect(notice(tab).getByRole('status')).toHaveText('Your print is ready: exam.pdf. It is in the folder Printed of this session.');
  await expect(notice(tab).getByRole('link')).toHaveCount(0);
  expect((await server.call('student', 'GET', `/sessions/${session.id}/prints/exam.pdf`)).status).toBe(403);
  await tab.close();
  await server.expire(session.id);
});

test('an application can report what it wants, and opens nothing else', async ({ server, open }) => {
  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);
  await typeLine(tab, 'rm -rf Printed; mkdir Printed; ln -s /etc/passwd Printed/users.pdf; for i in {1..20000}; do echo "printed users.pdf"; done 1<>/tmp/.cups/done');
  await expect(notice(tab).getByRole('status')).toHaveText('Your print is ready: users.pdf');
  for (const [name, status] of [
    ['users.pdf', 404],
    ['..%2f.bashrc', 422],
    ['..', 404],
    ['%00.pdf', 422],
    ['none.pdf', 404],
  ] as const) {
    expect((await server.call('student', 'GET', `/sessions/${session.id}/prints/${name}?show=1`)).status, name).toBe(status);
  }
  await typeLine(tab, 'rm -rf Printed; echo "<script>alert(1)</script>" >x; mkdir Printed; mv x Printed/page.html; cp Printed/page.html Printed/page.pdf');
  await expect.poll(() => existsSync(homeFile(session.id, 'Printed/page.pdf', 'xterm'))).toBe(true);
  const page = await server.call('student', 'GET', `/sessions/${session.id}/prints/page.html?show=1`);
  expect(page.headers['content-type']).toBe('application/octet-stream');
  const pdf = await server.call('student', 'GET', `/sessions/${session.id}/prints/page.pdf?show=1`);
  expect([pdf.headers['content-type'], pdf.headers['x-content-type-options']]).toEqual(['application/pdf', 'nosniff']);
  await tab.close();
  await server.expire(session.id);
});
