// The Sessions page in daily use: live updates, two administrators, the keyboard.
import type { Locator } from '@playwright/test';
import { expect, test, waitForHydration } from '../support/test.ts';
import { type Session, SIMULATED } from '../support/server.ts';
import { expectConnected, signIn } from '../support/portal.ts';
import { askToExpire, dialog, expectRow, expectRowCount, expireButton, recordCell, rowOf, searchBox, SESSIONS, table } from '../support/sessions.ts';

/**
 * Few rows, because an unoptimised server needs 0.4 s of CPU time to render fifty. list.spec.ts has the tests with
 * many.
 */
const SEEDED = 12;
const ENVIRONMENT = SIMULATED.environment;

test.use({ setup: { name: 'sessions-page', seed: SEEDED, simulated: true } });

test.describe('live updates', () => {
  test('every administrator’s page shows a launch, an opened tab and a closed tab live', async ({ server, open }) => {
    const pages = [await open('admin', SESSIONS), await open(await server.person('second', 'system-admin'), SESSIONS)];
    const session = await server.launchAs(await server.person('live', 'user'));
    for (const page of pages) await expectRow(page, { Username: 'live', Status: 'Active', Connected: 'No' });
    const tab = await open('live', `/sessions/${session.id}`);
    await expectConnected(tab);
    for (const page of pages) await expectRow(page, { Username: 'live', Connected: 'Yes' });
    await tab.close();
    for (const page of pages) await expectRow(page, { Username: 'live', Connected: 'No' });
    await server.expire(session.id);
    for (const page of pages) {
      await expectRow(page, { Username: 'live', Status: 'Expired' });
      // The stream brought all changes: the page never had to load its list again. `make bench` measures the delay.
      expect((await table(page).getAttribute('data-divergences')) ?? '0').toBe('0');
    }
  });

  test('a reload of the tab does not count as a disconnect', async ({ startServer, openOn, consoleErrors }) => {
    consoleErrors.allow(/410 \(Gone\)/);
    // A grace period that outlasts a reload on any machine.
    const settings = { CLOUD_DELIVERY_RELOAD_GRACE_MS: '120000' };
    const server = await startServer({ name: 'sessions-page-reload', simulated: true, settings });
    const session = await server.launchAs(await server.person('reloader', 'user'));
    const tab = await openOn(server, 'reloader', `/sessions/${session.id}`);
    await expectConnected(tab);
    const page = await openOn(server, 'admin', SESSIONS);
    await expectRow(page, { Username: 'reloader', Connected: 'Yes' });
    const connected = await recordCell(page, 'reloader', 'Connected');
    await tab.reload();
    await expectConnected(tab);
    await expect.poll(async () => (await server.session(session.id)).connected).toBe(true);
    await server.expire(session.id);
    await expectRow(page, { Username: 'reloader', Status: 'Expired', Connected: 'No' });
    expect(await connected(), 'connected until the session ended').toEqual(['Yes', 'No']);
  });

  test('the page shows a session that was expired at the command line', async ({ server, open }) => {
    const session = await server.launchAs(await server.person('terminal', 'user'));
    const page = await open('admin', SESSIONS);
    await expectRow(page, { Username: 'terminal', Status: 'Active' });
    await server.cli(['sessions', 'expire', session.id, '--reason', 'by hand']);
    await expectRow(page, { Username: 'terminal', Status: 'Expired', Action: /by admin \(command line\) “by hand”/ });
  });

  test('new rows keep the focus and the open dialog', async ({ server, open }) => {
    const session = await server.launchAs(await server.person('steady', 'user'));
    const page = await open('admin', SESSIONS);
    await expireButton(page, 'steady', ENVIRONMENT).focus();
    const other = await server.launchAs(await server.person('newcomer', 'user'));
    await expectRow(page, { Username: 'newcomer' });
    await expect(expireButton(page, 'steady', ENVIRONMENT)).toBeFocused();
    const asked = await askToExpire(page, 'steady', ENVIRONMENT);
    await asked.getByLabel(/^Reason/).fill('half a sentence');
    await server.expire(other.id);
    await expectRow(page, { Username: 'newcomer', Status: 'Expired' });
    await expect(asked.getByLabel(/^Reason/)).toHaveValue('half a sentence');
    await expect(asked.getByLabel(/^Reason/)).toBeFocused();
    await server.expire(session.id);
  });
});

test('a page whose list differs from the server’s detects it, counts it, and loads a new snapshot', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/the list differed from the server’s|the list differed from the server's/);
  const page = await open('admin', '/');
  let first = true;
  // The first stream sends a wrong snapshot, and then a checksum that the rows of the page do not have.
  await page.route('**/api/v1/sessions/watch*', async (route) => {
    if (!first) return route.continue();
    first = false;
    const list = (await server.call('admin', 'GET', '/api/v1/sessions')).json as { revision: number; items: { version: number }[] };
    for (const item of list.items) item.version -= 1;
    const tick = { server_time: new Date().toISOString(), revision: list.revision, checksum: 1 };
    const body = `event: snapshot\ndata: ${JSON.stringify(list)}\n\nevent: tick\ndata: ${JSON.stringify(tick)}\n\n`;
    await route.fulfill({ contentType: 'text/event-stream', body });
  });
  await page.goto(SESSIONS);
  await expect(table(page)).toHaveAttribute('data-divergences', '1');
  const session = await server.launchAs(await server.person('diverged', 'user'));
  await expectRow(page, { Username: 'diverged', Status: 'Active' });
  await expect(table(page)).toHaveAttribute('data-divergences', '1');
  await server.expire(session.id);
});

test.describe('Expire', () => {
  test('the dialog shows the session and the consequence, and focuses Cancel', async ({ server, open }) => {
    const session = await server.launchAs(await server.person('asked', 'user'));
    const page = await open('admin', SESSIONS);
    const asked = await askToExpire(page, 'asked', ENVIRONMENT);
    await expect(asked.getByRole('button', { name: 'Cancel' })).toBeFocused();
    for (const [term, fact] of [
      ['User', 'asked'],
      ['Environment', ENVIRONMENT],
      ['Application', SIMULATED.application],
      ['Status', 'Active'],
      ['Connected', 'No'],
    ] as const) {
      await expect(asked.locator('dl > div').filter({ has: page.getByText(term, { exact: true }) })).toContainText(fact);
    }
    await expect(asked).toHaveAccessibleDescription(/loses access at once, and Simulated desktop closes\. Unsaved work is lost/);
    await page.keyboard.press('Escape');
    await expect(asked).toBeHidden();
    await expect(expireButton(page, 'asked', ENVIRONMENT), 'the button has the focus again').toBeFocused();
    await askToExpire(page, 'asked', ENVIRONMENT);
    await asked.getByRole('button', { name: 'Cancel' }).click();
    await expect(asked).toBeHidden();
    expect((await server.session(session.id)).version).toBe((await server.session(session.id)).version);
    expect((await server.session(session.id)).status).toBe('active');
    await server.expire(session.id);
  });

  test('the user connects while the dialog is open: the dialog updates and asks again', async ({ server, open, consoleErrors }) => {
    consoleErrors.allow(/409 \(Conflict\)|410 \(Gone\)/);
    const session = await server.launchAs(await server.person('conflict', 'user'));
    const page = await open('admin', SESSIONS);
    const asked = await askToExpire(page, 'conflict', ENVIRONMENT);
    // The request contains the state that the dialog showed, but reaches the server only after the user has connected.
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/api/ui/expire_session', async (route) => {
      await held;
      await route.continue();
    });
    await asked.getByLabel(/^Reason/).fill('kept while asking again');
    await asked.getByRole('button', { name: 'Expire session' }).click();
    const tab = await open('conflict', `/sessions/${session.id}`);
    await expectConnected(tab);
    await expect(asked.locator('dl > div').filter({ has: page.getByText('Connected', { exact: true }) })).toContainText('Yes');
    const answered = page.waitForResponse('**/api/ui/expire_session');
    release();
    expect((await answered).status()).toBe(409);
    await expect(asked.getByRole('alert')).toContainText('This session has changed. It is now Active and open in a browser tab.');
    expect((await server.session(session.id)).status).toBe('active');
    await expect(asked.getByLabel(/^Reason/)).toHaveValue('kept while asking again');
    await asked.getByRole('button', { name: 'Expire session' }).click();
    await expect(asked).toBeHidden();
    await expectRow(page, { Username: 'conflict', Status: 'Expired', Action: /kept while asking again/ });
  });

  test('two administrators expire one session: it ends once, and both see it', async ({ server, open }) => {
    const session = await server.launchAs(await server.person('contested', 'user'));
    const first = await open('admin', SESSIONS);
    const second = await open(await server.person('second', 'system-admin'), SESSIONS);
    await askToExpire(first, 'contested', ENVIRONMENT);
    await askToExpire(second, 'contested', ENVIRONMENT);
    await dialog(first).getByRole('button', { name: 'Expire session' }).click();
    await expectRow(second, { Username: 'contested', Status: 'Expired' });
    await expect(dialog(second)).toContainText(/Expired .+ by admin/);
    await expect(dialog(second).getByRole('button', { name: 'Expire session' })).toHaveCount(0);
    await dialog(second).getByRole('button', { name: 'Close' }).click();
    const again = await server.call('second', 'POST', `/api/v1/sessions/${session.id}/expire`, { json: {} });
    expect(again.status, 'a second expire returns how the session ended').toBe(200);
    expect(again.json).toMatchObject({ status: 'expired', ended_by: 'admin' });
    const many = await server.launchAs('contested');
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.expire(many.id)));
    expect(new Set(answers.map(({ ended_at }) => ended_at)).size, 'the session ends once').toBe(1);
  });

  test('a toast reports the expired session, and the focus moves to the table', async ({ server, open }) => {
    await server.launchAs(await server.person('done', 'user'));
    const page = await open('admin', SESSIONS);
    const asked = await askToExpire(page, 'done', ENVIRONMENT);
    await asked.getByRole('button', { name: 'Expire session' }).click();
    await expect(page.getByText(`The session of done in ${ENVIRONMENT} has been expired by admin.`)).toBeVisible();
    await expect(page.getByRole('region', { name: 'Table of sessions' })).toBeFocused();
  });
});

test.describe('search and paging', () => {
  test('a search without a match says so and offers to clear the search', async ({ server, open }) => {
    const page = await open('admin', SESSIONS);
    await searchBox(page).fill('nobody of this name');
    await expect(page.getByRole('heading', { name: 'No sessions match “nobody of this name”' })).toBeVisible();
    await expect(page.getByText(/^0 of \d+ sessions$/)).toBeVisible();
    await page.getByRole('link', { name: 'Clear search' }).click();
    await expect(searchBox(page)).toHaveValue('');
    await expect(page).toHaveURL(SESSIONS);
    await expectRowCount(page, (await server.list()).all);
  });

  test('an empty list explains how a session appears', async ({ startServer, openOn }) => {
    const server = await startServer({ name: 'sessions-page-empty' });
    const page = await openOn(server, null, SESSIONS);
    await signIn(page, 'admin', server.password('admin'));
    await expect(page.getByRole('heading', { name: 'No sessions yet' })).toBeVisible();
    await expect(page.getByText('as soon as somebody launches an application')).toBeVisible();
  });

  test('/ focuses the search box, and Esc clears it', async ({ server, open }) => {
    const page = await open('admin', SESSIONS);
    await page.keyboard.press('/');
    await expect(searchBox(page)).toBeFocused();
    await page.keyboard.type('a/b');
    await expect(searchBox(page), 'in the search box it types a slash').toHaveValue('a/b');
    await expect(page).toHaveURL(/q=a%2Fb/);
    await page.keyboard.press('Escape');
    await expect(searchBox(page)).toHaveValue('');
    await expect(page).toHaveURL(SESSIONS);
    await expectRowCount(page, (await server.list()).all);
  });

  test('the address holds the search: a link, Back and Forward show the same list', async ({ server, open }) => {
    const page = await open('admin', SESSIONS);
    const session = (await server.list('?sort=started_at&limit=1')).items[0] as Session;
    await searchBox(page).fill(`user:${session.username} 100%`);
    await expect(page).toHaveURL(/100%25/);
    await searchBox(page).fill(`user:${session.username}`);
    await expect(page).toHaveURL(new RegExp(`q=user%3A${encodeURIComponent(session.username)}$`));
    const { total } = await server.list(`?q=user:${session.username}`);
    await expectRowCount(page, total);
    const link = page.url();
    await page.getByRole('link', { name: 'Cloud Delivery', exact: true }).click();
    await expect(page.getByRole('heading', { name: 'My apps' })).toBeVisible();
    await page.goBack();
    await expect(searchBox(page)).toHaveValue(`user:${session.username}`);
    await expectRowCount(page, total);
    await page.goForward();
    await expect(page.getByRole('heading', { name: 'My apps' })).toBeVisible();
    const other = await open(await server.person('second', 'system-admin'), link);
    await expect(searchBox(other)).toHaveValue(`user:${session.username}`);
    await expectRowCount(other, total);
  });

  test('a header sorts the table and shows the direction', async ({ server, open }) => {
    const page = await open('admin', SESSIONS);
    const header = (name: string) => table(page).getByRole('columnheader', { name });
    await expect(header('Start date')).toHaveAttribute('aria-sort', 'descending');
    await header('Username').getByRole('link').click();
    await expect(header('Username')).toHaveAttribute('aria-sort', 'ascending');
    await expect(header('Start date')).not.toHaveAttribute('aria-sort');
    const first = (await server.list('?sort=username&limit=1')).items[0]?.username ?? '';
    await expect(table(page).locator('tbody tr').first()).toContainText(first);
    await header('Username').getByRole('link').click();
    await expect(header('Username')).toHaveAttribute('aria-sort', 'descending');
    await expect(page).toHaveURL(/sort=-username/);
    expect((await server.call('admin', 'POST', '/api/ui/set_columns', { json: { choice: null } })).status).toBe(200);
  });
});

test('an administrator signs in and expires a session with the keyboard alone', async ({ server, open }) => {
  await server.launchAs(await server.person('keyboard', 'user'));
  const page = await open(null, '/');
  const { keyboard } = page;
  const tabTo = async (target: Locator) => {
    do await keyboard.press('Tab');
    while (!(await target.evaluate((element) => element === document.activeElement)));
    await expect(target).toBeInViewport();
  };
  await expect(page.getByLabel('Username')).toBeFocused();
  await keyboard.type('admin');
  await keyboard.press('Tab');
  await keyboard.type(server.password('admin'));
  await keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'My apps' })).toBeVisible();
  await waitForHydration(page);
  await tabTo(page.getByRole('button', { name: 'admin', exact: true }));
  await keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Admin' })).toBeFocused();
  await keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Sessions', level: 1 })).toBeVisible();
  // The heading appears before the list.
  await expect(rowOf(page, 'keyboard')).toHaveCount(1);
  await keyboard.press('/');
  await expect(searchBox(page)).toBeFocused();
  await keyboard.type('user:keyboard');
  await expect(page.getByText(/^1 of /)).toBeVisible();
  await tabTo(expireButton(page, 'keyboard', ENVIRONMENT));
  await keyboard.press('Enter');
  await expect(dialog(page).getByRole('button', { name: 'Cancel' })).toBeFocused();
  await keyboard.press('Tab');
  await expect(dialog(page).getByRole('button', { name: 'Expire session' })).toBeFocused();
  await keyboard.press('Enter');
  await expectRow(page, { Username: 'keyboard', Status: 'Expired' });
});

test('times are in the time zone of the administrator’s browser', async ({ server, open }) => {
  const session = await server.launchAs(await server.person('far', 'user'));
  const page = await open('admin', SESSIONS, { timezoneId: 'Asia/Kolkata' });
  const kolkata = new Date(Date.parse(session.started_at) + 5.5 * 3600 * 1000).toISOString().slice(11, 16);
  await expectRow(page, { Username: 'far', 'Start date': new RegExp(`, ${kolkata}$`) });
  const moment = rowOf(page, 'far').getByText(kolkata);
  await expect(moment).toHaveAttribute('datetime', `${session.started_at.slice(0, 19)}Z`);
  await moment.focus();
  await expect(moment).toBeFocused();
  await server.expire(session.id);
});
