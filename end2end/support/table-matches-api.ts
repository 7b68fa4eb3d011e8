// Is what the table shows what the API says?
import { expect, type Page } from '@playwright/test';
import type { Server } from './server.ts';
import { table } from './sessions.ts';
import type { RandomActions } from './random-actions.ts';

/** What is compared. Session ID must be among the columns. */
interface List {
  /** Of the log; null where the page does not say. */
  revision: number | null;
  /** Another list is on the way. */
  busy: boolean;
  search: string;
  text: string;
}

/** Most time that a page may need to show a state that was also asked for. */
const PATIENCE_MS = 10_000;

/** Waits until the page shows a state that the API has told as well, and compares the two. */
export async function expectTableMatchesApi(page: Page, server: Server, actions: RandomActions, what: string): Promise<void> {
  if ((await onPage(page)).revision === null) return pauseAndExpectMatch(page, server, actions, what);
  const told = new Map<string, string>();
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await onPage(page);
    // A state lasts some milliseconds: what was asked for just now may be what the page shows in a moment.
    const lists = [await inApi(server, seen.search), await inApi(server, seen.search)];
    for (const list of lists) told.set(`${list.revision} ${list.search}`, list.text);
    const list = told.get(`${seen.revision} ${seen.search}`);
    if (list !== undefined && !seen.busy) {
      expect(seen.text, `${what}, revision ${seen.revision} of “${seen.search}”`).toBe(list);
      return;
    }
    const news = { page: seen.revision, busy: seen.busy, api: lists.map(({ revision }) => revision) };
    expect(Date.now(), `${what}: no state was seen on both sides, ${JSON.stringify(news)}`).toBeLessThan(deadline);
  }
}

/** The same for a page that does not say which revision it shows: the changes pause until the two are equal. */
async function pauseAndExpectMatch(page: Page, server: Server, actions: RandomActions, what: string): Promise<void> {
  await actions.pause();
  await expectTableMatchesApiAtRest(page, server, what);
  actions.start();
}

/** Nothing changes any more, and soon the page shows just that. */
export async function expectTableMatchesApiAtRest(page: Page, server: Server, what: string): Promise<void> {
  await expect(async () => {
    const before = await onPage(page);
    const list = await inApi(server, before.search);
    const seen = await onPage(page);
    expect(seen, 'it is still on its way').toEqual(before);
    expect(seen.text, `${what}, “${seen.search}”`).toBe(list.text);
    expect(seen.busy).toBe(false);
  }).toPass({ timeout: PATIENCE_MS, intervals: [50] });
}

function onPage(page: Page): Promise<List> {
  return table(page).evaluate((table) => {
    const text = (row: Element, header: string) => row.querySelector(`[data-label="${header}"]`)?.textContent?.trim() ?? '';
    const rows = [...table.querySelectorAll('tbody tr')].map((row) => {
      const id = row.querySelector('[data-label="Session ID"] code')?.textContent;
      // In an Error row the reason stands below the word.
      const status = /^(Pending|Active|Expired|Error)/.exec(text(row, 'Status'))?.[0].toLowerCase();
      return `${id} ${status} ${text(row, 'Connected')} ${text(row, 'Username')}`;
    });
    const count = [...document.querySelectorAll('[role=status]')].map(({ textContent }) => textContent ?? '');
    const revision = table.getAttribute('data-revision');
    return {
      revision: revision === null ? null : Number(revision),
      busy: table.getAttribute('aria-busy') === 'true',
      search: location.search,
      text: [count.find((text) => / of [\d,]+ sessions?$/.test(text)), ...rows].join('\n'),
    };
  });
}

async function inApi(server: Server, search: string): Promise<List> {
  const list = await server.list(search);
  const rows = list.items.map(({ id, status, connected, username }) => `${id} ${status} ${connected ? 'Yes' : 'No'} ${username}`);
  return { revision: list.revision, busy: false, search, text: [`${list.total} of ${list.all} sessions`, ...rows].join('\n') };
}
