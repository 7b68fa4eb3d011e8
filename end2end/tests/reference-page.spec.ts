// The reference page, sentence by sentence. docs/spec.md §4 states the same as requirements.
import { readFileSync } from 'node:fs';
import { expect, test } from '../support/test.ts';
import { EXPECT_LIMIT_MS } from '../support/limits.ts';
import { SIMULATED, type Session } from '../support/server.ts';
import { card, expectConnected, expectEnded, resume, signIn, userMenu } from '../support/portal.ts';
import {
  ALL_HEADERS,
  askToExpire,
  DEFAULT_HEADERS,
  EXTRA_HEADERS,
  expectRow,
  expectRowCount,
  headers,
  navigation,
  HIDDEN_HEADERS,
  matches,
  openColumns,
  refreshButton,
  rows,
  searchBox,
  SESSIONS,
  table,
  toggleColumn,
} from '../support/sessions.ts';

const SEEDED = 120;
const ENVIRONMENT = SIMULATED.environment;

test.use({ setup: { name: 'reference-page', seed: SEEDED, simulated: true } });

test('“Log in as a System Admin user. Click on Admin in the user menu. Go to Cloud Delivery → Sessions”', async ({ server, open }) => {
  const page = await open(null, '/');
  await signIn(page, 'admin', server.password('admin'));
  await expect(page.getByRole('heading', { name: 'My apps', level: 1 })).toBeVisible();
  await (await userMenu(page, 'admin')).getByRole('menuitem', { name: 'Admin' }).click();
  const navigation = page.getByRole('navigation', { name: 'Admin' });
  const [left, main] = [await navigation.boundingBox(), await page.getByRole('main').boundingBox()];
  expect(left?.x, 'the navigation is on the left of the page').toBeLessThan(main?.x ?? 0);
  await navigation.getByRole('list', { name: 'Cloud Delivery' }).getByRole('link', { name: 'Sessions' }).click();
  await expect(page).toHaveURL(SESSIONS);
  await expect(page.getByRole('heading', { name: 'Sessions', level: 1 })).toBeVisible();
});

test('“This will show a list of sessions and the last time the data was refreshed”', async ({ open }) => {
  const page = await open('admin', SESSIONS);
  await expect(page.getByText(`${SEEDED} of ${SEEDED} sessions`)).toBeVisible();
  await expectRowCount(page, 50);
  await expect(page.getByText(/^Last refreshed \d{2} \w+( \d{4})?, \d{2}:\d{2}( \S+)? \(\d+ (s|min) ago\)/)).toBeVisible();
});

test('“You can use the search box in the top left of the table to quickly search for a session”', async ({ server, open }) => {
  const page = await open('admin', SESSIONS);
  const [box, grid] = [await searchBox(page).boundingBox(), await table(page).boundingBox()];
  if (box === null || grid === null) throw new Error('the search box or the table is not visible');
  expect(Math.abs(box.x - grid.x), 'left').toBeLessThan(24);
  expect(box.y + box.height, 'above').toBeLessThanOrEqual(grid.y);
  expect(grid.y - box.y, 'close to it').toBeLessThan(90);

  const oldest = (await server.list('?sort=started_at&limit=1')).items[0] as Session;
  await expect(table(page).getByRole('row').filter({ hasText: oldest.username })).toHaveCount(0);
  for (const [search, column, value] of [
    [oldest.id, 'Session ID', oldest.id],
    [oldest.environment_id.slice(4), 'Environment ID', oldest.environment_id],
    [oldest.user_id.toUpperCase(), 'User ID', oldest.user_id],
    [oldest.username, 'Username', oldest.username],
    [`"${oldest.environment}"`, 'Environment', oldest.environment],
    [`user:${oldest.username} status:expired`, 'Username', oldest.username],
  ] as const) {
    await searchBox(page).fill(search);
    const total = (await server.list(`?q=${encodeURIComponent(search)}`)).total;
    expect(total).toBeGreaterThan(0);
    await expect(page.getByText(`${total} of ${SEEDED} session`)).toBeVisible();
    const { items } = await server.list(`?q=${encodeURIComponent(search)}`);
    await expectRowCount(page, Math.min(total, 50));
    if (!HIDDEN_HEADERS.includes(column)) {
      await expect.poll(async () => (await rows(page)).every((row) => matches(row, { [column]: value }))).toBe(true);
    } else {
      expect(items.every((session) => JSON.stringify(session).includes(value))).toBe(true);
    }
  }
});

test('“Click the Expire button next to a session”: the user loses access, and it closes if they are using it', async ({
  server,
  open,
  consoleErrors,
}) => {
  consoleErrors.allow(/410 \(Gone\)/);
  await server.launchAs('student');
  const student = await open('student', '/');
  const tab = await resume(student, SIMULATED.application);
  await expectConnected(tab);
  const page = await open('admin', SESSIONS);
  await expectRow(page, { Username: 'student', Environment: ENVIRONMENT, Status: 'Active', Connected: 'Yes', Action: 'Expire' });

  const dialog = await askToExpire(page, 'student', ENVIRONMENT);
  await dialog.getByRole('button', { name: 'Expire session' }).click();
  await expectRow(page, { Username: 'student', Status: 'Expired', Connected: 'No' });
  await expectEnded(tab, tab.url().slice(-36));
  await tab.goto(tab.url());
  await expectEnded(tab, tab.url().slice(-36));
  await student.reload();
  await expect(card(student, SIMULATED.application).getByRole('link', { name: 'Resume' })).toHaveCount(0);
});

test('“Expired session may appear in the session list for up to 2 days”', async ({ server, open }) => {
  const session = await server.launchAs(await server.person('kept', 'user'));
  await server.expire(session.id);
  const page = await open('admin', SESSIONS);
  await expectRow(page, { Username: 'kept', Status: 'Expired', Connected: 'No', Action: /^Expired .+ by admin$/ });
  await page.reload();
  await expectRow(page, { Username: 'kept', Status: 'Expired' });
});

test.describe('Columns', () => {
  test.afterEach(async ({ server }) => {
    expect((await server.call('admin', 'POST', '/api/ui/set_columns', { json: { choice: null } })).status).toBe(200);
  });

  test('the table has ten columns in the order of the reference page, three of them hidden', async ({ open }) => {
    const page = await open('admin', SESSIONS);
    expect(await headers(page)).toEqual(DEFAULT_HEADERS);
    const menu = await openColumns(page);
    expect(await menu.getByRole('checkbox').evaluateAll((boxes) => boxes.map((box) => box.parentElement?.textContent))).toEqual([
      ...ALL_HEADERS,
      ...EXTRA_HEADERS,
    ]);
    for (const header of [...ALL_HEADERS, ...EXTRA_HEADERS]) {
      const box = menu.getByRole('checkbox', { name: header, exact: true });
      await expect(box).toBeChecked({ checked: DEFAULT_HEADERS.includes(header) });
    }
    for (const header of HIDDEN_HEADERS) await toggleColumn(page, header, true);
    expect(await headers(page)).toEqual(ALL_HEADERS);
  });

  test('an administrator hides each column and shows it again', async ({ open }) => {
    const page = await open('admin', SESSIONS);
    await openColumns(page);
    for (const header of [...ALL_HEADERS, ...EXTRA_HEADERS]) {
      const shown = DEFAULT_HEADERS.includes(header);
      await toggleColumn(page, header, !shown);
      const expected = [...ALL_HEADERS, ...EXTRA_HEADERS].filter((other) =>
        other === header ? !shown : DEFAULT_HEADERS.includes(other),
      );
      expect(await headers(page)).toEqual(expected);
      expect(Object.keys((await rows(page))[0] ?? {})).toEqual([...expected, 'Action']);
      await toggleColumn(page, header, shown);
    }
  });

  test('the choice of columns survives a reload and another browser, and belongs to one administrator', async ({ server, open }) => {
    const page = await open('admin', SESSIONS);
    await openColumns(page);
    await toggleColumn(page, 'Session ID', true);
    await toggleColumn(page, 'Environment', false);
    const chosen = ['Session ID', 'Status', 'Username', 'Connected', 'Start date', 'Started ago', 'Valid until'];
    await page.reload();
    expect(await headers(page)).toEqual(chosen);
    expect(await headers(await open('admin', SESSIONS))).toEqual(chosen);
    expect(await headers(await open(await server.person('second', 'system-admin'), SESSIONS))).toEqual(DEFAULT_HEADERS);
  });

  test('“Reset to defaults”', async ({ open }) => {
    const page = await open('admin', SESSIONS);
    const menu = await openColumns(page);
    for (const header of ['User ID', 'Session ID']) await toggleColumn(page, header, true);
    await toggleColumn(page, 'Status', false);
    const stored = page.waitForResponse('**/api/ui/set_columns');
    await menu.getByRole('button', { name: 'Reset to defaults' }).click();
    await stored;
    expect(await headers(page)).toEqual(DEFAULT_HEADERS);
    await expect(menu.getByRole('checkbox', { name: 'Status', exact: true })).toBeChecked();
    await page.reload();
    expect(await headers(page)).toEqual(DEFAULT_HEADERS);
  });

  test('each column shows the value that the reference page describes', async ({ server, open }) => {
    const session = await server.launchAs(await server.person('descriptive', 'user'));
    const page = await open('admin', SESSIONS, { permissions: ['clipboard-read', 'clipboard-write'] });
    await openColumns(page);
    for (const header of HIDDEN_HEADERS) await toggleColumn(page, header, true);
    await page.keyboard.press('Escape');
    const local = (at: string) => {
      const time = { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit' } as const;
      const year = at.slice(0, 4) === new Date().toISOString().slice(0, 4) ? {} : ({ year: 'numeric' } as const);
      return new Intl.DateTimeFormat('en-GB', { ...time, ...year, timeZone: 'Europe/Berlin' }).format(new Date(at));
    };
    await expectRow(page, {
      'Session ID': session.id,
      'Environment ID': session.environment_id,
      Environment: ENVIRONMENT,
      Status: 'Active',
      'User ID': session.user_id,
      Username: 'descriptive',
      Connected: 'No',
      'Start date': local(session.started_at),
      'Started ago': /^\d+ (s|min)$/,
      'Valid until': local(session.valid_until),
    });
    expect(Date.parse(session.valid_until) - Date.parse(session.started_at), 'eight hours').toBe(8 * 3600 * 1000);

    const row = table(page).getByRole('row').filter({ hasText: session.id });
    await expect(row.getByText(local(session.started_at))).toHaveAttribute('title', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    for (const [what, value] of [
      ['session ID', session.id],
      ['environment ID', session.environment_id],
      ['user ID', session.user_id],
    ] as const) {
      await row.getByRole('button', { name: `Copy ${what}` }).click();
      await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(value);
    }
    await server.expire(session.id);
  });
});

test('“The data can be refreshed again, but only every 30 seconds”: the limit is the server’s', async ({ server, open, consoleErrors }) => {
  const first = await open('admin', SESSIONS);
  const second = await open(await server.person('second', 'system-admin'), SESSIONS);
  // Another test may have refreshed up to 30 s ago.
  await expect(refreshButton(first)).toHaveText('Refresh', { timeout: 2 * EXPECT_LIMIT_MS });
  await expect(refreshButton(first)).not.toHaveAttribute('aria-disabled');
  await refreshButton(first).click();
  for (const page of [first, second]) {
    await expect(page.getByText(/\([12]?\d s ago\)/)).toBeVisible();
    await expect(refreshButton(page)).toHaveText(/^Refresh \(in ([12]?\d|30) s\)$/);
    await expect(refreshButton(page)).toHaveAttribute('aria-disabled', 'true');
  }

  const secondsUntilNext = async () => (Date.parse((await server.list()).next_refresh_at) - Date.now()) / 1000;
  const before = await secondsUntilNext();
  const refused = await server.call('second', 'POST', '/api/v1/sessions/refresh');
  const after = await secondsUntilNext();
  expect(refused.status).toBe(429);
  expect(refused.headers['content-type']).toBe('application/problem+json');
  expect(refused.json).toMatchObject({ status: 429, code: 'refresh_too_soon' });
  expect(before).toBeLessThanOrEqual(30);
  // The answer was given between the two measurements. Each value is rounded to a second.
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(after - 2);
  expect(Number(refused.headers['retry-after'])).toBeLessThan(before + 2);
  expect((await server.call('admin', 'POST', '/api/ui/refresh_sessions', { json: {} })).status).toBe(429);

  const countdown = async (page: typeof first) => Number(/in (\d+) s/.exec(await refreshButton(page).innerText())?.[1]);
  const sameCountdown = async () => {
    // The second page is read between two readings of the first.
    const [start, other, end] = [await countdown(first), await countdown(second), await countdown(first)];
    return end - 1 <= other && other <= start + 1;
  };
  await expect.poll(sameCountdown, 'both pages show the same countdown').toBe(true);

  await refreshButton(first).focus();
  await expect(refreshButton(first)).toBeFocused();
  const shown = await countdown(first);
  await refreshButton(first).press('Enter');
  await expect(first.getByText('All administrators share one refresh every 30 seconds.')).toBeVisible();
  await expect.poll(() => countdown(first), 'the press did not restart the countdown').toBeLessThan(shown);
  expect(consoleErrors.seen, 'a refused refresh is not a console error').toEqual([]);
});

test('the screenshots in the README show the navigation of today', async ({ open }) => {
  const madeFrom = JSON.parse(readFileSync(new URL('../../docs/images/made-from.json', import.meta.url), 'utf8'));
  expect(await navigation(await open('admin', SESSIONS)), 'run make screenshots').toEqual(madeFrom.navigation);
});
