// The layout of the Sessions table: its default columns fit the usual screens in every format of dates, and no row moves.
import type { Page } from '@playwright/test';
import { expect, test, waitForHydration } from '../support/test.ts';
import { rowOf, SESSIONS, table } from '../support/sessions.ts';

test.use({ setup: { name: 'table-layout', seed: 30, simulated: true } });

const LONG_NAME = 'maximiliana.featherstonehaugh-cholmondeley';

test.beforeAll(async ({ server }) => {
  await server.person(LONG_NAME, 'user');
  await server.launchAs(LONG_NAME);
  const ended = await server.launchAs(await server.person('ended', 'user'));
  await server.expire(ended.id, 'A reason that is much longer than the column in which it stands');
  await server.cli(['application', 'add', 'Ghost', '--', 'no-such-program-anywhere-on-this-host']);
  await server.launchAs(await server.person('failed', 'user'), 'Ghost');
});

/** The cells of the rows whose text is cut, or that another cell covers; and the heights of the rows. */
const measure = (page: Page) =>
  table(page).evaluate((table) => {
    const rows = [...table.querySelectorAll('tbody tr')];
    const problems: string[] = [];
    const check = (cell: Element, header: string) => {
      const box = cell.getBoundingClientRect();
      const cut = [...cell.querySelectorAll('.moment, .connected, .badge')].filter((part) => {
        const inner = part.getBoundingClientRect();
        return inner.right > box.right + 0.5 || part.scrollWidth > part.clientWidth + 1;
      });
      for (const part of cut) problems.push(`${header} is cut: ${part.textContent}`);
      const [x, y] = [box.right - 4, box.top + box.height / 2];
      const top = document.elementFromPoint(x, y);
      if (top !== null && table.contains(top) && !cell.contains(top)) problems.push(`${header} is covered by ${top.outerHTML.slice(0, 80)}`);
    };
    const headers = [...table.querySelectorAll('thead th')].map((cell) => cell.textContent?.trim() ?? '');
    for (const row of rows) {
      const cells = [...row.children].filter((cell) => !cell.matches('.col-select, .col-action'));
      cells.forEach((cell, at) => check(cell, headers[at] ?? `cell ${at}`));
    }
    const region = table.closest('.table-scroll');
    if (region !== null && region.scrollWidth > region.clientWidth) problems.push(`the table is ${region.scrollWidth - region.clientWidth} px too wide`);
    return { problems, heights: [...new Set(rows.map((row) => row.getBoundingClientRect().height))] };
  });

for (const width of [1280, 1366]) {
  for (const locale of ['en-GB', 'en-US', 'de-DE', 'ja-JP']) {
    test(`all default columns are readable at ${width} px in ${locale}, and rows have one height`, async ({ open }) => {
      const page = await open('admin', SESSIONS, { viewport: { width, height: 800 }, locale, timezoneId: 'Europe/Berlin' });
      await expect(rowOf(page, 'failed')).toContainText('Error');
      const { problems, heights } = await measure(page);
      expect(problems).toEqual([]);
      expect(heights).toHaveLength(1);
    });
  }
}

test('times count to twelve as people write them: 8:18 PM', async ({ open }) => {
  const page = await open('admin', SESSIONS, { locale: 'en-US', timezoneId: 'UTC' });
  const times = await table(page).locator('.col-started_at .moment').allInnerTexts();
  expect(times.length).toBeGreaterThan(10);
  for (const time of times) expect(time).toMatch(/^[A-Z][a-z]{2} \d{1,2}, ([1-9]|1[0-2]):\d\d\s[AP]M$/);
});

test('digits stay Western in every locale, because the page is in English', async ({ open }) => {
  const page = await open('admin', SESSIONS, { locale: 'ar-EG', timezoneId: 'UTC' });
  await expect(table(page).locator('.col-started_at .moment').first()).toHaveText(/[0-9]/);
  expect(await table(page).innerText()).not.toMatch(/[\u0660-\u0669]/);
});

test('opening the details moves no row, marks the open row, and keeps environment, status and username in sight', async ({ open }) => {
  const page = await open('admin', SESSIONS, { viewport: { width: 1280, height: 800 } });
  const row = rowOf(page, LONG_NAME);
  const before = await row.boundingBox();
  await row.getByRole('link', { name: /^Details/ }).click();
  const details = page.getByRole('region', { name: 'Session details' });
  await expect(details).toContainText('Valid until');
  await expect(details).toContainText('Node');
  await expect(row).toHaveAttribute('aria-current', 'true');
  expect((await row.boundingBox())?.y).toBe(before?.y);
  const panel = await details.boundingBox();
  for (const column of ['environment', 'status', 'username']) {
    const box = await row.locator(`.col-${column}`).boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0), column).toBeLessThanOrEqual(panel?.x ?? 0);
  }
});

test('a long name shows in full on focus', async ({ open }) => {
  const page = await open('admin', SESSIONS, { viewport: { width: 1280, height: 800 } });
  const name = rowOf(page, LONG_NAME).getByText(LONG_NAME, { exact: true });
  await expect(name).toHaveAttribute('title', LONG_NAME);
  expect(await name.evaluate((element) => element.scrollWidth > element.clientWidth), 'the cell cuts it').toBe(true);
  await name.focus();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Tab');
  await expect(name).toBeFocused();
  expect(await name.evaluate((element) => element.scrollWidth > element.clientWidth)).toBe(false);
});

test('the date of a row opens its details, Ctrl and the middle button open them in a new tab', async ({ open }) => {
  const page = await open('admin', SESSIONS);
  const date = rowOf(page, LONG_NAME).locator('.col-started_at .moment');
  const [byCtrl] = await Promise.all([page.context().waitForEvent('page'), date.click({ modifiers: ['ControlOrMeta'] })]);
  await expect(byCtrl).toHaveURL(/sessions\/[0-9a-f-]{36}/);
  const [byMiddle] = await Promise.all([page.context().waitForEvent('page'), date.click({ button: 'middle' })]);
  await expect(byMiddle).toHaveURL(/sessions\/[0-9a-f-]{36}/);
  await expect(page).toHaveURL(/sessions$/);
  await date.click();
  await expect(page).toHaveURL(/sessions\/[0-9a-f-]{36}$/);
});

test('a session in Error shows no time of access, and its dialog threatens no loss of work', async ({ open }) => {
  const page = await open('admin', SESSIONS);
  const row = rowOf(page, 'failed').first();
  await expect(row.locator('.col-valid_until')).toHaveText('–');
  await row.getByRole('button', { name: /^Expire/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Expire session' });
  await expect(dialog).toContainText('Ghost has failed, so failed has no access to it.');
  await expect(dialog).not.toContainText('Unsaved work');
});

test('the whole first row is in sight at 320 by 640 px, and rows can be sorted and selected there', async ({ server, open }) => {
  await server.launchAs(await server.person('plain', 'user'));
  const page = await open('admin', `${SESSIONS}?q=user:plain`, { viewport: { width: 320, height: 640 } });
  const first = table(page).locator('tbody tr').first();
  await expect(first).toContainText('Active');
  await expect(first).toBeInViewport({ ratio: 1 });
  await page.goto(SESSIONS);
  await waitForHydration(page);
  // It is 355 px: one line for each tool, and three for the time of the last refresh.
  expect((await first.boundingBox())?.y, 'the top of the first row').toBeLessThan(360);
  await page.getByLabel('Sort by').selectOption('username');
  await expect(page).toHaveURL(/sort=username/);
  await page.getByRole('button', { name: 'Select page' }).click();
  await expect(page.getByText(/^\d+ selected$/)).toBeVisible();
});

test('at 800 px height the whole Columns menu is inside the window', async ({ open }) => {
  const page = await open('admin', SESSIONS, { viewport: { width: 1280, height: 800 } });
  await page.getByRole('button', { name: 'Columns' }).click();
  const reset = page.getByRole('button', { name: 'Reset to defaults' });
  await expect(reset).toBeInViewport({ ratio: 1 });
  const menu = await page.getByRole('group', { name: 'Columns' }).boundingBox();
  expect((menu?.y ?? 0) + (menu?.height ?? 0)).toBeLessThanOrEqual(800);
});
