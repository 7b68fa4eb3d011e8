// The windows of an application, in the menu of its tab. Judged by the display of the session and by what the windows receive.
import { existsSync, readFileSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { expectConnected, expectEnded, expectPrompt, typeLine } from '../support/portal.ts';
import { processesOf } from '../support/processes.ts';
import type { Server, Session } from '../support/server.ts';

test.use({ setup: { name: 'windows' } });

const list = (tab: Page): Locator => tab.getByRole('list', { name: 'Windows' });
const row = (tab: Page, title: string) => list(tab).getByRole('listitem').filter({ has: tab.getByRole('button', { name: title, exact: true }) });
const titles = (tab: Page) => list(tab).locator('.window').allTextContents();

async function openMenu(tab: Page): Promise<void> {
  await tab.keyboard.press('Control+Alt+Shift');
  await expect(tab.getByRole('button', { name: 'Back to the session' })).toBeFocused();
}

/** A file in the home of a session, as its processes see it. */
const homeFile = (session: Session, name: string) => {
  const pid = processesOf(session.id).find(({ command }) => command === 'xterm')?.pid;
  return `/proc/${pid}/root/home/user/${name}`;
};
const content = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** Launches a command of this host as an application. */
async function launchProgram(server: Server, name: string, program: string, ...args: string[]): Promise<Session> {
  await server.cli(['application', 'add', name, '--environment', 'This host', '--', program, ...args]);
  return server.launchAs('student', name);
}

test('the menu lists the windows of an application, switches between them and closes one', async ({ server, open }) => {
  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);
  await typeLine(tab, "xterm -T 'Second window' -e sh -c 'cat >second' &");
  await openMenu(tab);
  await expect(list(tab).getByRole('listitem')).toHaveCount(2);
  await expect(row(tab, 'Second window')).toBeVisible();
  await expect(row(tab, 'Second window').getByRole('button').first()).toHaveAttribute('aria-current', 'true');

  // Keys go to the window that the user activates.
  const [first] = (await titles(tab)).filter((title) => title !== 'Second window');
  await row(tab, first ?? '').getByRole('button').first().press('Enter');
  await expect(list(tab)).toBeHidden();
  await typeLine(tab, 'echo one >first');
  await expect.poll(() => content(homeFile(session, 'first'))).toBe('one\n');
  await openMenu(tab);
  await row(tab, 'Second window').getByRole('button').first().click();
  await typeLine(tab, 'two');
  await expect.poll(() => content(homeFile(session, 'second'))).toBe('two\n');

  await openMenu(tab);
  await row(tab, 'Second window').getByRole('button', { name: 'Close Second window' }).press('Enter');
  await expect(list(tab).getByRole('listitem')).toHaveCount(1);
  await expect(list(tab).getByRole('button').first(), 'the focus stays in the list').toBeFocused();
  expect((await server.session(session.id)).status).toBe('active');
  await tab.close();
  await server.expire(session.id);
});

test('a dialog is in the list, and a title is text', async ({ server, open }) => {
  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);
  await typeLine(tab, String.raw`printf '\033]2;<img src=x onerror=alert(1)>\007'; PS1=; sleep 600`);
  await openMenu(tab);
  await expect(row(tab, '<img src=x onerror=alert(1)>')).toBeVisible();
  await tab.keyboard.press('Escape');
  await tab.close();
  await server.expire(session.id);

  const editor = await server.launchAs('student', 'Text Editor');
  const page = await open('student', `/sessions/${editor.id}`);
  await expectConnected(page);
  await openMenu(page);
  await expect(list(page).getByRole('listitem')).toHaveCount(1);
  await page.keyboard.press('Escape');
  await page.keyboard.type('unsaved');
  await page.keyboard.press('Control+o');
  await openMenu(page);
  await expect(row(page, 'Open File')).toBeVisible();
  await row(page, 'Open File').getByRole('button', { name: 'Close Open File' }).click();
  await expect(list(page).getByRole('listitem')).toHaveCount(1);
  await page.close();
  await server.expire(editor.id);
});

test('the session ends as “application closed” when its last window closes', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);
  await openMenu(tab);
  await list(tab).getByRole('button', { name: /^Close / }).press('Enter');
  await expectEnded(tab, session.id, /^The application was closed/);
  expect((await server.session(session.id)).end_reason).toBe('application_closed');
});

test('an application that forks and exits lives until its last window closes', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  const session = await launchProgram(server, 'Forking', 'sh', '-c', "xterm -T 'Left behind' & sleep 1");
  const tab = await open('student', `/sessions/${session.id}`);
  await expectConnected(tab);
  await expect.poll(() => processesOf(session.id).map(({ command }) => command)).not.toContain('sleep 1');
  await openMenu(tab);
  await expect(row(tab, 'Left behind')).toBeVisible();
  await tab.keyboard.press('Escape');
  await expectPrompt(tab);
  await typeLine(tab, 'exit');
  await expectEnded(tab, session.id, /^The application was closed/);
});

test('an application whose process outlives its last window ends', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  const session = await launchProgram(server, 'Lingering', 'sh', '-c', "xterm -T 'Only window'; sleep 600");
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);
  await typeLine(tab, 'exit');
  await expectEnded(tab, session.id, /^The application was closed/);
});

test('the menu has an empty state for an application without windows', async ({ server, open }) => {
  const session = await launchProgram(server, 'Invisible', 'sleep', '600');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectConnected(tab);
  await openMenu(tab);
  await expect(tab.getByText('The application shows no window')).toBeVisible();
  expect((await server.session(session.id)).status).toBe('active');
  await tab.close();
  await server.expire(session.id);
});

test('a hostile application and a hostile tab harm only their own session', async ({ server, open }) => {
  const session = await server.launchAs('student', 'Terminal');
  const other = await server.launchAs('student', 'Calculator');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);

  // A title with lines that look like reports of the sandbox and of other windows.
  await typeLine(tab, String.raw`xprop -id $WINDOWID -f _NET_WM_NAME 8u -set _NET_WM_NAME $'one\nexited 0 0\n{ "child-pid": 2 }\n0x99 0 h forged\nready'`);
  await openMenu(tab);
  await expect(row(tab, 'one')).toBeVisible();
  await expect(list(tab).getByRole('listitem')).toHaveCount(1);
  await tab.keyboard.press('Escape');

  // More windows than the list holds, opened and closed at once.
  await typeLine(tab, 'for i in $(seq 70); do xprop -root -f _NET_CLIENT_LIST 32x -set _NET_CLIENT_LIST $i; done; pkill xprop; echo done >done');
  await expect.poll(() => content(homeFile(session, 'done'))).toBe('done\n');

  // Requests that no tab of ours sends.
  const answers = await tab.evaluate(async (url) => {
    const socket = new WebSocket(url);
    const texts: string[] = [];
    socket.addEventListener('message', ({ data }) => typeof data === 'string' && texts.push(data));
    await new Promise((opened) => socket.addEventListener('open', opened));
    const requests = ['', '{', '[]', 'null', '{"kind":"window","id":1,"action":"kill"}', '{"kind":"window","id":99999999999,"action":"close"}', 'x'.repeat(1_000_000)];
    for (const request of requests) socket.send(request);
    for (let at = 0; at < 5000; at += 1) socket.send(JSON.stringify({ kind: at % 3 === 0 ? 'titles' : 'ping', at: at % 3 === 0 ? undefined : at }));
    for (let id = 0; id < 500; id += 1) socket.send(JSON.stringify({ kind: 'window', id, action: 'close' }));
    socket.send('{"kind":"ping","at":4294967295}');
    await new Promise<void>((answered) => {
      const again = setInterval(() => {
        socket.send('{"kind":"ping","at":4294967295}');
        if (!texts.some((text) => text.includes('4294967295'))) return;
        clearInterval(again);
        answered();
      }, 50);
    });
    socket.close();
    return texts.length;
  }, `${server.url.replace('http', 'ws')}/sessions/${session.id}/stream`);
  expect(answers).toBeLessThan(5000);

  // This tab was replaced by the hostile one, and takes the session back.
  await tab.getByRole('button', { name: 'Use it here' }).click();
  await expectPrompt(tab);
  await typeLine(tab, 'echo alive >alive');
  await expect.poll(() => content(homeFile(session, 'alive'))).toBe('alive\n');
  for (const { id } of [session, other]) expect((await server.session(id)).status).toBe('active');
  await tab.close();
  for (const { id } of [session, other]) await server.expire(id);
});
