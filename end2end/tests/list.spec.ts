// The list: an administrator filters, sorts and pages it while it changes.
import type { Page } from '@playwright/test';
import { expect, test, waitForHydration } from '../support/test.ts';
import { ALL_HEADERS, expectRow, expectRowCount, EXTRA_HEADERS, headers, openColumns, rows, searchBox, SESSIONS, table } from '../support/sessions.ts';

const SEEDED = 130;

test.use({ setup: { name: 'list', seed: SEEDED, simulated: true } });

const chip = (page: Page, name: string) => page.getByRole('list', { name: 'Show' }).getByRole('link', { name: new RegExp(`^${name} `) });
const chips = async (page: Page) =>
  Object.fromEntries((await page.getByRole('list', { name: 'Show' }).getByRole('link').allInnerTexts()).map((text) => text.trim().split(/\s+/)));
const pages = (page: Page) => page.getByRole('navigation', { name: 'Pages' });
const names = async (page: Page) => (await rows(page)).map((row) => row.Username ?? '');

test.describe('status chips', () => {
  test('each chip counts live over the whole search and filters the list by its status', async ({ server, open }) => {
    const session = await server.launchAs(await server.person('chip', 'user'));
    const page = await open('admin', SESSIONS);
    await expect.poll(() => chips(page)).toMatchObject({ Pending: '0', Active: '1', Connected: '0' });
    const { counts } = (await server.list()) as unknown as { counts: Record<string, number> };
    expect(await chips(page)).toEqual({
      All: String(counts.all),
      Pending: String(counts.pending),
      Active: String(counts.active),
      Expired: String(counts.expired),
      Error: String(counts.error),
      Connected: String(counts.connected),
    });
    await chip(page, 'Active').click();
    await expect(page).toHaveURL(/status=active/);
    await expect(chip(page, 'Active')).toHaveAttribute('aria-current', 'true');
    await expect.poll(() => names(page)).toEqual(['chip']);
    const tab = await open('chip', `/sessions/${session.id}`);
    await chip(page, 'Connected').click();
    await expectRow(page, { Username: 'chip', Connected: 'Yes' });
    await expect(page).toHaveURL(/connected=yes/);
    expect((await server.list('?connected=yes')).items.map(({ id }) => id)).toEqual([session.id]);
    await tab.close();
    await expect(page.getByRole('heading', { name: /^No sessions match/ })).toBeVisible();
    await chip(page, 'All').click();
    await expect(page).toHaveURL(SESSIONS);
    await searchBox(page).fill('user:chip');
    await expect.poll(() => chips(page)).toEqual({ All: '1', Pending: '0', Active: '1', Expired: '0', Error: '0', Connected: '0' });
    await server.expire(session.id);
    await expect.poll(() => chips(page)).toMatchObject({ Active: '0', Expired: '1' });
  });

  test('Back returns to the unfiltered list', async ({ open }) => {
    const page = await open('admin', SESSIONS);
    await chip(page, 'Error').click();
    await expect(page.getByRole('heading', { name: /^No sessions match/ })).toBeVisible();
    await page.goBack();
    await expect(page).toHaveURL(SESSIONS);
    await expectRowCount(page, 50);
  });
});

test.describe('sorting over all rows, both ways', () => {
  test.afterEach(async ({ server }) => {
    expect((await server.call('admin', 'POST', '/api/ui/set_columns', { json: { choice: null } })).status).toBe(200);
  });

  // One test per column, with that column only: a test’s length does not grow with the number of columns.
  for (const header of [...ALL_HEADERS, ...EXTRA_HEADERS]) {
    test(`an administrator sorts by ${header}`, async ({ server, open }) => {
      await server.showColumns('admin', [...new Set(['session_id', header.toLowerCase().replaceAll(' ', '_')])]);
      const page = await open('admin', SESSIONS);
      const cell = table(page).getByRole('columnheader', { name: header, exact: true });
      for (let way = 0; way < 2; way++) {
        const before = await cell.getAttribute('aria-sort');
        await cell.getByRole('link').click();
        await expect(cell).not.toHaveAttribute('aria-sort', before ?? 'none');
        await expect(cell).toHaveAttribute('aria-sort', /ascending|descending/);
        const sort = new URL(page.url()).searchParams.get('sort') ?? '';
        const { items } = await server.list(`?sort=${sort}`);
        await expect.poll(async () => (await rows(page)).map((row) => row['Session ID'])).toEqual(items.map(({ id }) => id));
      }
    });
  }
});

test('a later page keeps its rows while new sessions arrive before it', async ({ server, open }) => {
  const page = await open('admin', SESSIONS);
  await pages(page).getByRole('link', { name: 'Next' }).click();
  await expect(pages(page)).toContainText(/51–100 of/);
  const shown = await rows(page);
  const session = await server.launchAs(await server.person('arrives', 'user'));
  await expect(pages(page)).toContainText(/52–101 of/);
  const identify = (all: Awaited<ReturnType<typeof rows>>) => all.map((row) => [row.Username, row['Start date']]);
  expect(identify(await rows(page))).toEqual(identify(shown));
  await page.reload();
  await waitForHydration(page);
  expect(identify(await rows(page)), 'the address shows the same list').toEqual(identify(shown));
  await pages(page).getByRole('link', { name: 'Previous' }).click();
  await expect(pages(page), 'the previous fifty rows').toContainText(/2–51 of/);
  await pages(page).getByRole('link', { name: 'Previous' }).click();
  await expect(pages(page).getByRole('link', { name: 'Previous' })).toHaveCount(0);
  await expectRow(page, { Username: 'arrives' });
  await server.expire(session.id);
});

test('an administrator pages to the end and back and sees every session once, in order', async ({ server, open }) => {
  const page = await open('admin', `${SESSIONS}?q=status:expired&sort=username`);
  const { total, all, items } = await server.list('?q=status:expired&sort=username&limit=200');
  await expect(page.getByText(`${total} of ${all} sessions`)).toBeVisible();
  await expect(pages(page).getByRole('link', { name: 'Previous' })).toHaveCount(0);
  const seen: string[] = [];
  for (let at = 0; at < total; at += 50) {
    await expect(pages(page)).toContainText(`${at + 1}–${Math.min(at + 50, total)} of ${total}`);
    const part = await server.list(`?q=status:expired&sort=username&page=${at / 50 + 1}`);
    await expect.poll(() => names(page)).toEqual(part.items.map(({ username }) => username));
    seen.push(...(await names(page)));
    if (at + 50 < total) await pages(page).getByRole('link', { name: 'Next' }).click();
  }
  await expect(pages(page).getByRole('link', { name: 'Next' })).toHaveCount(0);
  expect(seen).toEqual(items.map(({ username }) => username));
  const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  expect(seen.map(fold)).toEqual(seen.map(fold).sort());
  for (let at = Math.floor((total - 1) / 50) * 50; at > 0; at -= 50) {
    await pages(page).getByRole('link', { name: 'Previous' }).click();
    await expect(pages(page)).toContainText(`${at - 49}–${at} of ${total}`);
  }
  expect(await names(page)).toEqual(seen.slice(0, 50));
});

test('an administrator chooses 50, 100 or 200 rows per page, never more', async ({ server, open }) => {
  // The cells of IDs contain visually hidden text, which must not make the page scroll.
  await server.showColumns('admin', ['session_id', 'environment', 'status', 'username', 'connected', 'start_date', 'valid_until']);
  const page = await open('admin', SESSIONS);
  const { all } = await server.list();
  for (const limit of [100, 200, 50]) {
    await pages(page).getByRole('link', { name: String(limit), exact: true }).click();
    await expectRowCount(page, Math.min(limit, all));
    await expect(pages(page).getByRole('link', { name: String(limit), exact: true })).toHaveAttribute('aria-current', 'true');
    const below = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
    expect(below, 'only the table scrolls, not the page').toBeLessThanOrEqual(0);
  }
  expect((await server.call('admin', 'GET', '/api/v1/sessions?limit=201')).status).toBe(400);
  expect((await server.call('admin', 'POST', '/api/ui/set_columns', { json: { choice: null } })).status).toBe(200);
});

test('an update changes a row in place and keeps its element', async ({ server, open }) => {
  const session = await server.launchAs(await server.person('patched', 'user'));
  const page = await open('admin', SESSIONS);
  await expectRow(page, { Username: 'patched', Status: 'Active' });
  const mark = () => page.evaluate(() => [...document.querySelectorAll('tbody tr')].map((row) => row.getAttribute('data-mark')));
  await page.evaluate(() => [...document.querySelectorAll('tbody tr')].forEach((row, at) => row.setAttribute('data-mark', String(at))));
  const before = await mark();
  await server.expire(session.id);
  await expectRow(page, { Username: 'patched', Status: 'Expired' });
  expect(await mark()).toEqual(before);
});

test.describe('columns', () => {
  test.afterEach(async ({ server }) => {
    expect((await server.call('admin', 'POST', '/api/ui/set_columns', { json: { choice: null } })).status).toBe(200);
  });

  test('an administrator moves columns with buttons and keys, and a reload keeps their order', async ({ open }) => {
    const page = await open('admin', SESSIONS);
    const menu = await openColumns(page);
    const stored = () => page.waitForResponse('**/api/ui/set_columns');
    let saved = stored();
    await menu.getByRole('button', { name: 'Move Valid until up' }).click();
    await saved;
    expect((await headers(page)).slice(-2)).toEqual(['Valid until', 'Started ago']);
    await expect(menu.getByRole('button', { name: 'Move Valid until up' })).toBeFocused();
    await menu.getByRole('checkbox', { name: 'Username', exact: true }).focus();
    for (let step = 0; step < 5; step++) {
      saved = stored();
      await page.keyboard.press('Alt+ArrowUp');
      await saved;
      await expect(menu.getByRole('checkbox', { name: 'Username', exact: true })).toBeFocused();
    }
    const moved = await headers(page);
    expect(moved[0]).toBe('Username');
    await page.reload();
    expect(await headers(page)).toEqual(moved);
    expect((await rows(page))[0]?.Username).toBeTruthy();
  });

  test('the server keeps the sort order of each administrator; the order in a link takes precedence', async ({ server, open }) => {
    const page = await open('admin', SESSIONS);
    const saved = page.waitForResponse('**/api/ui/set_columns');
    await table(page).getByRole('columnheader', { name: 'Username' }).getByRole('link').click();
    await saved;
    const again = await open('admin', SESSIONS);
    await expect(table(again).getByRole('columnheader', { name: 'Username' })).toHaveAttribute('aria-sort', 'ascending');
    const { items } = await server.list('?sort=username');
    expect(await names(again)).toEqual(items.map(({ username }) => username));
    const linked = await open('admin', `${SESSIONS}?sort=-started_at`);
    await expect(table(linked).getByRole('columnheader', { name: 'Start date' })).toHaveAttribute('aria-sort', 'descending');
    const second = await open(await server.person('second', 'system-admin'), SESSIONS);
    await expect(table(second).getByRole('columnheader', { name: 'Start date' })).toHaveAttribute('aria-sort', 'descending');
  });
});

test('numbers and dates follow the locale and time zone of the administrator’s browser', async ({ server, startServer, open, openOn }) => {
  const session = await server.launchAs(await server.person('german', 'user'));
  const page = await open('admin', SESSIONS, { locale: 'de-DE', timezoneId: 'America/New_York' });
  const time = { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit' } as const;
  const local = new Intl.DateTimeFormat('de-DE', { ...time, timeZone: 'America/New_York' }).format(new Date(session.started_at));
  await expectRow(page, { Username: 'german', 'Start date': local });
  await expect(page.getByText(/^Last refreshed/), 'the zone stands once').toContainText('GMT-5');
  await server.expire(session.id);
  const large = await startServer({ name: 'list-large', seed: 1234 });
  for (const [locale, text] of [['de-DE', '1.234 of 1.234 sessions'], ['en-GB', '1,234 of 1,234 sessions']] as const) {
    await expect((await openOn(large, 'admin', SESSIONS, { locale })).getByText(text)).toBeVisible();
  }
});
