// The Sessions page as an administrator uses it.
import { expect, type Locator, type Page } from '@playwright/test';
import { EXPECT_LIMIT_MS } from './limits.ts';

export const SESSIONS = '/admin/cloud-delivery/sessions';

export const DEFAULT_HEADERS = ['Environment', 'Status', 'Username', 'Connected', 'Start date', 'Started ago', 'Valid until'];
export const ALL_HEADERS = [
  'Session ID',
  'Environment ID',
  'Environment',
  'Status',
  'User ID',
  'Username',
  'Connected',
  'Start date',
  'Started ago',
  'Valid until',
];
export const HIDDEN_HEADERS = ALL_HEADERS.filter((header) => !DEFAULT_HEADERS.includes(header));
/** Columns that the reference page does not have. */
export const EXTRA_HEADERS = ['Application', 'Ended', 'Ended by', 'End reason', 'Error', 'Connected since', 'Next deadline', 'Node'];

/** Expected texts of a row, by header. `Action` is the last cell. */
export type CellTexts = Record<string, string | RegExp>;
export type Row = Record<string, string>;

export const table = (page: Page): Locator => page.getByRole('table', { name: 'Sessions' });
export const searchBox = (page: Page): Locator => page.getByRole('searchbox', { name: 'Search sessions' });
export const refreshButton = (page: Page): Locator => page.getByRole('button', { name: /^Refresh/ });
export const dialog = (page: Page): Locator => page.getByRole('dialog', { name: 'Expire session' });

/** The links of the admin navigation, from top to bottom. */
export const navigation = (page: Page): Promise<string[]> =>
  page.getByRole('navigation', { name: 'Admin' }).getByRole('link').allInnerTexts();

/** The headers from left to right. */
export async function headers(page: Page): Promise<string[]> {
  return (await table(page).getByRole('columnheader').allInnerTexts()).map((text) => text.trim());
}

/** All rows on the page, by header. */
export async function rows(page: Page): Promise<Row[]> {
  return table(page).evaluate((table) => {
    const text = (cell: Element) => (cell as HTMLElement).innerText.replace(/\s+/g, ' ').trim();
    const names = [...table.querySelectorAll('thead th')].map(text).concat('Action');
    return [...table.querySelectorAll('tbody tr')].map((row) =>
      Object.fromEntries(
        [...row.children]
          .filter((cell) => !cell.matches('.col-select'))
          .map((cell, at) => [names[at] ?? `cell ${at}`, text(cell)]),
      ),
    );
  });
}

export function matches(row: Row, texts: CellTexts): boolean {
  return Object.entries(texts).every(([header, expected]) => {
    const text = row[header];
    return text !== undefined && (typeof expected === 'string' ? text === expected : expected.test(text));
  });
}

interface WaitOptions {
  timeout?: number;
}

/** Waits until exactly one row has all these texts. */
export async function expectRow(page: Page, texts: CellTexts, options: WaitOptions = {}): Promise<void> {
  await expectRows(page, texts, 1, options);
}

/** Waits until no row has all these texts. */
export async function expectNoRow(page: Page, texts: CellTexts, options: WaitOptions = {}): Promise<void> {
  await expectRows(page, texts, 0, options);
}

/** Waits for the number of rows: the rows of a search or of a page follow a moment after its address. */
export async function expectRowCount(page: Page, count: number): Promise<void> {
  await expect(table(page).locator('tbody tr')).toHaveCount(count);
}

async function expectRows(page: Page, texts: CellTexts, count: number, { timeout = EXPECT_LIMIT_MS }: WaitOptions): Promise<void> {
  const wanted = Object.entries(texts).map(([header, text]) => `${header} ${String(text)}`).join(', ');
  await expect(async () => {
    const all = await rows(page);
    const found = all.filter((row) => matches(row, texts));
    expect(found.length, `rows with ${wanted}; there are ${JSON.stringify(all.slice(0, 5), null, 1)}`).toBe(count);
  }).toPass({ timeout, intervals: [50] });
}

/** The row of a session, found by a text that no other row has. */
export const rowOf = (page: Page, text: string | RegExp): Locator =>
  table(page).getByRole('row').filter({ hasText: text });

export const expireButton = (page: Page, username: string, environment: string): Locator =>
  page.getByRole('button', { name: `Expire session of ${username} in ${environment}`, exact: true });

/** Opens the dialog for the only session of a user in an environment. */
export async function askToExpire(page: Page, username: string, environment: string): Promise<Locator> {
  await expireButton(page, username, environment).click();
  await expect(dialog(page)).toBeVisible();
  return dialog(page);
}

/** Shows or hides a column. Returns after the server has stored the choice. */
export async function toggleColumn(page: Page, header: string, shown: boolean): Promise<void> {
  const kept = page.waitForResponse((response) => response.url().endsWith('/api/ui/set_columns'));
  await page.getByRole('checkbox', { name: header, exact: true }).setChecked(shown);
  expect((await kept).status()).toBe(200);
}

export async function openColumns(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: 'Columns' }).click();
  const menu = page.getByRole('group', { name: 'Columns' });
  await expect(menu).toBeVisible();
  return menu;
}

/** Records every text of a cell from now on. The page itself records them, so none is missed. */
export async function recordCell(page: Page, username: string, header: string): Promise<() => Promise<string[]>> {
  const key = `recorded ${username} ${header}`;
  await table(page).evaluate(
    (table, { username, header, key }) => {
      const seen: string[] = [];
      Object.assign(window, { [key]: seen });
      const note = () => {
        const at = [...table.querySelectorAll('thead th')].findIndex((cell) => cell.textContent?.trim() === header);
        const row = [...table.querySelectorAll('tbody tr')].find((row) => row.textContent?.includes(username));
        const cells = [...(row?.children ?? [])].filter((cell) => !cell.matches('.col-select'));
        const text = (cells[at] as HTMLElement | undefined)?.innerText.trim();
        if (text !== undefined && text !== '' && seen.at(-1) !== text) seen.push(text);
      };
      note();
      new MutationObserver(note).observe(table, { childList: true, subtree: true, characterData: true });
    },
    { username, header, key },
  );
  return () => page.evaluate((key) => (window as unknown as Record<string, string[]>)[key] ?? [], key);
}
