// The menu of a session's tab.
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { SIMULATED } from '../support/server.ts';
import { expectConnected, sessionIn } from '../support/portal.ts';

test.use({ setup: { name: 'tab-menu', simulated: true } });

const menuButton = (tab: Page) => tab.getByRole('button', { name: 'Session menu' });
const menu = (tab: Page) => tab.getByRole('region', { name: 'Session menu' });

for (const [screen, size] of [
  ['1280 px', { width: 1280, height: 720 }],
  ['320 px', { width: 320, height: 640 }],
] as const) {
  test(`the menu covers no part of the application until it opens, at ${screen}`, async ({ server, open }) => {
    const session = await server.launchAs('student');
    const tab = await open('student', `/sessions/${session.id}`, { viewport: size });
    await expectConnected(tab);
    const button = await menuButton(tab).boundingBox();
    const picture = await tab.locator('#screen').boundingBox();
    expect((button?.y ?? 0) + (button?.height ?? 0)).toBeLessThanOrEqual(picture?.y ?? 0);
    expect((picture?.y ?? 0) + (picture?.height ?? 0)).toBe(size.height);

    await menuButton(tab).click();
    await expect(menu(tab).getByRole('button', { name: 'Back to the session' })).toBeFocused();
    const panel = await menu(tab).boundingBox();
    expect(panel?.x).toBeGreaterThanOrEqual(0);
    expect((panel?.x ?? 0) + (panel?.width ?? 0)).toBeLessThanOrEqual(size.width);
    await menu(tab).getByRole('button', { name: 'End session…' }).scrollIntoViewIfNeeded();
    await expect(menu(tab).getByRole('button', { name: 'End session…' })).toBeInViewport({ ratio: 1 });

    await tab.keyboard.press('Escape');
    await expect(menu(tab)).toBeHidden();
    await expect(tab.locator('canvas')).toBeFocused();
  });
}

test('a finger opens and closes the menu, and a touch of the application closes it', async ({ server, open }) => {
  const session = await server.launchAs('student');
  const tab = await open('student', `/sessions/${session.id}`, { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true });
  await expectConnected(tab);
  await menuButton(tab).tap();
  await expect(menu(tab)).toBeVisible();
  await menuButton(tab).tap();
  await expect(menu(tab)).toBeHidden();
  await menuButton(tab).tap();
  // The panel has its full height here, so the touch is beside it.
  await tab.setViewportSize({ width: 640, height: 640 });
  await tab.touchscreen.tap(20, 500);
  await expect(menu(tab)).toBeHidden();
});

test('the user gives the room of the bar to the application, and the choice is kept', async ({ server, open }) => {
  const session = await server.launchAs('student');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectConnected(tab);
  await menuButton(tab).click();
  await menu(tab).getByRole('checkbox', { name: /^Keep the bar at the top/ }).uncheck();
  const covers = async () => (await tab.locator('#screen').boundingBox())?.y;
  await expect.poll(covers).toBe(0);
  await tab.reload();
  await expectConnected(tab);
  expect(await covers()).toBe(0);
  await menuButton(tab).click();
  await menu(tab).getByRole('checkbox', { name: /^Keep the bar at the top/ }).check();
  await expect.poll(covers).toBe(24);
});

test('the menu names the session id and copies it', async ({ server, open }) => {
  const session = await server.launchAs('student');
  const tab = await open('student', `/sessions/${session.id}`, { permissions: ['clipboard-read', 'clipboard-write'] });
  await expectConnected(tab);
  await tab.keyboard.press('Control+Alt+Shift');
  await expect(menu(tab).getByText(sessionIn(tab))).toBeVisible();
  await menu(tab).getByRole('button', { name: 'Copy session ID' }).click();
  await expect(menu(tab).getByText('Copied.')).toBeVisible();
  expect(await tab.evaluate(() => navigator.clipboard.readText())).toBe(session.id);
  await expect(menu(tab).getByText(SIMULATED.application)).toBeVisible();
});
