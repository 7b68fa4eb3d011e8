// The portal as a person uses it: the way in, My apps, a session's own tab.
import { expect, type Locator, type Page } from '@playwright/test';

/** Signs in with the form. */
export async function signIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** The card of an application on My apps. */
export const card = (page: Page, application: string): Locator => page.getByRole('article', { name: application, exact: true });

/** Presses something that opens a new tab, and answers the tab. */
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

/** The application's picture is there. */
export async function expectConnected(tab: Page): Promise<void> {
  await expect(tab.locator('html')).toHaveAttribute('data-state', 'connected');
  await expect(tab.locator('canvas')).toBeVisible();
}

/** The id of the session that a tab shows. */
export function sessionIn(tab: Page): string {
  const id = /^\/sessions\/([0-9a-f-]{36})$/.exec(new URL(tab.url()).pathname)?.[1];
  if (id === undefined) throw new Error(`${tab.url()} is no session's address`);
  return id;
}

/** The lightness of the application's picture in squares of 16 points: what is sent twice is not the same to the bit. */
export async function picture(tab: Page): Promise<number[]> {
  return tab.locator('canvas').evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    // A small copy: the average of each square.
    const copy = new OffscreenCanvas(Math.ceil(width / 16), Math.ceil(height / 16)).getContext('2d', { willReadFrequently: true });
    if (copy === null) return [];
    copy.imageSmoothingQuality = 'high';
    copy.drawImage(element as HTMLCanvasElement, 0, 0, copy.canvas.width, copy.canvas.height);
    const { data } = copy.getImageData(0, 0, copy.canvas.width, copy.canvas.height);
    return Array.from({ length: data.length / 4 }, (_, at) => ((data[at * 4] ?? 0) + (data[at * 4 + 1] ?? 0) + (data[at * 4 + 2] ?? 0)) / 3);
  });
}

/** The largest difference between two pictures, from 0 to 255. */
export function difference(one: number[], other: number[]): number {
  if (one.length !== other.length) return 255;
  return one.reduce((most, light, at) => Math.max(most, Math.abs(light - (other[at] ?? 0))), 0);
}

/** The picture once it no longer changes: what the application draws arrives in pieces. */
export async function settled(tab: Page): Promise<number[]> {
  let last = await picture(tab);
  await expect
    .poll(
      async () => {
        const [before, now] = [last, await picture(tab)];
        last = now;
        return difference(before, now);
      },
      { intervals: [300] },
    )
    .toBeLessThan(1);
  return last;
}

/** The terminal shows a prompt on its dark ground, so that it takes what is typed. */
export async function expectPrompt(tab: Page): Promise<void> {
  await expectConnected(tab);
  const inked = async () => {
    const squares = await picture(tab);
    const ground = squares.at(-1) ?? 255;
    // Its ground is a dark grey; before the window is there it is black or a desktop's pattern.
    return ground > 20 && ground < 60 ? squares.filter((light) => light > ground + 10).length : -1;
  };
  await expect.poll(inked, { intervals: [100] }).toBeGreaterThan(1);
}

/** Types a line into the application. */
export async function typeLine(tab: Page, text: string): Promise<void> {
  await tab.keyboard.type(text, { delay: 5 });
  await tab.keyboard.press('Enter');
}

/** The full page that takes the place of a session that is over. */
export async function expectEnded(tab: Page, session: string, ...texts: (string | RegExp)[]): Promise<void> {
  await expect(tab.getByRole('heading', { name: 'Your session has ended' })).toBeVisible();
  for (const text of [session, ...texts]) await expect(tab.getByText(text).first()).toBeVisible();
  await expect(tab.getByRole('link', { name: 'My apps' })).toBeVisible();
}

/** Opens the user menu and answers it. */
export async function userMenu(page: Page, username: string): Promise<Locator> {
  await page.getByRole('banner').getByRole('button', { name: username }).click();
  const menu = page.getByRole('menu', { name: 'User menu' });
  await expect(menu).toBeVisible();
  return menu;
}
