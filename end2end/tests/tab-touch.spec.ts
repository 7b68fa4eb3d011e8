// A session on a phone: typing with the on-screen keyboard, the bar of keys, and gestures. Judged by what the application
// receives.
import { existsSync, readFileSync } from 'node:fs';
import type { CDPSession, Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { expectPrompt, typeLine } from '../support/portal.ts';
import { processesOf } from '../support/processes.ts';
import type { Server } from '../support/server.ts';

test.use({ setup: { name: 'tab-touch' } });

const PHONE = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true };

/** A file in the home of a session. */
const content = (session: string, name: string) => {
  const pid = processesOf(session).find(({ command }) => command === 'xterm')?.pid;
  const file = `/proc/${pid}/root/home/user/${name}`;
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

/** Opens Terminal on a phone with a program that records its input. */
async function openRecorder(server: Server, open: (username: string, path: string, options: typeof PHONE) => Promise<Page>, record: string): Promise<[Page, string, CDPSession]> {
  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${session.id}`, PHONE);
  await expectPrompt(tab);
  await typeLine(tab, record);
  await expect.poll(() => processesOf(session.id).some(({ command }) => command === 'cat')).toBe(true);
  return [tab, session.id, await tab.context().newCDPSession(tab)];
}

const field = (tab: Page) => tab.getByRole('textbox', { name: 'Text for the application' });

test('text from the on-screen keyboard arrives, with composition and emoji', async ({ server, open }) => {
  const [tab, session, browser] = await openRecorder(server, open, 'stty -echo; cat >typed');
  await expect(field(tab), 'a phone has the field from the start').toBeVisible();
  await field(tab).tap();
  await expect(field(tab)).toBeFocused();
  await browser.send('Input.insertText', { text: 'hello ' });
  // An input method shows what it composes, and the application receives the result only.
  await browser.send('Input.imeSetComposition', { text: 'ni', selectionStart: 2, selectionEnd: 2 });
  await expect(field(tab)).toHaveValue('ni');
  await browser.send('Input.insertText', { text: '你好' });
  await expect(field(tab)).toHaveValue('');
  await browser.send('Input.insertText', { text: ' ß😀x' });
  await tab.keyboard.press('Backspace');
  await tab.keyboard.press('Enter');
  await expect.poll(() => content(session, 'typed')).toBe('hello 你好 ß😀\n');
  await tab.close();
  await server.expire(session);
});

test('the bar sends Ctrl, Alt, Esc, Tab and arrows, and keeps the keyboard open', async ({ server, open }) => {
  const [tab, session] = await openRecorder(server, open, 'stty raw -echo; cat >typed');
  await field(tab).tap();
  const bar = tab.getByRole('region', { name: 'Keyboard' });
  for (const name of ['Esc', 'Tab', 'Left', 'Up', 'Down', 'Right']) await bar.getByRole('button', { name }).tap();
  await bar.getByRole('button', { name: 'Ctrl' }).tap();
  await expect(bar.getByRole('button', { name: 'Ctrl' })).toHaveAttribute('aria-pressed', 'true');
  await tab.keyboard.insertText('d');
  await expect(bar.getByRole('button', { name: 'Ctrl' })).toHaveAttribute('aria-pressed', 'false');
  await bar.getByRole('button', { name: 'Alt' }).tap();
  await tab.keyboard.insertText('e');
  await tab.keyboard.insertText('f');
  await expect(field(tab)).toBeFocused();
  // xterm sets the eighth bit for Alt, which makes å of e.
  await expect.poll(() => content(session, 'typed')).toBe('\x1b\t\x1b[D\x1b[A\x1b[B\x1b[C\x04åf');
  await tab.close();
  await server.expire(session);
});

test('the bar has its own room, and the user hides it', async ({ server, open, consoleErrors }) => {
  // noVNC reads its picture back at each change of the size.
  consoleErrors.allow(/Multiple readback operations/);
  const [tab, session] = await openRecorder(server, open, 'cat >typed');
  const bar = tab.getByRole('region', { name: 'Keyboard' });
  const bottom = async () => {
    const picture = await tab.locator('#screen').boundingBox();
    return Math.round((picture?.y ?? 0) + (picture?.height ?? 0));
  };
  expect(await bottom()).toBe(Math.round((await bar.boundingBox())?.y ?? 0));
  const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBe(320);
  await tab.getByRole('button', { name: 'Session menu' }).tap();
  await tab.getByRole('checkbox', { name: 'Show a text field and keys at the bottom' }).uncheck();
  await expect(bar).toBeHidden();
  await expect.poll(bottom).toBe(640);
  await tab.reload();
  await expectPrompt(tab);
  await expect(bar).toBeHidden();
  await tab.close();
  await server.expire(session);
});

test('a pinch enlarges the picture, two fingers move it, and a tap still hits its place', async ({ server, open, consoleErrors }) => {
  // noVNC reads its picture back at each change of the size.
  consoleErrors.allow(/Multiple readback operations/);
  // The terminal reports the cell of each tap.
  const [tab, session, browser] = await openRecorder(server, open, String.raw`stty size >size; stty raw -echo; printf '\033[?1000h'; cat >typed`);
  await tab.getByRole('button', { name: 'Session menu' }).tap();
  await tab.getByRole('checkbox', { name: 'Show a text field and keys at the bottom' }).uncheck();
  await tab.getByRole('button', { name: 'Back to the session' }).tap();
  const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', ...points: [number, number][]) => {
    await browser.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    await tab.evaluate(() => new Promise((drawn) => requestAnimationFrame(drawn)));
  };
  const canvas = tab.locator('#screen canvas');
  const box = async () => (await canvas.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await expect.poll(async () => Math.round((await box()).height)).toBe(616);
  const before = await box();

  await touch('touchStart', [140, 300], [180, 300]);
  for (let apart = 20; apart <= 80; apart += 2) await touch('touchMove', [160 - apart, 300], [160 + apart, 300]);
  await touch('touchEnd');
  await expect.poll(async () => (await box()).width).toBeGreaterThan(before.width * 1.5);
  expect((await tab.locator('#screen').boundingBox())?.width, 'the tab itself does not zoom').toBe(before.width);

  const start = await box();
  await touch('touchStart', [140, 300], [180, 300]);
  for (let moved = 0; moved <= 60; moved += 2) await touch('touchMove', [140 + moved, 300], [180 + moved, 300]);
  await touch('touchEnd');
  await expect.poll(async () => (await box()).x).toBeGreaterThan(start.x);

  const now = await box();
  await tab.touchscreen.tap(200, 400);
  const [rows = 0, columns = 0] = content(session, 'size').split(' ').map(Number);
  // The terminal had the bar's height when it told its size, and keeps a margin of 6 pixels.
  const cell = { width: (320 - 12) / columns, height: (528 - 12) / rows };
  const reported = /\x1b\[M (.)(.)/;
  await expect.poll(() => reported.test(content(session, 'typed'))).toBe(true);
  const [, column = '', row = ''] = reported.exec(content(session, 'typed')) ?? [];
  const expected = [((200 - now.x) / now.width) * 320, ((400 - now.y) / now.height) * 616];
  expect(Math.abs((column.charCodeAt(0) - 32 - 0.5) * cell.width + 6 - (expected[0] ?? 0))).toBeLessThan(cell.width);
  expect(Math.abs((row.charCodeAt(0) - 32 - 0.5) * cell.height + 6 - (expected[1] ?? 0))).toBeLessThan(cell.height);
  await tab.close();
  await server.expire(session);
});
