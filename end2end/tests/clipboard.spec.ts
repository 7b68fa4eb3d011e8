// Copy and paste between the user's device and an application, in a browser without any permission. Judged by the text that
// arrives: in a file of the session, or in a text box of another page.
import { readFileSync } from 'node:fs';
import type { BrowserContext, Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { expectConnected, sessionIn, settled } from '../support/portal.ts';
import { APPLICATIONS } from '../support/catalogue.ts';
import { homeFile, processesOf } from '../support/processes.ts';
import type { Server } from '../support/server.ts';

test.use({ setup: { name: 'clipboard' } });

const TEXT = 'Grüße, κόσμε, мир, שלום, 世界 🧪\n\tsecond line';
const MAX_BYTES = 1 << 20;

let editors = 0;
type Open = (username: string, path: string) => Promise<Page>;

/** Opens a text editor whose file is notes.txt in the home, with these directions of the clipboard. */
async function openNotes(server: Server, open: Open, clipboard: string): Promise<Page> {
  const name = `Notes ${++editors}`;
  await server.cli(['application', 'add', name, '--clipboard', clipboard, '--', 'sh', '-c', 'rm -f notes.txt; touch notes.txt; exec mousepad --disable-server notes.txt']);
  const session = await server.launchAs('student', name);
  const tab = await open('student', `/sessions/${session.id}`);
  await expectConnected(tab);
  await expect.poll(() => processesOf(session.id).some(({ command }) => command.startsWith('mousepad'))).toBe(true);
  await settled(tab);
  return tab;
}

/** The text of notes.txt after the editor has saved it. */
async function saved(tab: Page): Promise<string> {
  await tab.keyboard.press('Control+s');
  const file = homeFile(sessionIn(tab), 'notes.txt', 'mousepad');
  let text = '';
  await expect.poll(() => (text = readIfPresent(file))).not.toBe('');
  return text;
}

function readIfPresent(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Another page of the same browser, with a text box. */
async function otherPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.setContent('<textarea aria-label="Elsewhere"></textarea>');
  return page;
}

/** Copies a text in another program of the user's device. */
async function copyElsewhere(tab: Page, text: string): Promise<void> {
  const page = await otherPage(tab.context());
  // Typing a long text takes minutes.
  await page.getByRole('textbox').evaluate((box: HTMLTextAreaElement, value) => {
    box.value = value;
    box.select();
  }, text);
  await page.getByRole('textbox').press('Control+c');
  await page.close();
  await tab.bringToFront();
  await tab.locator('canvas').focus();
}

/** The text that the user's device pastes. */
async function pasteElsewhere(tab: Page): Promise<string> {
  const page = await otherPage(tab.context());
  await page.getByRole('textbox').press('Control+v');
  const text = await page.getByRole('textbox').inputValue();
  await page.close();
  return text;
}

/** Copies all text of the editor with the editor’s own keys. */
async function copyAll(tab: Page): Promise<void> {
  await tab.keyboard.press('Control+a');
  await tab.keyboard.press('Control+c');
}

/** Opens the tab with a page that ignores the policy, as a hostile user’s would. */
async function hostilePage(tab: Page): Promise<void> {
  await tab.route('**/tab/clipboard.js', async (route) => {
    const response = await route.fetch();
    const script = await response.text();
    expect(script).toContain('policy = clipboard;');
    await route.fulfill({ response, body: script.replace('policy = clipboard;', "policy = 'both';") });
  });
  await tab.reload();
  await expectConnected(tab);
  await settled(tab);
}

const toast = (tab: Page) => tab.locator('#toast');
const menu = (tab: Page) => tab.getByRole('region', { name: 'Session menu' });

test('a text that was copied elsewhere is pasted with a key, and copied back, exactly', async ({ server, open }) => {
  const tab = await openNotes(server, open, 'both');
  await copyElsewhere(tab, TEXT);
  await tab.keyboard.press('Control+v');
  expect(await saved(tab)).toBe(TEXT);

  await copyElsewhere(tab, 'something else');
  await copyAll(tab);
  await expect.poll(() => pasteElsewhere(tab)).toBe(TEXT);
  await expect(toast(tab), 'what worked needs no message').toBeEmpty();

  // Without the permission, as over plain HTTP, the copy is a part of the user’s key.
  const browser = await tab.context().newCDPSession(tab);
  await browser.send('Browser.setPermission', { permission: { name: 'clipboard-write' }, setting: 'denied' });
  await copyElsewhere(tab, 'something else');
  await copyAll(tab);
  await expect.poll(() => pasteElsewhere(tab)).toBe(TEXT);
});

test('a text of 1 MB is pasted exactly, and a longer one is refused with the reason', async ({ server, open }) => {
  const tab = await openNotes(server, open, 'both');
  const line = 'Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich: «θέλω» 😀\n';
  const lines = line.repeat(Math.floor(MAX_BYTES / Buffer.byteLength(line)));
  const longest = lines + 'x'.repeat(MAX_BYTES - Buffer.byteLength(lines));
  await copyElsewhere(tab, `${longest}x`);
  await tab.keyboard.press('Control+v');
  await expect(toast(tab)).toHaveText('The text is larger than 1 MB, so it was not copied. Use a file.');

  await copyElsewhere(tab, longest);
  await tab.keyboard.press('Control+v');
  await settled(tab);
  expect(await saved(tab), 'nothing of the longer text arrived').toBe(longest);
});

test('the application’s own text stays the newer one until the user leaves the tab', async ({ server, open }) => {
  const tab = await openNotes(server, open, 'in');
  await copyElsewhere(tab, 'from elsewhere ');
  await tab.keyboard.type('inside ');
  await copyAll(tab);
  await expect(toast(tab)).toHaveText('Copied inside the application only: copying out of it is off.');
  expect(await pasteElsewhere(tab)).toBe('from elsewhere ');

  const again = await openNotes(server, open, 'off');
  await again.keyboard.type('inside ');
  await copyAll(again);
  await expect(toast(again)).toHaveText('Copied inside the application only: copying out of it is off.');
  await again.keyboard.press('End');
  await again.keyboard.press('Control+v');
  expect(await saved(again)).toBe('inside inside ');
});

for (const [policy, pastes, copies] of [
  ['in', true, false],
  ['out', false, true],
  ['off', false, false],
] as const) {
  test(`the relay enforces the clipboard’s policy “${policy}” against a hostile page`, async ({ server, open }) => {
    const tab = await openNotes(server, open, policy);
    await hostilePage(tab);
    await copyElsewhere(tab, 'pasted ');
    await tab.keyboard.press('Control+v');
    await tab.keyboard.type('typed');
    expect(await saved(tab)).toBe(pastes ? 'pasted typed' : 'typed');

    await copyElsewhere(tab, 'before');
    await copyAll(tab);
    if (copies) {
      await expect.poll(() => pasteElsewhere(tab)).toBe(pastes ? 'pasted typed' : 'typed');
    } else {
      await expect(toast(tab)).toHaveText('Copied inside the application only: copying out of it is off.');
      expect(await pasteElsewhere(tab)).toBe('before');
    }
  });
}

test('the menu transfers the clipboard with the keyboard alone', async ({ server, open }) => {
  const tab = await openNotes(server, open, 'both');
  await tab.keyboard.type('first');
  await copyAll(tab);
  await tab.keyboard.press('Control+Alt+Shift');
  const text = menu(tab).getByRole('textbox', { name: 'Text of the clipboard' });
  await expect(text).toHaveValue('first');
  await text.press('Control+a');
  await tab.keyboard.type('second');
  await menu(tab).getByRole('button', { name: 'Send to the application' }).press('Enter');
  await expect(menu(tab).getByText('Sent. Now paste in the application.')).toBeVisible();
  await tab.keyboard.press('Escape');
  await tab.keyboard.press('Shift+Insert');
  expect(await saved(tab)).toBe('second');
});

test('the menu names the directions that are off, and offers only the others', async ({ server, open }) => {
  for (const [policy, rule, buttons] of [
    ['in', 'Copying out of this application is off.', ['Send to the application', 'Paste from this device']],
    ['out', 'Pasting into this application is off.', ['Copy to this device']],
    ['off', 'The clipboard of this application is off.', []],
  ] as const) {
    const tab = await openNotes(server, open, policy);
    await tab.keyboard.press('Control+Alt+Shift');
    await expect(menu(tab).getByText(rule)).toBeVisible();
    const offered = await menu(tab).getByRole('button', { name: /application$|device$/ }).allTextContents();
    expect(offered.map((label) => label.trim())).toEqual(buttons);
  }
});

test('an administrator chooses the directions of the clipboard in the form', async ({ server, open }) => {
  await server.cli(['application', 'add', 'Exam', '--clipboard', 'out', '--', 'mousepad']);
  const page = await open('admin', APPLICATIONS);
  const edit = () => page.getByRole('link', { name: 'Edit Exam', exact: true }).click();
  await edit();
  const field = page.getByLabel('Clipboard', { exact: true });
  await expect(field).toHaveValue('out');
  await field.selectOption('Off');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText('Exam has been saved.')).toBeVisible();
  await edit();
  await expect(field).toHaveValue('off');
});
