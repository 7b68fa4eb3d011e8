// The keys of a session belong to its application. Judged by what the application receives.
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { difference, expectConnected, expectPrompt, picture, sessionIn, settled, typeLine } from '../support/portal.ts';
import { homeFile, processesOf } from '../support/processes.ts';
import type { Server } from '../support/server.ts';

test.use({ setup: { name: 'keys' } });

const MODIFIERS = ['Control', 'Alt', 'Shift', 'Meta'];
const KEYS = [
  ...Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ', (letter) => `Key${letter}`),
  ...Array.from('0123456789', (digit) => `Digit${digit}`),
  ...Array.from({ length: 12 }, (_, at) => `F${at + 1}`),
  'Tab',
  'Escape',
  'Space',
];
const COMBINATIONS = Array.from({ length: 2 ** MODIFIERS.length }, (_, bits) => MODIFIERS.filter((_, at) => bits & (2 ** at))).flatMap((held) =>
  KEYS.map((key) => [...held, key].join('+')),
);

/** Opens a new session of an application. */
async function openApplication(server: Server, open: (username: string, path: string) => Promise<Page>, application: string): Promise<Page> {
  const session = await server.launchAs('student', application);
  return open('student', `/sessions/${session.id}`);
}

const processList = (session: string) => processesOf(session).map(({ pid, command }) => `${pid} ${command}`);

test('every combination of keys reaches Terminal, and none ends or starts anything', async ({ server, open }) => {
  const tab = await openApplication(server, open, 'Terminal');
  await expectPrompt(tab);
  const session = sessionIn(tab);
  await typeLine(tab, 'stty raw -echo; cat >received');
  await expect.poll(() => processesOf(session).some(({ command }) => command === 'cat')).toBe(true);
  const before = processList(session);
  const received = homeFile(session, 'received', 'cat');

  // Terminal copies and pastes with these.
  const own = /^Control(\+Alt)?\+Shift(\+Meta)?\+Key[CV]$/;
  const missing: string[] = [];
  for (const combination of COMBINATIONS) {
    const { size } = statSync(received);
    await tab.keyboard.press(combination);
    if (own.test(combination)) continue;
    const grows = expect.poll(() => statSync(received).size, { timeout: 2000, intervals: [2, 5, 10, 50] }).toBeGreaterThan(size);
    await grows.catch(() => missing.push(combination));
  }
  expect(missing, 'combinations that Terminal did not receive').toEqual([]);
  expect(processList(session), 'the processes of the session').toEqual(before);
  expect((await server.session(session)).status).toBe('active');
  await tab.close();
  await server.expire(session);
});

for (const [part, combinations] of [
  ['without Super', COMBINATIONS.filter((combination) => !combination.includes('Meta'))],
  ['with Super', COMBINATIONS.filter((combination) => combination.includes('Meta'))],
] as const) {
  test(`no combination of keys ${part} ends Calculator or starts anything beside it`, async ({ server, open }) => {
    const tab = await openApplication(server, open, 'Calculator');
    await expectConnected(tab);
    const session = sessionIn(tab);
    await settled(tab);
    const before = processList(session);
    for (const combination of combinations) {
      // Calculator itself quits with these.
      if (/^Control(\+Shift)?(\+Meta)?\+KeyQ$/.test(combination)) continue;
      await tab.keyboard.press(combination);
      // Closes the menus and dialogs of Calculator.
      await tab.keyboard.press('Escape');
      await tab.keyboard.press('Escape');
    }
    const cleared = await settled(tab);
    await tab.keyboard.type('8888888');
    await expect.poll(async () => difference(await picture(tab), cleared), 'Calculator still computes').toBeGreaterThan(10);
    expect(processList(session), 'the processes of the session').toEqual(before);
    expect((await server.session(session)).status).toBe('active');
    await tab.close();
    await server.expire(session);
  });
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => String.fromCodePoint(from + at));
const ALPHABETS = {
  'Latin-1': range(0xa0, 0xff),
  'Latin Extended-A': range(0x100, 0x17f),
  Greek: [...range(0x391, 0x3a1), ...range(0x3a3, 0x3ce), ...'ΆΈΉΊΌΎΏΐ'],
  Cyrillic: [...range(0x400, 0x45f), 'Ґ', 'ґ'],
  Hebrew: range(0x5d0, 0x5ea),
  Arabic: [...range(0x621, 0x63a), ...range(0x640, 0x652), ...'پچژکگی،؛؟'],
  Armenian: [...range(0x531, 0x556), ...range(0x561, 0x587)],
  currencies: [...'€₴₽₪'],
  // Characters outside the map share the keycodes that it leaves empty.
  others: [...'漢字かなกขก'],
};

/** Presses a key of a national keyboard: the browser reports the character, and the position on a US keyboard. */
async function typeLetters(tab: Page, letters: string[]): Promise<void> {
  const browser = await tab.context().newCDPSession(tab);
  const shift = { key: 'Shift', code: 'ShiftLeft', windowsVirtualKeyCode: 16 };
  for (const [at, letter] of letters.entries()) {
    const upper = letter !== letter.toLowerCase();
    const position = 65 + (at % 26);
    const key = { key: letter, code: `Key${String.fromCharCode(position)}`, windowsVirtualKeyCode: position, modifiers: upper ? 8 : 0 };
    if (upper) await browser.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', modifiers: 8, ...shift });
    await browser.send('Input.dispatchKeyEvent', { type: 'keyDown', text: letter, ...key });
    await browser.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
    if (upper) await browser.send('Input.dispatchKeyEvent', { type: 'keyUp', modifiers: 0, ...shift });
  }
  await browser.detach();
}

test('Terminal receives every letter of every alphabet in one session', async ({ server, open }) => {
  const tab = await openApplication(server, open, 'Terminal');
  await expectPrompt(tab);
  const session = sessionIn(tab);
  await typeLine(tab, 'stty -echo; cat >typed');
  await expect.poll(() => processesOf(session).some(({ command }) => command === 'cat')).toBe(true);
  const typed = homeFile(session, 'typed', 'cat');
  const lines: string[] = [];
  for (const [alphabet, letters] of Object.entries(ALPHABETS)) {
    // The terminal passes on a line when it is complete.
    for (let at = 0; at < letters.length; at += 32) {
      const line = letters.slice(at, at + 32);
      await typeLetters(tab, line);
      await tab.keyboard.press('Enter');
      lines.push(line.join(''));
      await expect.poll(() => readFileSync(typed, 'utf8').split('\n').length, alphabet).toBe(lines.length + 1);
      expect(readFileSync(typed, 'utf8').split('\n').at(-2), alphabet).toBe(line.join(''));
    }
  }
  expect(readFileSync(typed, 'utf8')).toBe(`${lines.join('\n')}\n`);
  await tab.close();
  await server.expire(session);
});

test('the keyboard map is the output of its script', () => {
  const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const printed = execFileSync(process.execPath, [file('scripts/keymap')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  expect(readFileSync(file('crates/environment-local/src/keymap.xkb'), 'utf8')).toBe(printed);
});

test('held keys are released when the focus leaves the application and when the tab closes', async ({ server, open }) => {
  let tab = await openApplication(server, open, 'Terminal');
  await expectPrompt(tab);
  const session = sessionIn(tab);
  await typeLine(tab, 'stty raw -echo; cat >received');
  await expect.poll(() => processesOf(session).some(({ command }) => command === 'cat')).toBe(true);
  const received = homeFile(session, 'received', 'cat');

  // The menu takes the focus while its keys are held.
  await tab.keyboard.press('Control+Alt+Shift');
  await expect(tab.getByRole('button', { name: 'Back to the session' })).toBeFocused();
  await tab.keyboard.press('Escape');
  await tab.keyboard.type('a');
  await expect.poll(() => readFileSync(received, 'latin1')).toBe('a');

  // Another window takes the focus, as with Alt+Tab.
  await tab.keyboard.down('Control');
  await tab.keyboard.down('Shift');
  await tab.evaluate(() => window.dispatchEvent(new Event('blur')));
  await tab.keyboard.up('Shift');
  await tab.keyboard.up('Control');
  await tab.keyboard.type('b');
  await expect.poll(() => readFileSync(received, 'latin1')).toBe('ab');

  // The tab closes.
  await tab.keyboard.down('Control');
  await tab.keyboard.down('Alt');
  await tab.close();
  tab = await open('student', `/sessions/${session}`);
  await expectConnected(tab);
  await tab.keyboard.type('c');
  await expect.poll(() => readFileSync(received, 'latin1')).toBe('abc');
  await tab.close();
  await server.expire(session);
});
