// My apps with 300 applications: search, favourites, recently used, icons.
import { deflateSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import { expect, test, waitForHydration } from '../support/test.ts';
import { SIMULATED, type Server } from '../support/server.ts';
import { card, expectConnected, launch } from '../support/portal.ts';
import { APPLICATIONS } from '../support/catalogue.ts';

const COUNT = 300;
const CATEGORIES = ['Chemistry', 'Éducation', 'Programming', 'Statistics', ''];
const ICONS = ['chemistry', 'book', 'code', 'statistics', ''];

test.use({ setup: { name: 'my-apps-many', simulated: true } });

test.beforeAll(async ({ server }) => {
  const environments = (await server.call('admin', 'GET', '/api/v1/environments')).json as { items: { id: string; name: string }[] };
  const environment = environments.items.find(({ name }) => name === SIMULATED.environment)?.id;
  for (let n = 0; n < COUNT; n += 1) await add(server, n, environment);
});

const nameOf = (n: number) => `Program ${String(n).padStart(3, '0')}`;

async function add(server: Server, n: number, environment_id: string | undefined): Promise<void> {
  const draft = {
    name: nameOf(n),
    description: n === 7 ? 'Zeichnet Bäume, Flüsse und Straßen.' : `Does the work of program ${n} for students.`,
    category: CATEGORIES[n % CATEGORIES.length],
    icon: ICONS[n % ICONS.length],
    launch_text: 'Launch',
    environment_id,
    program: 'desktop',
    arguments: [],
    seats: '',
    limits: ['5', '10', '30', '15', '480'],
  };
  const added = await server.call('admin', 'POST', '/api/ui/add_application', { json: { draft } });
  expect(added.status, added.text).toBe(200);
}

const search = (page: Page) => page.getByRole('searchbox', { name: 'Search applications' });
const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const cards = (page: Page) => page.getByRole('article');
const star = (page: Page, name: string) => card(page, name).getByRole('switch', { name: `Favourite: ${name}` });

test('a search finds names, descriptions and categories while the person types', async ({ open }) => {
  const page = await open('student', '/');
  await expect(cards(page)).toHaveCount(COUNT + 4);
  await search(page).fill('program 042');
  await expect(cards(page)).toHaveCount(1);
  await expect(card(page, nameOf(42))).toBeVisible();
  await expect(page.getByRole('status').filter({ hasText: `1 of ${COUNT + 4} applications` })).toBeAttached();
  for (const words of ['baume FLUSSE', 'strassen', 'Bäume']) {
    await search(page).fill(words === 'strassen' ? 'straßen' : words);
    await expect(card(page, nameOf(7)), words).toBeVisible();
    await expect(cards(page), words).toHaveCount(1);
  }
  await search(page).fill('education');
  await expect(section(page, 'Éducation')).toBeVisible();
  await expect(cards(page)).toHaveCount(COUNT / CATEGORIES.length);
  await expect(section(page, 'Statistics')).toBeHidden();

  await expect(page).toHaveURL(/\?q=education$/);
  await page.reload();
  await waitForHydration(page);
  await expect(search(page)).toHaveValue('education');
  await expect(cards(page)).toHaveCount(COUNT / CATEGORIES.length);

  await search(page).fill('no such thing');
  await expect(page.getByRole('heading', { name: 'No application matches “no such thing”.' })).toBeVisible();
  await page.getByRole('link', { name: 'Clear search' }).click();
  await expect(cards(page)).toHaveCount(COUNT + 4);
  await expect(search(page)).toBeFocused();
  await expect(search(page)).toHaveValue('');
  await expect(page).toHaveURL(/\/$/);
});

test('a link to My apps ends the search, and Back brings it again', async ({ open }) => {
  const page = await open('student', '/?q=education');
  await expect(cards(page)).toHaveCount(COUNT / CATEGORIES.length);
  await page.getByRole('link', { name: 'Cloud Delivery' }).click();
  await expect(search(page)).toHaveValue('');
  await expect(cards(page)).toHaveCount(COUNT + 4);
  await page.goBack();
  await expect(search(page)).toHaveValue('education');
  await expect(cards(page)).toHaveCount(COUNT / CATEGORIES.length);
});

test('a favourite survives a reload and follows the person to another browser', async ({ server, open }) => {
  const person = await server.person('marker', 'user');
  const page = await open(person, '/');
  const name = nameOf(123);
  await star(page, name).click();
  await expect(star(page, name)).toBeChecked();
  await expect(page.getByRole('status').filter({ hasText: `${name} is a favourite.` })).toBeVisible();
  await expect(section(page, 'Favourites'), 'nothing moves under the pointer').toBeHidden();
  await search(page).hover();
  await expect(section(page, 'Favourites').getByRole('article', { name })).toBeVisible();
  await page.reload();
  await waitForHydration(page);
  await expect(section(page, 'Favourites').getByRole('article')).toHaveCount(1);

  const elsewhere = await open(person, '/');
  await expect(star(elsewhere, name)).toBeChecked();
  await expect(section(elsewhere, 'Favourites').getByRole('article', { name })).toBeVisible();
  await expect(section(await open(await server.person('bystander', 'user'), '/'), 'Favourites')).toBeHidden();

  await star(elsewhere, name).click();
  await expect(star(elsewhere, name)).not.toBeChecked();
  await expect(star(page, name), 'the other page polls').not.toBeChecked();
  await elsewhere.reload();
  await expect(section(elsewhere, 'Favourites')).toBeHidden();
});

test('the last launches come first, after what runs', async ({ server, open }) => {
  const person = await server.person('launcher', 'user');
  for (const n of [10, 11, 12]) {
    const session = await server.launchAs(person, nameOf(n));
    if (n !== 12) await server.expire(session.id);
  }
  const page = await open(person, '/');
  await expect(page.getByRole('region').first()).toHaveAccessibleName('Running');
  await expect(section(page, 'Running').getByRole('article')).toHaveText([new RegExp(nameOf(12))]);
  await expect(section(page, 'Recently used').getByRole('article')).toHaveText([new RegExp(nameOf(11)), new RegExp(nameOf(10))]);

  const tab = await launch(page, nameOf(200));
  await expectConnected(tab);
  await tab.close();
  await page.bringToFront();
  await expect(card(page, nameOf(200))).toContainText('Active');
  await search(page).hover();
  await expect(section(page, 'Running').getByRole('article')).toHaveCount(2);
});

test('everything works with the keyboard', async ({ server, open }) => {
  const page = await open(await server.person('typist', 'user'), '/');
  const name = nameOf(250);
  await page.keyboard.press('/');
  await expect(search(page)).toBeFocused();
  await page.keyboard.type('250');
  await expect(cards(page)).toHaveCount(1);
  const press = async (target: ReturnType<typeof star>, key: string) => {
    for (let tabs = 0; tabs < 12 && !(await target.evaluate((element) => element === document.activeElement)); tabs += 1) await page.keyboard.press('Tab');
    await expect(target).toBeFocused();
    await page.keyboard.press(key);
  };
  await press(star(page, name), 'Space');
  await expect(section(page, 'Favourites').getByRole('article', { name })).toBeVisible();
  await expect(star(page, name)).toBeChecked();
  await expect(star(page, name), 'the focus follows the card').toBeFocused();
  await page.keyboard.press('Enter');
  await expect(star(page, name)).not.toBeChecked();
  await expect(star(page, name)).toBeFocused();
  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  await expect(cards(page)).toHaveCount(COUNT + 4);
  await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Statistics' }).focus();
  await page.keyboard.press('Enter');
  await expect(section(page, 'Statistics').getByRole('heading', { level: 2 })).toBeInViewport();
});

test('without JavaScript the search and the favourites are plain forms', async ({ server, open }) => {
  const person = await server.person('plain', 'user');
  const page = await open(person, '/', { javaScriptEnabled: false });
  await expect(cards(page)).toHaveCount(COUNT + 4);
  await search(page).fill('bäume');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page).toHaveURL(/\?q=b%C3%A4ume$/);
  await expect(cards(page)).toHaveCount(1);
  await star(page, nameOf(7)).click();
  await expect(star(page, nameOf(7))).toBeChecked();
  await expect(search(page), 'the search stays').toHaveValue('bäume');
  await expect(section(page, 'Favourites').getByRole('article', { name: nameOf(7) })).toBeVisible();
  await search(page).fill('nothing at all');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.getByRole('heading', { name: 'No application matches “nothing at all”.' })).toBeVisible();
  await page.getByRole('link', { name: 'Clear search' }).click();
  await expect(cards(page)).toHaveCount(COUNT + 4);
});

test('at 320 px nothing scrolls sideways', async ({ open }) => {
  const page = await open('student', '/?q=statistics', { viewport: { width: 320, height: 640 } });
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(await wide()).toBe(0);
  await search(page).fill('');
  await expect(cards(page)).toHaveCount(COUNT + 4);
  expect(await wide()).toBe(0);
});

test('nothing moves while the page loads', async ({ open }) => {
  const page = await open('student', '/');
  const moved = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value;
        }).observe({ type: 'layout-shift', buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
      }),
  );
  expect(moved).toBeLessThan(0.01);
});

for (const width of [1280, 320]) {
  test(`no card moves or grows while a session starts and ends under the pointer, ${width} px`, async ({ server, open }) => {
    const person = await server.person(`watcher${width}`, 'user');
    const page = await open(person, '/?q=statistics', { viewport: { width, height: 800 } });
    const name = nameOf(8);
    await card(page, name).hover();
    const boxes = async () => {
      const all = await page.locator('article:visible').evaluateAll((cards) => cards.slice(0, 6).map((one) => one.getBoundingClientRect()));
      return all.map(({ x, y, height }) => [x, y, height]);
    };
    const before = await boxes();
    const session = await server.launchAs(person, name);
    await expect(card(page, name)).toContainText('Active');
    expect(await boxes()).toEqual(before);
    await server.expire(session.id);
    await expect(card(page, name)).toContainText('Not running');
    expect(await boxes()).toEqual(before);
  });
}

test('a card says what is lost', async ({ open }) => {
  const page = await open('student', '/?q=042');
  await expect(card(page, nameOf(42))).toContainText('When the session ends, unsaved work is lost.');
});

test('a poll without news has no cards, and a new application appears without a reload', async ({ server, open }) => {
  const page = await open('student', '/');
  const polled = await page.waitForResponse((answer) => new URL(answer.url()).pathname === '/api/ui/my_applications' && answer.status() === 200);
  expect((await polled.body()).length).toBeLessThan(2000);
  await server.cli(['application', 'add', 'Fresh', '--category', 'Statistics', '--icon', 'simulation', '--description', 'New today.', '--', 'desktop']);
  await expect(card(page, 'Fresh')).toContainText('New today.');
  await server.cli(['application', 'close', 'Fresh']);
  await expect(card(page, 'Fresh')).toHaveCount(0);
});

test('an administrator gives an application an uploaded icon, a description and a category', async ({ open, consoleErrors }) => {
  consoleErrors.allow(/415 \(Unsupported Media Type\)/);
  const page = await open('admin', `${APPLICATIONS}/new`);
  await page.getByLabel('Name', { exact: true }).fill('Painter');
  await page.getByLabel('Description', { exact: true }).fill('x'.repeat(201));
  await page.getByLabel('Category', { exact: true }).fill('Art');
  await expect(page.getByLabel('Description', { exact: true })).toHaveAccessibleDescription(/At most 200 characters; it has 201/);
  await page.getByLabel('Description', { exact: true }).fill('Paints.');
  await page.getByLabel('Environment', { exact: true }).selectOption(SIMULATED.environment);
  await page.getByLabel('Program', { exact: true }).fill('desktop');
  await page.getByRole('radio', { name: 'Drawing' }).check();
  const upload = page.getByLabel('Upload a picture');
  await upload.setInputFiles({ name: 'a.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') });
  await expect(page.getByText('Use a PNG, JPEG or WebP file.')).toBeVisible();
  await upload.setInputFiles({ name: 'big.png', mimeType: 'image/png', buffer: Buffer.alloc(300 * 1024) });
  await expect(page.getByText('The file has 300 kB; at most 256 kB are possible.')).toBeVisible();
  await upload.setInputFiles({ name: 'red.png', mimeType: 'image/png', buffer: png(40, 20) });
  await expect(page.getByRole('radio', { name: 'Uploaded picture' })).toBeChecked();
  await page.getByRole('button', { name: 'Add application' }).click();
  await expect(page.getByText('Painter has been added.')).toBeVisible();

  const student = await open('student', '/');
  await expect(section(student, 'Art').getByRole('article', { name: 'Painter' })).toContainText('Paints.');
  const icon = card(student, 'Painter').locator('img');
  await icon.scrollIntoViewIfNeeded();
  await expect.poll(() => icon.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(128);
  const answer = await student.request.get((await icon.getAttribute('src')) ?? '');
  expect(answer.headers()).toMatchObject({
    'content-type': 'image/png',
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, max-age=31536000, immutable',
    'content-security-policy': expect.stringContaining("default-src 'none'; sandbox") as unknown as string,
  });

  await page.getByRole('link', { name: 'Edit Painter', exact: true }).click();
  await expect(page.getByRole('radio', { name: 'Uploaded picture' })).toBeChecked();
  await page.getByRole('radio', { name: 'Drawing' }).check();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText('Painter has been saved.')).toBeVisible();
  await expect(card(student, 'Painter').locator('use')).toHaveAttribute('href', '/icons/kept.svg#drawing');
});

test('a save waits for an upload, and the last picture counts', async ({ open }) => {
  const page = await open('admin', `${APPLICATIONS}/new`);
  const upload = page.getByLabel('Upload a picture');
  const uploaded = page.getByRole('radio', { name: 'Uploaded picture' });
  const file = (width: number) => ({ name: 'a.png', mimeType: 'image/png', buffer: png(width, 20) });
  await upload.setInputFiles(file(20));
  await expect(uploaded).toBeChecked();
  const first = await uploaded.getAttribute('value');
  await page.getByRole('radio', { name: 'Drawing' }).check();
  const held: (() => void)[] = [];
  await page.route('**/api/v1/pictures', async (route) => {
    await new Promise<void>((go) => held.push(go));
    await route.continue();
  });
  await upload.setInputFiles(file(30));
  await expect.poll(() => held.length).toBe(1);
  await upload.setInputFiles(file(40));
  await expect.poll(() => held.length).toBe(2);
  await expect(page.getByRole('button', { name: 'Uploading…' })).toHaveAttribute('aria-disabled', 'true');
  const answered = () => page.waitForResponse((answer) => answer.url().endsWith('/api/v1/pictures'));
  const last = answered();
  held[1]?.();
  const { icon } = (await (await last).json()) as { icon: string };
  await expect(uploaded).toHaveAttribute('value', icon);
  await expect(uploaded).toBeChecked();
  await expect(page.getByRole('button', { name: 'Add application' })).not.toHaveAttribute('aria-disabled');
  const late = answered();
  held[0]?.();
  await late;
  await expect(uploaded).toHaveAttribute('value', icon);
  expect(icon).not.toBe(first);
});

test('a category may have the title of another section', async ({ server, open }) => {
  const person = await server.person('confused', 'user');
  for (const name of ['Running', 'Favourites']) {
    await server.cli(['application', 'add', `In ${name}`, '--category', name, '--environment', SIMULATED.environment, '--', 'desktop']);
  }
  await server.launchAs(person, 'In Favourites');
  const page = await open(person, '/?q=in');
  await expect(section(page, 'Running')).toHaveCount(2);
  await expect(section(page, 'Running').first().getByRole('article')).toHaveText([/In Favourites/]);
  await expect(section(page, 'Running').last().getByRole('article')).toHaveText([/In Running/]);
  for (const name of ['Running', 'Favourites']) await server.cli(['application', 'close', `In ${name}`, '--end-sessions']);
});

test('each kept icon is drawn on the page', async ({ open }) => {
  const page = await open('admin', `${APPLICATIONS}/new`);
  const uses = page.locator('.icon-choice use');
  await expect(uses).toHaveCount(26);
  await expect.poll(() => uses.evaluateAll((all) => all.filter((use) => (use as SVGGraphicsElement).getBBox().width < 1).length)).toBe(0);
});

/** A red picture. */
function png(width: number, height: number): Buffer {
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, Buffer.from([200, 0, 0]))]);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const chunk = (kind: string, data: Buffer) => {
    const named = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(named));
    return Buffer.concat([size, named, sum]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(Buffer.alloc(row.length * height, row))), chunk('IEND', Buffer.alloc(0))]);
}

/** The checksum of a chunk. */
function crc32(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
