// The remaining time of a session, as its tab shows it. The test moves the clock.
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { SIMULATED } from '../support/server.ts';
import { expectConnected, expectEnded, launch, sessionIn } from '../support/portal.ts';
import { expectRow, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'time-left', simulated: true, movableClock: true } });

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Ends the session through the menu of its tab and the question. */
async function endSession(tab: Page): Promise<void> {
  await tab.keyboard.press('Control+Alt+Shift');
  await tab.getByRole('button', { name: 'End session…' }).press('Enter');
  await tab.getByRole('button', { name: 'End session and lose unsaved work' }).press('Enter');
}

const timeLeft = (tab: Page) => tab.getByRole('region', { name: 'Time left' });

test('the server warns an unused tab, then closes it; a button opens the same session again', async ({ server, open }) => {
  await server.person('idle', 'user');
  const tab = await launch(await open('idle', '/'), SIMULATED.application);
  await expectConnected(tab);
  const page = await open('admin', SESSIONS);
  server.setClock(server.now + 15 * MINUTE + 5 * SECOND);
  await expect(timeLeft(tab).getByRole('status')).toContainText(/^You’ll be disconnected in 15 min, at \d\d:\d\d .+, because of inactivity\./);

  // A key press counts as use and removes the warning.
  const used = server.now;
  await tab.keyboard.press('a');
  await expect(timeLeft(tab).getByRole('status')).toBeHidden();

  server.setClock(used + 29 * MINUTE + 10 * SECOND);
  await expect(timeLeft(tab).getByRole('status')).toContainText(/in 1 min, at .+ \d+ s$/);
  server.setClock(server.now + MINUTE);
  await expect(tab.getByText(/^Disconnected because of inactivity\. Your session is still running\. It ends at .+ unless you reconnect\.$/)).toBeVisible();
  await expectRow(page, { Username: 'idle', Status: 'Active', Connected: 'No' });
  const again = tab.getByRole('button', { name: 'Reconnect' });
  await tab.bringToFront();
  await expect(again).toBeFocused();
  await again.press('Enter');
  await expectConnected(tab);
  await expectRow(page, { Username: 'idle', Status: 'Active', Connected: 'Yes' });
  server.moveClock(0);
});

test('a tab warns before its time limit, the user dismisses the warning, and ends the session after a question', async ({ server, open, consoleErrors }) => {
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
  await expect(timeLeft(tab).getByRole('status')).toContainText(/This session reaches its time limit in 15 min, at \d\d:\d\d .+\. Save your work\./);
  await timeLeft(tab).getByRole('button', { name: 'Dismiss' }).click();
  await expect(timeLeft(tab).getByRole('status')).toBeHidden();

  server.setClock(end - 5 * MINUTE + 2 * SECOND);
  await expect(timeLeft(tab).getByRole('status')).toContainText('This session reaches its time limit in 5 min');
  await timeLeft(tab).getByRole('button', { name: 'End session…' }).click();
  const question = tab.getByRole('dialog', { name: 'End Exam?' });
  await expect(question.getByRole('button', { name: 'Cancel' })).toBeFocused();
  expect((await server.session(id)).status, 'the question does not end the session').toBe('active');
  await question.getByRole('button', { name: 'End session and lose unsaved work' }).click();
  await expectEnded(tab, id, 'You ended this session.');
  server.moveClock(0);
});

test('a user opens the menu of a tab with the keyboard, reads the limits, and ends the session', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/410 \(Gone\)/);
  await server.person('keys', 'user');
  const tab = await launch(await open('keys', '/'), SIMULATED.application);
  await expectConnected(tab);
  await tab.keyboard.press('Control+Alt+Shift');
  const back = tab.getByRole('button', { name: 'Back to the session' });
  await expect(back, 'a key that is pressed too early ends nothing').toBeFocused();
  await expect(tab.locator('#limits')).toHaveText(/^This session ends at .*\d\d:\d\d .+ at the latest\. You’ll be disconnected after 30 minutes of inactivity\.$/);
  await tab.keyboard.press('Escape');
  await expect(back).toBeHidden();
  await expect(tab.locator('canvas')).toBeFocused();
  await tab.keyboard.press('Control+Alt+Shift');
  await tab.getByRole('button', { name: 'End session…' }).press('Enter');
  const question = tab.getByRole('dialog', { name: `End ${SIMULATED.application}?` });
  await expect(question.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await tab.keyboard.press('Escape');
  await expect(question).toBeHidden();
  await tab.getByRole('button', { name: 'End session…' }).press('Enter');
  await question.getByRole('button', { name: 'End session and lose unsaved work' }).press('Enter');
  await expectEnded(tab, sessionIn(tab), 'You ended this session.');
});

test('a double click on End session ends nothing', async ({ server, open }) => {
  await server.person('double', 'user');
  const tab = await launch(await open('double', '/'), SIMULATED.application);
  await expectConnected(tab);
  await tab.keyboard.press('Control+Alt+Shift');
  await tab.getByRole('button', { name: 'End session…' }).dblclick();
  await expect(tab.getByRole('dialog', { name: `End ${SIMULATED.application}?` })).toBeVisible();
  expect((await server.session(sessionIn(tab))).status).toBe('active');
});

test('End session reports that the session goes on when the server does not answer', async ({ server, open, consoleErrors }) => {
  consoleErrors.allow(/ERR_INTERNET_DISCONNECTED|ERR_FAILED/);
  await server.person('away', 'user');
  const tab = await launch(await open('away', '/'), SIMULATED.application);
  await expectConnected(tab);
  await tab.route('**/end', (route) => route.abort());
  await endSession(tab);
  await expect(tab.getByRole('alert')).toHaveText('Couldn’t reach the server. The session is still running. Try again.');
  expect((await server.session(sessionIn(tab))).status).toBe('active');
});
