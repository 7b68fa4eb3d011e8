// The remaining time of a session, as its tab shows it. The test moves the clock.
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { SIMULATED } from '../support/server.ts';
import { expectConnected, expectEnded, launch, sessionIn } from '../support/portal.ts';
import { expectRow, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'time-left', simulated: true, movableClock: true } });

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const timeLeft = (tab: Page) => tab.getByRole('region', { name: 'Time left' });

test('the server warns an unused tab, then closes it; a button opens the same session again', async ({ server, open }) => {
  await server.person('idle', 'user');
  const tab = await launch(await open('idle', '/'), SIMULATED.application);
  await expectConnected(tab);
  const page = await open('admin', SESSIONS);
  server.setClock(server.now + 15 * MINUTE + 5 * SECOND);
  await expect(timeLeft(tab).getByRole('status')).toContainText(/^Nobody has used this session for a while\. In 15 min, at \d\d:\d\d, this tab is closed\./);

  // A key press counts as use and removes the warning.
  const used = server.now;
  await tab.keyboard.press('a');
  await expect(timeLeft(tab).getByRole('status')).toBeHidden();

  server.setClock(used + 29 * MINUTE + 10 * SECOND);
  await expect(timeLeft(tab).getByRole('status')).toContainText(/In 1 min, at .+ \d+ s$/);
  server.setClock(server.now + MINUTE);
  await expect(tab.getByText('This tab was closed because nobody used it for too long.')).toBeVisible();
  await expectRow(page, { Username: 'idle', Status: 'Active', Connected: 'No' });
  const again = tab.getByRole('button', { name: 'Open it again' });
  await tab.bringToFront();
  await expect(again).toBeFocused();
  await again.press('Enter');
  await expectConnected(tab);
  await expectRow(page, { Username: 'idle', Status: 'Active', Connected: 'Yes' });
  server.moveClock(0);
});

test('a tab warns before its time limit, the user dismisses the warning, and ends the session with two presses', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  // An application without the limit of the test above.
  const form = { start_seconds: 300, never_connected_seconds: null, idle_seconds: null, disconnected_seconds: null, total_seconds: 8 * 3600 };
  await server.person('busy', 'user');
  await server.addApplication('Exam', form);
  const tab = await launch(await open('busy', '/'), 'Exam');
  await expectConnected(tab);
  const id = sessionIn(tab);

  const end = Date.parse((await server.session(id)).valid_until);

  server.setClock(end - 15 * MINUTE + 2 * SECOND);
  await expect(timeLeft(tab).getByRole('status')).toContainText(/This session ends in 15 min, at \d\d:\d\d: its allowed time is over then\. Save your work\./);
  await timeLeft(tab).getByRole('button', { name: 'Dismiss' }).click();
  await expect(timeLeft(tab).getByRole('status')).toBeHidden();

  server.setClock(end - 5 * MINUTE + 2 * SECOND);
  await expect(timeLeft(tab).getByRole('status')).toContainText('This session ends in 5 min');
  const now = timeLeft(tab).getByRole('button', { name: 'End session now' });
  await now.click();
  await expect(timeLeft(tab).getByRole('button', { name: 'Really end it? Unsaved work is lost' })).toBeFocused();
  expect((await server.session(id)).status, 'the first press does not end the session').toBe('active');
  await tab.keyboard.press('Enter');
  await expectEnded(tab, id, 'You ended this session.');
  server.moveClock(0);
});

test('a user opens the menu of a tab with the keyboard, reads the limits, and ends the session', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  await server.person('keys', 'user');
  const tab = await launch(await open('keys', '/'), SIMULATED.application);
  await expectConnected(tab);
  await tab.keyboard.press('Control+Alt+Shift');
  const end = tab.getByRole('button', { name: 'End session', exact: true });
  await expect(end).toBeFocused();
  await expect(tab.locator('#limits')).toHaveText(/^This session ends at \d\d:\d\d at the latest\. This tab is closed after 30 min in which nobody uses it\.$/);
  await tab.keyboard.press('Escape');
  await expect(end).toBeHidden();
  await expect(tab.locator('canvas')).toBeFocused();
  await tab.keyboard.press('Control+Alt+Shift');
  await end.press('Enter');
  await tab.keyboard.press('Enter');
  await expectEnded(tab, sessionIn(tab), 'You ended this session.');
});

test('End session reports that the session goes on when the server does not answer', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/ERR_INTERNET_DISCONNECTED|ERR_FAILED/);
  await server.person('away', 'user');
  const tab = await launch(await open('away', '/'), SIMULATED.application);
  await expectConnected(tab);
  await tab.route('**/end', (route) => route.abort());
  await tab.keyboard.press('Control+Alt+Shift');
  await tab.keyboard.press('Enter');
  await tab.keyboard.press('Enter');
  await expect(tab.getByRole('alert')).toHaveText('The server could not be reached, so the session goes on. Try again.');
  expect((await server.session(sessionIn(tab))).status).toBe('active');
});
