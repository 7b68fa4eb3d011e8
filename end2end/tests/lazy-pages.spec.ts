// The pieces of the browser half: a page loads its own, and a piece that cannot be loaded leaves a page that helps.
import type { Page } from '@playwright/test';
import { expect, test, waitForHydration } from '../support/test.ts';
import { AUDIT, auditTable } from '../support/audit.ts';
import { ENVIRONMENTS } from '../support/catalogue.ts';
import { SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'lazy-pages', seed: 30 } });

const adminLink = (page: Page, name: string) => page.getByRole('navigation', { name: 'Admin' }).getByRole('link', { name });
const notLoaded = (page: Page) => page.getByRole('heading', { name: 'This page could not be loaded' });

/** The names of the pieces that the page has loaded. */
function pieces(page: Page): string[] {
  const loaded: string[] = [];
  page.on('response', (response) => {
    const piece = /\/pkg\/split_(\w+)\.\w+\.wasm$/.exec(response.url())?.[1];
    if (piece) loaded.push(piece);
  });
  return loaded;
}

test('sign-in and My apps load no piece, and each page of an administrator loads its own once', async ({ open }) => {
  const page = await open('admin', '/');
  const loaded = pieces(page);
  await page.reload();
  await waitForHydration(page);
  await expect(page.getByRole('heading', { name: 'My apps' })).toBeVisible();
  expect(loaded).toEqual([]);

  await page.goto(SESSIONS);
  await waitForHydration(page);
  expect(loaded).toEqual(['sessions']);
  for (const name of ['Audit', 'Environments', 'Applications', 'Sessions', 'Audit']) {
    await adminLink(page, name).click();
    await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
  }
  expect(loaded).toEqual(['sessions', 'audit', 'environments', 'applications']);
});

test('a page whose piece comes late hydrates without a difference', async ({ open }) => {
  const page = await open('admin', SESSIONS, { timezoneId: 'Asia/Tokyo' });
  for (const path of [SESSIONS, AUDIT, ENVIRONMENTS]) {
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/pkg/split_*', async (route) => {
      await released;
      await route.continue();
    });
    await page.goto(path, { waitUntil: 'commit' });
    await page.waitForFunction(() => document.readyState !== 'loading');
    // The effects of the page's frame run in the meantime.
    await page.evaluate(() => new Promise((done) => {
      const frame = (left: number) => (left === 0 ? done(null) : requestAnimationFrame(() => frame(left - 1)));
      frame(60);
    }));
    await expect(page.locator('html'), path).not.toHaveAttribute('data-alive');
    release();
    await waitForHydration(page);
    const { shown, local } = await page.locator('time').first().evaluate((time) => ({
      shown: time.textContent ?? '',
      local: new Date(time.getAttribute('datetime') ?? '').toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' }),
    }));
    expect(shown, path).toContain(local);
    await page.unrouteAll();
  }
});

test('a link that is clicked while the page waits for its piece leads to its page', async ({ open }) => {
  const page = await open('admin', '/');
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/pkg/split_sessions.*', async (route) => {
    await released;
    await route.continue().catch(() => {});
  });
  const main = page.waitForResponse(/\/pkg\/cloud-delivery\.\w+\.wasm$/);
  await page.goto(SESSIONS, { waitUntil: 'commit' });
  await (await main).finished();
  await page.evaluate(() => new Promise((done) => {
    const frame = (left: number) => (left === 0 ? done(null) : requestAnimationFrame(() => frame(left - 1)));
    frame(60);
  }));
  await adminLink(page, 'Environments').click();
  await expect(page.getByRole('heading', { name: 'Environments', level: 1 })).toBeVisible();
  release();
  await waitForHydration(page);
  await expect(page.getByRole('heading', { name: 'Environments', level: 1 })).toBeVisible();
});

for (const [fault, act] of [
  ['the network is away', (page: Page) => page.route('**/pkg/split_audit.*', (route) => route.abort())],
  ['the server was updated and has other pieces', (page: Page) => page.route('**/pkg/split_audit.*', (route) => route.fulfill({ status: 404 }))],
] as const) {
  test(`a page whose piece cannot be loaded because ${fault} offers to try again`, async ({ open, consoleErrors }) => {
    consoleErrors.allow(/ERR_FAILED/, /404 \(Not Found\)/, /TypeError/);
    const page = await open('admin', SESSIONS);
    await act(page);
    await adminLink(page, 'Audit').click();
    await expect(notLoaded(page)).toBeVisible();
    await expect(page).toHaveURL(AUDIT);

    // The rest of the application still works.
    await adminLink(page, 'Environments').click();
    await expect(page.getByRole('heading', { name: 'Environments', level: 1 })).toBeVisible();
    await page.goBack();
    await expect(notLoaded(page)).toBeVisible();

    await page.unrouteAll();
    await page.getByRole('link', { name: 'Try again' }).click();
    await expect(auditTable(page)).toBeVisible();
    await expect(notLoaded(page)).toHaveCount(0);
  });
}

test('a page that is opened without its piece is readable, and its links work', async ({ open, consoleErrors }) => {
  consoleErrors.allow(/ERR_FAILED/, /TypeError/);
  const page = await open('admin', '/');
  await page.route('**/pkg/split_*', (route) => route.abort());
  await page.goto(SESSIONS);
  await expect(page.getByRole('table', { name: 'Sessions' }).getByRole('row')).not.toHaveCount(0);
  await adminLink(page, 'Environments').click();
  await expect(page.getByRole('heading', { name: 'Environments', level: 1 })).toBeVisible();
});
