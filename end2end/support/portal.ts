// The portal as a user sees it: sign-in, My apps, and the tab of a session.
import { expect, type Locator, type Page } from '@playwright/test';

/** Signs in with the form. */
export async function signIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** The card of an application on My apps. */
export const card = (page: Page, application: string): Locator => page.getByRole('article', { name: application, exact: true });

/** Clicks an element that opens a new tab, and returns that tab. */
export async function newTab(page: Page, press: Locator): Promise<Page> {
  const opened = page.context().waitForEvent('page');
  await press.click();
  return opened;
}

export async function launch(page: Page, application: string): Promise<Page> {
  return newTab(page, card(page, application).getByRole('button', { name: 'Launch' }));
}

export async function resume(page: Page, application: string): Promise<Page> {
  return newTab(page, card(page, application).getByRole('link', { name: 'Resume' }));
}

/** Waits until the tab is connected and shows the application. */
export async function expectConnected(tab: Page): Promise<void> {
  await expect(tab.locator('html')).toHaveAttribute('data-state', 'connected');
  await expect(tab.locator('#screen canvas')).toBeVisible();
}

/** The session ID from the address of a tab. */
export function sessionIn(tab: Page): string {
  const id = /^\/sessions\/([0-9a-f-]{36})$/.exec(new URL(tab.url()).pathname)?.[1];
  if (id === undefined) throw new Error(`${tab.url()} is not the address of a session`);
  return id;
}

/**
 * The average brightness in each square of 16 pixels of the application’s picture. Lossy compression makes exact pixels
 * differ.
 */
export async function picture(tab: Page): Promise<number[]> {
  return tab.locator('canvas').evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    // Scaling down averages each square.
    const copy = new OffscreenCanvas(Math.ceil(width / 16), Math.ceil(height / 16)).getContext('2d', { willReadFrequently: true });
    if (copy === null) return [];
    copy.imageSmoothingQuality = 'high';
    copy.drawImage(element as HTMLCanvasElement, 0, 0, copy.canvas.width, copy.canvas.height);
    const { data } = copy.getImageData(0, 0, copy.canvas.width, copy.canvas.height);
    return Array.from({ length: data.length / 4 }, (_, at) => ((data[at * 4] ?? 0) + (data[at * 4 + 1] ?? 0) + (data[at * 4 + 2] ?? 0)) / 3);
  });
}

/** The largest difference of a square between two pictures, from 0 to 255. */
export function difference(one: number[], other: number[]): number {
  if (one.length !== other.length) return 255;
  return one.reduce((most, light, at) => Math.max(most, Math.abs(light - (other[at] ?? 0))), 0);
}

/** The picture after it has stayed the same four times in a row, because the application’s output arrives in parts. */
export async function settled(tab: Page): Promise<number[]> {
  let last = await picture(tab);
  let unchanged = 0;
  const compare = async () => {
    const [before, now] = [last, await picture(tab)];
    last = now;
    unchanged = difference(before, now) < 1 ? unchanged + 1 : 0;
    return unchanged;
  };
  await expect.poll(compare, { intervals: [200] }).toBeGreaterThanOrEqual(4);
  return last;
}

/** Waits until the terminal shows a prompt on its dark background, so that it accepts input. */
export async function expectPrompt(tab: Page): Promise<void> {
  await expectConnected(tab);
  const squaresWithText = async () => {
    const squares = await picture(tab);
    const background = squares.at(-1) ?? 255;
    // The terminal is dark grey. Before its window opens, the screen is black or shows a desktop pattern.
    return background > 20 && background < 60 ? squares.filter((brightness) => brightness > background + 10).length : -1;
  };
  await expect.poll(squaresWithText, { intervals: [100] }).toBeGreaterThan(1);
}

/** Types a line into the application. */
export async function typeLine(tab: Page, text: string): Promise<void> {
  await tab.keyboard.type(text, { delay: 5 });
  await tab.keyboard.press('Enter');
}

/** Waits for the page that replaces the tab of an ended session. */
export async function expectEnded(tab: Page, session: string, ...texts: (string | RegExp)[]): Promise<void> {
  await expect(tab.getByRole('heading', { name: 'Your session has ended' })).toBeVisible();
  for (const text of [session, ...texts]) await expect(tab.getByText(text).first()).toBeVisible();
  await expect(tab.getByRole('link', { name: 'My apps' })).toBeVisible();
}

/** Opens the user menu and returns it. */
export async function userMenu(page: Page, username: string): Promise<Locator> {
  await page.getByRole('banner').getByRole('button', { name: username }).click();
  const menu = page.getByRole('menu', { name: 'User menu' });
  await expect(menu).toBeVisible();
  return menu;
}
