// Audit: an administrator searches and reads the event log.
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, test, waitForHydration } from '../support/test.ts';
import {
  AUDIT,
  AUDIT_HEADERS,
  auditLink,
  auditRows,
  auditTable,
  eventDetails,
  eventRows,
  eventSearch,
  followAuditLink,
  searchEvents,
} from '../support/audit.ts';
import { type Server, SIMULATED } from '../support/server.ts';
import { openColumns, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'audit', seed: 120, simulated: true } });

const status = (page: Page) => page.getByRole('main').getByRole('status').first();
const adminLink = (page: Page, name: string) => page.getByRole('navigation', { name: 'Admin' }).getByRole('link', { name });

test('an administrator finds who expired a session, why, and from which address', async ({ server, open }) => {
  const { id } = await server.launchAs(await server.person('jane', 'user'));
  const answer = await server.call('admin', 'POST', `/api/v1/sessions/${id}/expire`, { json: { reason: 'Licence needed for an exam' } });
  const page = await open('admin', '/admin');
  await adminLink(page, 'Audit').click();
  await expect(page).toHaveURL(AUDIT);
  await expect(page).toHaveTitle('Audit · Cloud Delivery');
  await expect(page.getByRole('heading', { name: 'Audit', level: 1 })).toBeVisible();
  await expect(adminLink(page, 'Audit')).toHaveAttribute('aria-current', 'page');
  await expect(auditTable(page).getByRole('columnheader')).toHaveText(AUDIT_HEADERS);

  await searchEvents(page, `session:${id} what:expired`);
  await expect(status(page)).toHaveText('1 event');
  const [event] = await auditRows(page);
  expect(event).toMatchObject({
    Who: 'admin',
    What: 'Expired by admin',
    Session: `${id} jane, ${SIMULATED.application}`,
    Reason: 'Licence needed for an exam',
    Address: '127.0.0.1',
    'Request ID': answer.headers['x-request-id'],
  });
  expect(event?.Date, 'local time').toMatch(/^\d\d \p{L}+, \d\d:\d\d:\d\d$/u);
  await expect(page.getByText('Times in Europe/Berlin')).toBeVisible();
  await expect(auditTable(page).getByRole('time')).toHaveAttribute('title', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

  await auditTable(page).getByRole('link', { name: id }).click();
  await expect(page).toHaveURL(`${SESSIONS}/${id}`);
  await expect(page.getByRole('list', { name: 'Timeline' })).toContainText('Licence needed for an exam');
  await page.goBack();
  await expect(eventSearch(page)).toHaveValue(`session:${id} what:expired`);
  await adminLink(page, 'Environments').click();
  await expect(page.getByRole('heading', { name: 'Environments', level: 1 })).toBeVisible();
});

test('an administrator finds the event of a request by its request ID', async ({ server, open }) => {
  const { id } = await server.launchAs(await server.person('traced', 'user'));
  const answer = await server.call('admin', 'POST', `/api/v1/sessions/${id}/expire`, { json: {} });
  const page = await open('admin', `${AUDIT}?q=request:${answer.headers['x-request-id']}`);
  expect((await auditRows(page)).map(({ What }) => What)).toEqual(['Expired by admin']);
});

test('Audit lists refused launches with their reasons, and changes of users and applications', async ({ server, open }) => {
  await server.cli(['application', 'add', 'Shut', '--environment', SIMULATED.environment, '--', 'desktop']);
  const mine = (await server.call('admin', 'GET', '/api/v1/applications')).json as { id: string; name: string }[];
  await server.cli(['application', 'close', 'Shut']);
  const refused = { json: { application_id: mine.find(({ name }) => name === 'Shut')?.id } };
  expect((await server.call(await server.person('late', 'user'), 'POST', '/api/v1/sessions', refused)).status).toBe(409);
  const page = await open('admin', AUDIT);
  await searchEvents(page, 'app:shut');
  const rows = await auditRows(page);
  expect(rows.map(({ What }) => What?.replace(/ by .*/, ''))).toEqual([
    'Launch of Shut refused: This application is closed to launches.',
    'Application Shut closed to launches',
    'Application Shut added',
  ]);
  expect(rows[0]).toMatchObject({ Who: 'late', Session: '', Address: '127.0.0.1' });
  await searchEvents(page, 'user:late what:added');
  expect((await auditRows(page))[0]?.What).toMatch(/^User late added.*, with the role User$/);
});

test('an administrator narrows the search to columns and times, reads its errors, and clears it', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/400 \(Bad Request\)/);
  const { id } = await server.launchAs(await server.person('zoë', 'user'));
  await server.expire(id, 'ZOE goes home');
  const page = await open('admin', AUDIT);
  const all = await status(page).innerText();
  for (const [q, count] of [
    ['zoe "goes home"', 1],
    ['reason:zoe', 1],
    ['reason:launched', 0],
    [`session:${id} before:2020-01-01`, 0],
    [`session:${id} what:expired after:2020-01-01`, 1],
  ] as const) {
    await searchEvents(page, q);
    await expect(status(page), q).toHaveText(count === 1 ? '1 event' : '0 events');
    await expect(auditTable(page).locator('tbody tr'), q).toHaveCount(count);
  }
  await searchEvents(page, 'nobody-of-this-name');
  await expect(page.getByRole('heading', { name: 'No events match “nobody-of-this-name”' })).toBeVisible();

  await searchEvents(page, 'after:yesterday');
  await expect(page.getByRole('alert')).toHaveText(/^“after:yesterday” isn’t a valid date\. Write a day as after:2026-11-01/);
  await expect(eventSearch(page)).toHaveAccessibleDescription(/isn’t a valid date/);
  await expect(auditTable(page).locator('tbody tr'), 'no events beside the error').toHaveCount(0);
  await auditLink(page, 'Clear search').click();
  await expect(page).toHaveURL(AUDIT);
  await expect(eventSearch(page)).toHaveValue('');
  await expect(status(page)).toHaveText(all);
});

test('a page of events stays the same while new events arrive', async ({ server, open }) => {
  const page = await open('admin', AUDIT);
  // The page inserts no events under the pointer.
  await eventRows(page).first().hover();
  const first = await auditRows(page);
  expect(first.length).toBe(50);
  await expect(auditLink(page, 'Newer'), 'the newest page has no newer one').toHaveCount(0);
  await followAuditLink(page, 'Older');
  const second = await auditRows(page);
  await createEvents(server, 'newcomer', 3);
  await page.reload();
  await waitForHydration(page);
  expect(await auditRows(page)).toEqual(second);
  await expect(status(page)).toHaveText(/^50 from .+ to .+$/);
  await followAuditLink(page, 'Newer');
  expect(await auditRows(page), 'the previous page is unchanged').toEqual(first);
  await followAuditLink(page, 'Newer');
  await expect(page).toHaveURL(/after=/);
  const newest = await auditRows(page);
  expect(newest.map(({ What }) => What).filter((what) => what === 'Launched by newcomer').length).toBe(3);
  expect(newest.length).toBe(50);
  await expect(auditLink(page, 'Newer')).toHaveCount(0);

  await followAuditLink(page, '100');
  expect((await auditRows(page)).length).toBe(100);
  let pages = 1;
  for (; (await auditLink(page, 'Older').count()) > 0; pages += 1) await followAuditLink(page, 'Older');
  expect(pages).toBeGreaterThan(1);
  const oldest = await auditTable(page).getByRole('time').evaluateAll((times) => times.map((time) => time.getAttribute('datetime') ?? ''));
  expect([...oldest].sort().reverse(), 'newest first').toEqual(oldest);
});

test('an administrator downloads all matching events: every column, in UTC, no formulas', async ({ server, open }) => {
  const { id } = await server.launchAs(await server.person('=cmd', 'user'));
  await server.expire(id, '=1+1, "twice"');
  const page = await open('admin', `${AUDIT}?q=session:${id}`);
  const download = page.waitForEvent('download');
  await auditLink(page, 'Export CSV').click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^audit-\d{8}T\d{6}Z\.csv$/);
  const [headers, ...lines] = readFileSync(await file.path(), 'utf8').trim().split('\n');
  expect(headers).toBe('ID,Date,Kind,Who,What,Session ID,Reason,Address,Request ID,Revision');
  expect(lines.some((line) => /^\d+,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,launched,'=cmd,Launched by =cmd,/.test(line)), lines.join('\n')).toBe(true);
  expect(lines.some((line) => line.includes(`,expired,admin,Expired by admin,${id},"'=1+1, ""twice""",127.0.0.1,`)), lines.join('\n')).toBe(true);
  const all = await server.call('admin', 'GET', '/api/v1/events.csv');
  expect(all.text.trim().split('\n').length, 'more than one page').toBeGreaterThan(120);
});

test('the API returns the same events, page by page', async ({ server }) => {
  const ask = async (query: string) => (await server.call('admin', 'GET', `/api/v1/events${query}`)).json as Events;
  const { items, next_before } = await ask('?q=what:launched&limit=60');
  expect(items.length).toBe(60);
  const rest = await ask(`?q=what:launched&limit=200&before=${next_before}`);
  expect(rest.items.length).toBeGreaterThanOrEqual(60);
  expect(rest.next_before).toBeNull();
  expect(new Set([...items, ...rest.items].map(({ id }) => id)).size).toBe(items.length + rest.items.length);
  expect(Object.keys(items[0] ?? {}).sort()).toEqual(
    ['address', 'at', 'id', 'kind', 'reason', 'request_id', 'revision', 'session_id', 'what', 'who'].sort(),
  );
});

test('an administrator pages and searches Audit without JavaScript', async ({ server, open }) => {
  await createEvents(server, 'plain', 1);
  // A user of this test only: signing out ends the login that tests share.
  const page = await open(await server.person('leaver', 'system-admin'), AUDIT, { javaScriptEnabled: false });
  await expect(auditTable(page).locator('tbody tr')).toHaveCount(50);
  await auditLink(page, 'Older').click();
  await expect(page).toHaveURL(/before=/);
  await searchEvents(page, 'user:plain what:expired');
  await expect(status(page)).toHaveText('1 event');
  await auditTable(page).getByRole('link', { name: 'Expired by admin' }).click();
  await expect(page).toHaveURL(/\/audit\/\d+\?q=/);
  await expect(eventDetails(page)).toContainText('127.0.0.1');
  await eventDetails(page).getByRole('link', { name: 'Close details' }).click();
  await expect(eventDetails(page)).toHaveCount(0);
  await auditLink(page, 'Clear search').click();
  await page.getByRole('banner').getByRole('button', { name: 'leaver' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
});

test('at 320 px each event is a card with labelled values', async ({ server, open }) => {
  const { id } = await server.launchAs(await server.person('narrow', 'user'));
  await server.expire(id, 'Maintenance at noon');
  const page = await open('admin', `${AUDIT}?q=session:${id}`, { viewport: { width: 320, height: 640 } });
  const sideways = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(await sideways()).toBe(0);
  const card = auditTable(page).getByRole('row').filter({ hasText: 'Maintenance at noon' });
  await expect(card.locator('td[data-label="Reason"]')).toBeVisible();
  const label = await card.locator('td[data-label="Reason"]').evaluate((cell) => getComputedStyle(cell, '::before').content);
  expect(label).toBe('"Reason"');
  const box = await card.boundingBox();
  expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(320);
});

test('new events appear by themselves, and wait behind a button while an administrator reads the table', async ({ server, open }) => {
  const page = await open('admin', AUDIT);
  const launched = (username: string) => eventRows(page).filter({ hasText: `Launched by ${username}` });
  await createEvents(server, 'prompt', 1);
  await expect(launched('prompt')).toHaveCount(1);
  await expect(launched('prompt')).toHaveClass('row-new');
  await expect(eventRows(page), 'the page keeps its size').toHaveCount(50);

  await eventRows(page).first().hover();
  const before = await auditRows(page);
  await createEvents(server, 'patient', 1);
  const button = page.getByRole('button', { name: /^Show \d+ new events?$/ });
  await expect(button).toBeVisible();
  await expect(page.getByRole('main').getByRole('status').filter({ hasText: /^\d+ new events?$/ })).toHaveCount(1);
  expect(await auditRows(page), 'nothing moves').toEqual(before);
  await expect(async () => {
    await button.click({ timeout: 1000 });
    await expect(launched('patient')).toHaveCount(1, { timeout: 1000 });
  }).toPass();
  await expect(page.getByRole('region', { name: 'Events' })).toBeFocused();

  await followAuditLink(page, 'Older');
  const older = await auditRows(page);
  const asked = page.waitForRequest(/newer_events/, { timeout: 6000 }).catch(() => null);
  await createEvents(server, 'unseen', 1);
  expect(await asked, 'an older page requests no newer events').toBeNull();
  expect(await auditRows(page)).toEqual(older);
});

test('the details of an event open beside the table, and Esc returns the focus to its link', async ({ server, open }) => {
  const { id } = await server.launchAs(await server.person('beside', 'user'));
  const answer = await server.call('admin', 'POST', `/api/v1/sessions/${id}/expire`, { json: { reason: 'Seat needed' } });
  const page = await open('admin', `${AUDIT}?q=session:${id}`, { permissions: ['clipboard-read', 'clipboard-write'] });
  const link = auditTable(page).getByRole('link', { name: 'Expired by admin' });
  await link.click();
  await expect(page).toHaveURL(/\/audit\/\d+\?q=/);
  const details = eventDetails(page);
  await expect(details).toBeFocused();
  for (const fact of ['Seat needed', '127.0.0.1', id, `beside, ${SIMULATED.application}`]) await expect(details).toContainText(fact);
  await expect(details.getByRole('time')).toHaveText(/^\d\d \p{L}+ \d{4}, \d\d:\d\d:\d\d CES?T$/u);
  await details.getByRole('button', { name: 'Copy request ID' }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(answer.headers['x-request-id']);
  await details.focus();
  await page.keyboard.press('Escape');
  await expect(details).toHaveCount(0);
  await expect(page).toHaveURL(`${AUDIT}?q=session%3A${id}`);
  await expect(link).toBeFocused();

  await eventRows(page).getByText('Seat needed').click();
  await expect(details).toContainText('Seat needed');
  await page.goBack();
  await expect(details).toHaveCount(0);
  await expect(eventSearch(page)).toHaveValue(`session:${id}`);

  await link.click();
  await details.getByRole('link', { name: id }).click();
  await expect(page.getByRole('region', { name: 'Session details' })).toContainText('Seat needed');
  await page.keyboard.press('Escape');
  await expect(details, 'back where the session was opened').toContainText('Seat needed');
});

test('the details of an unknown event say so', async ({ open, consoleErrors }) => {
  consoleErrors.allow(/404 \(Not Found\)/);
  for (const id of ['999999999', 'rubbish']) {
    const page = await open('admin', `${AUDIT}/${id}`);
    await expect(eventDetails(page)).toContainText('There is no such event');
    await expect(eventRows(page)).toHaveCount(50);
  }
});

test('an administrator hides columns of Audit, and the server remembers them', async ({ open }) => {
  const page = await open('admin', AUDIT);
  const menu = await openColumns(page);
  await expect(menu.getByRole('checkbox'), 'date and description stay').toHaveCount(AUDIT_HEADERS.length - 2);
  const saved = page.waitForResponse(/set_event_columns/);
  await menu.getByLabel('Address').uncheck();
  expect((await saved).status()).toBe(200);
  const left = AUDIT_HEADERS.filter((header) => header !== 'Address');
  await expect(auditTable(page).getByRole('columnheader')).toHaveText(left);
  await page.reload();
  await waitForHydration(page);
  await expect(auditTable(page).getByRole('columnheader')).toHaveText(left);
  await (await openColumns(page)).getByRole('button', { name: 'Reset to defaults' }).click();
  await expect(auditTable(page).getByRole('columnheader')).toHaveText(AUDIT_HEADERS);
});

interface Events {
  items: { id: number }[];
  next_before: number | null;
}

/** Launches and expires sessions of a user. */
async function createEvents(server: Server, username: string, count: number): Promise<void> {
  await server.person(username, 'user');
  for (let n = 0; n < count; n += 1) await server.expire((await server.launchAs(username)).id);
}
