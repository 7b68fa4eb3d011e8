// Compares the rows of the table with the rows of the API.
import { expect, type Page } from '@playwright/test';
import { EXPECT_LIMIT_MS } from './limits.ts';
import type { RandomActions } from './random-actions.ts';
import type { Server } from './server.ts';
import { table } from './sessions.ts';

/** A list in a form that both sides share. The table must show the column Session ID. */
interface List {
  /** The revision of the event log; null if the page does not give it. */
  revision: number | null;
  /** The page is loading another list. */
  busy: boolean;
  search: string;
  text: string;
}

/** Waits until the page shows a revision that the API has returned too, and compares the two lists. */
export async function expectTableMatchesApi(page: Page, server: Server, actions: RandomActions, step: string): Promise<void> {
  if ((await onPage(page)).revision === null) return pauseAndExpectMatch(page, server, actions, step);
  const returned = new Map<string, string>();
  const deadline = Date.now() + EXPECT_LIMIT_MS;
  for (;;) {
    const shown = await onPage(page);
    // A revision lasts a few milliseconds. The page may show the API’s last revision only a moment later, so keep all
    // of them.
    const lists = [await inApi(server, shown.search), await inApi(server, shown.search)];
    for (const list of lists) returned.set(`${list.revision} ${list.search}`, list.text);
    const list = returned.get(`${shown.revision} ${shown.search}`);
    if (list !== undefined && !shown.busy) {
      expect(shown.text, `${step}, revision ${shown.revision} of “${shown.search}”`).toBe(list);
      return;
    }
    const state = { page: shown.revision, busy: shown.busy, api: lists.map(({ revision }) => revision) };
    expect(Date.now(), `${step}: no revision was seen on both sides, ${JSON.stringify(state)}`).toBeLessThan(deadline);
  }
}

/** The same for a page that does not give its revision: the actions pause until page and API are equal. */
async function pauseAndExpectMatch(page: Page, server: Server, actions: RandomActions, step: string): Promise<void> {
  await actions.pause();
  await expectTableMatchesApiAtRest(page, server, step);
  actions.start();
}

/** Waits until the page shows the list of the API. Nothing may change that list any more. */
export async function expectTableMatchesApiAtRest(page: Page, server: Server, step: string): Promise<void> {
  await expect(async () => {
    const before = await onPage(page);
    const list = await inApi(server, before.search);
    const shown = await onPage(page);
    expect(shown, 'the page is still changing').toEqual(before);
    expect(shown.text, `${step}, “${shown.search}”`).toBe(list.text);
    expect(shown.busy).toBe(false);
  }).toPass({ timeout: EXPECT_LIMIT_MS, intervals: [50] });
}

function onPage(page: Page): Promise<List> {
  return table(page).evaluate((table) => {
    const text = (row: Element, header: string) => row.querySelector(`[data-label="${header}"]`)?.textContent?.trim() ?? '';
    const rows = [...table.querySelectorAll('tbody tr')].map((row) => {
      const id = row.querySelector('[data-label="Session ID"] code')?.textContent;
      // The cell also contains the reason of an Error.
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
  return { revision: list.revision, busy: false, search, text: [`${grouped(list.total)} of ${grouped(list.all)} sessions`, ...rows].join('\n') };
}

/** `1,234`, as the pages of the tests show numbers. */
const grouped = (count: number): string => count.toLocaleString('en-GB');
