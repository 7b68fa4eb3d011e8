// The search of the Sessions page: keywords are found, completed and explained; mistakes are named.
import { expect, test, waitForHydration } from '../support/test.ts';
import { SIMULATED } from '../support/server.ts';
import { expectRowCount, searchBox, SESSIONS, table } from '../support/sessions.ts';

test.use({ setup: { name: 'search-help', seed: 20, simulated: true } });

test('a help button lists the keywords with examples, and a press inserts one', async ({ open }) => {
  const page = await open('admin', SESSIONS);
  await searchBox(page).fill('jane');
  await page.getByRole('button', { name: 'Search help' }).click();
  const help = page.getByRole('group', { name: 'Search help' });
  for (const keyword of ['user:', 'env:', 'app:', 'status:', 'connected:', 'id:', 'node:', 'error:']) await expect(help).toContainText(keyword);
  await help.getByRole('button', { name: 'status:active' }).click();
  await expect(searchBox(page)).toHaveValue('jane status:');
  await expect(searchBox(page)).toBeFocused();
});

test('the beginning of a keyword is completed, also with the keyboard', async ({ open }) => {
  const page = await open('admin', SESSIONS);
  await searchBox(page).pressSequentially('us');
  const offers = page.getByRole('group', { name: 'Keywords' });
  await expect(offers.getByRole('button')).toHaveText(['user:']);
  await page.keyboard.press('Tab');
  await expect(offers.getByRole('button', { name: 'user:' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(searchBox(page)).toHaveValue('user:');
  await expect(searchBox(page)).toBeFocused();
});

for (const [typed, advice] of [
  ['usr:admin', '“usr:” isn’t a keyword. Did you mean user:?'],
  ['status:running', '“status:running” matches nothing. A status is pending, active, expired or error.'],
  ['"jane doe', 'The quote isn’t closed. It reaches to the end of the search.'],
] as const) {
  test(`the search ${typed} names its mistake`, async ({ open }) => {
    const page = await open('admin', SESSIONS);
    await searchBox(page).fill(typed);
    await expect(page.locator('.search-advice')).toHaveText(advice);
  });
}

test('column names are keywords, connected takes true, apostrophes and quotes may be typographic, and errors are found', async ({ server, open }) => {
  const name = await server.person('o’brien', 'user').catch(() => server.person('o-brien', 'user'));
  const session = await server.launchAs(name);
  await server.cli(['application', 'add', 'Ghost', '--', 'no-such-program']);
  await server.launchAs(name, 'Ghost');
  const page = await open('admin', SESSIONS);
  for (const [search, count] of [
    [`username:${name} environment:“${SIMULATED.environment}”`, 1],
    [`username:${name.replace('’', "'")} state:active`, 1],
    [`id:${session.id} connected:false`, 1],
    [`id:${session.id} connected:true`, 0],
    [`username:${name} application:ghost`, 1],
    ['error:no-such-program', 1],
    ['no-such-program', 1],
  ] as const) {
    await searchBox(page).fill(search);
    await expectRowCount(page, count);
  }
});

test('no match under a filter names the filter, and a link takes it away', async ({ open }) => {
  const page = await open('admin', `${SESSIONS}?status=pending`);
  await expect(page.getByRole('heading', { name: 'No sessions match the filter Pending' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Clear search' })).toBeHidden();
  await searchBox(page).fill('jane');
  await expect(page.getByRole('heading', { name: 'No sessions match “jane” and the filter Pending' })).toBeVisible();
  await page.getByRole('link', { name: 'Clear search' }).click();
  await page.getByRole('link', { name: 'Show every status' }).click();
  await expect(table(page).locator('tbody tr').first()).toBeVisible();
});

test('Select all is off where nothing can be selected, and Shift selects a range', async ({ server, open }) => {
  for (const name of ['one', 'two', 'three', 'four']) await server.launchAs(await server.person(name, 'user'));
  const page = await open('admin', `${SESSIONS}?status=expired`);
  await expect(page.getByRole('checkbox', { name: 'Select all sessions on this page' })).toBeDisabled();
  await page.goto(`${SESSIONS}?status=active`);
  await waitForHydration(page);
  const boxes = table(page).locator('tbody').getByRole('checkbox');
  await boxes.nth(0).check();
  await boxes.nth(2).click({ modifiers: ['Shift'] });
  await expect(page.getByText('3 selected')).toBeVisible();
});
