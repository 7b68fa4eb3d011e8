// Copy and paste between the user's device and an application, in a browser without any permission. Judged by the text that
// arrives: in a file of the session, or in a text box of another page.
import { readFileSync } from 'node:fs';
import type { BrowserContext, Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { expectConnected, expectPrompt, sessionIn, typeLine } from '../support/portal.ts';
import { homeFile, processesOf } from '../support/processes.ts';
import type { Server } from '../support/server.ts';

test.use({ setup: { name: 'clipboard' } });

const TEXT = 'Grüße, κόσμε, мир, שלום, 世界 🧪\n\tsecond line';
const MAX_BYTES = 1 << 20;

type Open = (username: string, path: string) => Promise<Page>;

/** Opens a text editor whose file is notes.txt in the home, with these directions of the clipboard. */
async function openNotes(server: Server, open: Open, clipboard: string): Promise<Page> {
  const name = `Notes ${clipboard}`;
  await server.cli(['application', 'add', name, '--clipboard', clipboard, '--', 'mousepad', '--disable-server', 'notes.txt']);
  const session = await server.launchAs('student', name);
  const tab = await open('student', `/sessions/${session.id}`);
  await expectConnected(tab);
  await expect.poll(() => processesOf(session.id).some(({ command }) => command.startsWith('mousepad'))).toBe(true);
  return tab;
}

/** The text of notes.txt after the editor has saved it. */
async function saved(tab: Page): Promise<string> {
  await tab.keyboard.press('Control+S');
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
  await page.getByRole('textbox').fill(text);
  await page.getByRole('textbox').press('Control+A');
  await page.getByRole('textbox').press('Control+C');
  await page.close();
  await tab.bringToFront();
  await tab.locator('canvas').focus();
}

/** The text that the user's device pastes. */
async function pasteElsewhere(tab: Page): Promise<string> {
  const page = await otherPage(tab.context());
  await page.getByRole('textbox').press('Control+V');
  const text = await page.getByRole('textbox').inputValue();
  await page.close();
  return text;
}

test('a text that was copied elsewhere is pasted with a key, exactly', async ({ server, open }) => {
  const tab = await openNotes(server, open, 'both');
  await copyElsewhere(tab, TEXT);
  await tab.keyboard.press('Control+V');
  expect(await saved(tab)).toBe(`${TEXT}\n`);
});
