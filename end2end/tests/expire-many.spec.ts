// Expire for many sessions: an administrator selects, confirms, and reads a result for each.
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { type Server, SIMULATED } from '../support/server.ts';
import { expectConnected } from '../support/portal.ts';
import { expectRow, expectRowCount, rows, searchBox, SESSIONS, table } from '../support/sessions.ts';

test.use({ setup: { name: 'expire-many', seed: 12, simulated: true } });

const { application: APPLICATION, environment: ENVIRONMENT } = SIMULATED;
const bar = (page: Page) => page.getByRole('group', { name: 'Selection' });
const dialog = (page: Page) => page.getByRole('dialog', { name: 'Expire sessions' });
const box = (page: Page, name: string) => page.getByRole('checkbox', { name: `Select session of ${name} in ${ENVIRONMENT}`, exact: true });

async function launched(server: Server, prefix: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    ids.push((await server.launchAs(await server.person(`${prefix}${String(n).padStart(2, '0')}`, 'user'))).id);
  }
  return ids;
}

async function events(server: Server, id: string): Promise<{ kind: string; batch: string | null }[]> {
  const answer = await server.call('admin', 'GET', `/api/v1/sessions/${id}/details`);
  return (answer.json as { events: { kind: string; batch: string | null }[] }).events;
}

test('an administrator selects some rows, confirms the counts, and reads one result per session; all events name one batch', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  const ids = await launched(server, 'few', 3);
  const tab = await open('few00', `/sessions/${ids[0]}`);
  await expectConnected(tab);
  const page = await open('admin', `${SESSIONS}?q=user:few`);
  await expectRow(page, { Username: 'few00', Connected: 'Yes' });
  await box(page, 'few00').check();
  await box(page, 'few01').check();
  await expect(bar(page)).toContainText('2 selected');
  await bar(page).getByRole('button', { name: 'Expire selected' }).click();
  await expect(dialog(page).getByRole('row', { name: `${ENVIRONMENT} 2 1` })).toBeVisible();
  await expect(dialog(page)).toContainText('2 sessions will be expired. 1 is open in a browser tab right now.');
  await expect(dialog(page).getByRole('button', { name: 'Cancel' })).toBeFocused();
  await dialog(page).getByLabel(/^Reason/).fill('The room is closing.');
  await dialog(page).getByRole('button', { name: 'Expire 2 sessions' }).click();
  await expect(dialog(page)).toContainText('2 sessions have been expired.');
  await expect(dialog(page).getByRole('listitem')).toHaveText([
    `few00: ${APPLICATION} in ${ENVIRONMENT} – expired by admin`,
    `few01: ${APPLICATION} in ${ENVIRONMENT} – expired by admin`,
  ]);
  await dialog(page).getByRole('button', { name: 'Close' }).click();
  await expectRow(page, { Username: 'few00', Status: 'Expired', Connected: 'No', Action: /The room is closing/ });
  await expectRow(page, { Username: 'few02', Status: 'Active' });
  await expect(tab.getByText('The room is closing.')).toBeVisible();
  await expect(bar(page)).not.toContainText('selected');
  const batches = new Set<string | null | undefined>();
  for (const id of ids.slice(0, 2)) {
    const ends = (await events(server, id)).filter(({ kind }) => kind === 'expired');
    expect(ends.length).toBe(1);
    batches.add(ends[0]?.batch);
  }
  expect(batches.size, 'both events name the same batch').toBe(1);
  await server.expire(ids[2] ?? '');
});

test('the selection survives sorting, row updates and searches', async ({ server, open }) => {
  const ids = await launched(server, 'keep', 3);
  const page = await open('admin', SESSIONS);
  await box(page, 'keep01').check();
  await table(page).getByRole('columnheader', { name: 'Username' }).getByRole('link').click();
  await searchBox(page).fill('user:keep');
  await expectRowCount(page, 3);
  await expect(box(page, 'keep01')).toBeChecked();
  await expect(box(page, 'keep00')).not.toBeChecked();
  await box(page, 'keep00').check();
  await page.getByRole('searchbox').fill('');
  await expect(bar(page)).toContainText('2 selected');
  await searchBox(page).fill('user:keep');
  await expect(box(page, 'keep00')).toBeChecked();
  await server.expire(ids[0] ?? '');
  await expect(bar(page), 'an ended session is no longer selected').toContainText('1 selected');
  await bar(page).getByRole('button', { name: 'Clear selection' }).click();
  await expect(box(page, 'keep01')).not.toBeChecked();
  for (const id of ids) await server.expire(id);
  expect((await server.call('admin', 'POST', '/api/ui/set_columns', { json: { choice: null } })).status).toBe(200);
});

test('a session that its user opens during the dialog is not expired until the administrator confirms again', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  const ids = await launched(server, 'change', 2);
  const page = await open('admin', `${SESSIONS}?q=user:change`);
  await page.getByRole('checkbox', { name: 'Select all sessions on this page' }).check();
  await bar(page).getByRole('button', { name: 'Expire selected' }).click();
  await expect(dialog(page)).toContainText('2 sessions will be expired. None is open right now.');
  const tab = await open('change01', `/sessions/${ids[1]}`);
  await expectConnected(tab);
  await dialog(page).getByRole('button', { name: 'Expire 2 sessions' }).click();
  await expect(dialog(page)).toContainText('1 session has been expired. 1 changed in the meantime and was left alone.');
  await expect(dialog(page).getByRole('listitem').first()).toHaveText(
    `change01: ${APPLICATION} in ${ENVIRONMENT} – not expired: it is Active and open in a browser tab now`,
  );
  expect((await server.session(ids[1] ?? '')).status).toBe('active');
  await dialog(page).getByRole('button', { name: 'Review the remaining session' }).click();
  await expect(dialog(page)).toContainText('1 session will be expired. It is open in a browser tab right now.');
  await dialog(page).getByRole('button', { name: 'Expire 1 session' }).click();
  await expect(dialog(page)).toContainText('1 session has been expired.');
  expect((await server.session(ids[1] ?? '')).status).toBe('expired');
});

test('an administrator selects all matches on all pages; above 25 sessions the dialog asks for the number', async ({ server, open }) => {
  const ids = await launched(server, 'mass', 27);
  const page = await open('admin', `${SESSIONS}?q=user:mass&limit=20`);
  await page.getByRole('checkbox', { name: 'Select all sessions on this page' }).check();
  await expect(bar(page)).toContainText('20 selected');
  await bar(page).getByRole('button', { name: 'Select all 27 that match' }).click();
  await expect(bar(page)).toContainText('All 27 that match selected');
  await bar(page).getByRole('button', { name: 'Expire selected' }).click();
  const confirm = dialog(page).getByRole('button', { name: 'Expire 27 sessions' });
  await expect(confirm).toHaveAttribute('aria-disabled', 'true');
  await dialog(page).getByLabel('Type 27 to confirm').fill('26');
  await page.keyboard.press('Enter');
  await expect(dialog(page).getByRole('alert')).toHaveText('The number is 27.');
  expect((await server.list('?q=user:mass&status=active')).total).toBe(27);
  await dialog(page).getByLabel('Type 27 to confirm').fill('27');
  await confirm.click();
  await expect(dialog(page)).toContainText('27 sessions have been expired.');
  expect((await server.list('?q=user:mass&status=expired')).total).toBe(27);
  await dialog(page).getByRole('button', { name: 'Close' }).click();
  await expect.poll(async () => (await rows(page)).every((row) => row.Status === 'Expired')).toBe(true);
  expect(new Set(await Promise.all(ids.map(async (id) => (await events(server, id)).find(({ kind }) => kind === 'expired')?.batch))).size).toBe(1);
});

test('Esc changes nothing, ended rows have no checkbox, and a lost connection is reported for each session', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/Failed to load resource|ERR_/);
  const [id = ''] = await launched(server, 'calm', 1);
  const page = await open('admin', SESSIONS);
  await expect(page.getByRole('checkbox', { name: /^Select session of / }), 'only live sessions').toHaveCount(1);
  await box(page, 'calm00').check();
  await bar(page).getByRole('button', { name: 'Expire selected' }).click();
  await expect(dialog(page)).toContainText('1 session will be expired');
  await page.keyboard.press('Escape');
  await expect(dialog(page)).toBeHidden();
  expect((await server.session(id)).status).toBe('active');
  await page.route('**/api/ui/expire_many', (route) => route.abort());
  await bar(page).getByRole('button', { name: 'Expire selected' }).click();
  await dialog(page).getByRole('button', { name: 'Expire 1 session' }).click();
  await expect(dialog(page)).toContainText('0 sessions have been expired. 1 could not be expired.');
  await expect(dialog(page).getByRole('listitem').first()).toContainText('The server could not be reached.');
  await dialog(page).getByRole('button', { name: 'Close' }).click();
  await expect(bar(page)).toContainText('1 selected');
  await server.expire(id);
});

test('the API has the same limits and gives the same results', async ({ server }) => {
  const ids = await launched(server, 'api', 2);
  const chosen = await server.call('admin', 'POST', '/api/v1/sessions/selection', { json: { ids: [...ids, crypto.randomUUID()] } });
  expect(chosen.json).toMatchObject({ ended: 1, sessions: [{ id: ids[0] }, { id: ids[1] }] });
  const { batch } = chosen.json as { batch: string };
  const part = { batch, size: 2, reason: 'API', sessions: ids.map((id) => ({ id })) };
  for (const who of ['student', await server.person('reporter', 'reporter')]) {
    expect((await server.call(who, 'POST', '/api/v1/sessions/expire', { json: part })).status).toBe(403);
    expect((await server.call(who, 'POST', '/api/v1/sessions/selection', { json: { ids } })).status).toBe(403);
    expect((await server.call(who, 'POST', '/api/ui/expire_many', { json: { request: part } })).status).toBe(403);
  }
  const answers = await Promise.all([1, 2, 3].map(() => server.call('admin', 'POST', '/api/v1/sessions/expire', { json: part })));
  for (const answer of answers) expect(answer.json).toMatchObject(ids.map((id) => ({ id, session: { status: 'expired', ended_by: 'admin' } })));
  for (const id of ids) expect((await events(server, id)).filter(({ kind }) => kind === 'expired').length, 'each session ends once').toBe(1);
  const tooMany = { ...part, sessions: Array.from({ length: 251 }, () => ({ id: ids[0] })) };
  expect((await server.call('admin', 'POST', '/api/v1/sessions/expire', { json: tooMany })).status).toBe(400);
  expect((await server.call('admin', 'POST', '/api/v1/sessions/expire', { json: { ...part, reason: 'x'.repeat(501) } })).status).toBe(422);
  const unknown = { ...part, sessions: [{ id: crypto.randomUUID() }] };
  expect((await server.call('admin', 'POST', '/api/v1/sessions/expire', { json: unknown })).json).toMatchObject([{ problem: { status: 404 } }]);
});
