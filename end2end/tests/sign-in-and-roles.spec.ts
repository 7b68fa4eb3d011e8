// Signing in and out, use without JavaScript, and the permissions of each role.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '../support/test.ts';
import { type Role, type Session, SIMULATED } from '../support/server.ts';
import { card, expectConnected, signIn, userMenu } from '../support/portal.ts';
import { call } from '../support/http.ts';
import { AUDIT } from '../support/audit.ts';
import { APPLICATIONS, ENVIRONMENTS } from '../support/catalogue.ts';
import { expectRow, expectRowCount, rowOf, searchBox, SESSIONS, table } from '../support/sessions.ts';

const UNKNOWN = '0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c11';
const WITHOUT_JAVASCRIPT = { javaScriptEnabled: false };
const SEEDED = 70;

test.use({ setup: { name: 'sign-in-and-roles', seed: SEEDED, simulated: true } });

test.describe('signing in', () => {
  test('a wrong username and a wrong password give the same message', async ({ server, open }) => {
    const texts: string[] = [];
    for (const [username, password] of [
      ['student', 'not the password'],
      ['nobody-of-this-name', server.password('student')],
    ] as const) {
      const page = await open(null, '/login');
      await signIn(page, username, password);
      texts.push(await page.getByRole('alert').innerText());
      await expect(page).toHaveURL(/\/login\?/);
      expect(page.url(), 'the address does not contain the input').not.toContain(username);
    }
    expect(texts[0]).toContain('Incorrect username or password.');
    expect(texts[1]).toBe(texts[0]);
  });

  test('signing in leads back to the requested page with its search', async ({ server, open }) => {
    const asked = `${SESSIONS}?q=user%3Aa%20%22b%22&page=2`;
    const page = await open(null, asked);
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    await signIn(page, 'admin', 'wrong the first time');
    await expect(page.getByRole('alert')).toBeVisible();
    await signIn(page, 'admin', server.password('admin'));
    await expect(page).toHaveURL(asked);
    await expect(searchBox(page)).toHaveValue('user:a "b"');
  });

  test('signing in never leads to another site', async ({ server, open }) => {
    for (const next of ['https://example.com/', '//example.com', '/\\example.com']) {
      const page = await open(null, `/login?next=${encodeURIComponent(next)}`);
      await signIn(page, 'admin', server.password('admin'));
      await expect(page).toHaveURL(`${server.url}/`);
    }
  });

  test('signing out ends the login, also for a copy of its cookie', async ({ server, open }) => {
    const page = await open(null, '/');
    await signIn(page, 'admin', server.password('admin'));
    await expect(page.getByRole('heading', { name: 'My apps' })).toBeVisible();
    const [login] = await page.context().cookies();
    expect(login).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    await (await userMenu(page, 'admin')).getByRole('menuitem', { name: 'Sign out' }).click();
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    const headers = { cookie: `${login?.name}=${login?.value}` };
    expect((await server.call(null, 'GET', '/api/v1/sessions', { headers })).status).toBe(401);
    await page.goBack();
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  });

  test('repeated guesses are throttled for that username and address', async ({ startServer }) => {
    const server = await startServer({ name: 'sign-in-and-roles-throttle' });
    const guess = (username: string) =>
      server.call(null, 'POST', '/login', { form: { username, password: 'a guess', next: '/' } });
    const answers = [];
    for (let n = 0; n < 8; n += 1) answers.push((await guess('student')).headers.location);
    expect(answers[0]).toMatch(/^\/login\?failed=1/);
    expect(answers.at(-1), 'the last guess is throttled').toMatch(/^\/login\?throttled=\d+/);
    const page = await server.call(null, 'GET', answers.at(-1) ?? '');
    expect(page.text).toMatch(/Too many attempts\. Try again in (<!--.*?-->)?\d+ (second|minute)/);
  });
});

test.describe('without JavaScript', () => {
  test('a student signs in, launches a session and ends it', async ({ server, open }) => {
    const page = await open(null, '/', WITHOUT_JAVASCRIPT);
    await signIn(page, 'student', server.password('student'));
    await expect(page.getByRole('heading', { name: 'My apps' })).toBeVisible();
    const opened = page.context().waitForEvent('page');
    await card(page, SIMULATED.application).getByRole('button', { name: 'Launch' }).click();
    const tab = await opened;
    await expect(tab.getByText('A session needs JavaScript in this tab.')).toBeVisible();
    await page.reload();
    await expect(card(page, SIMULATED.application).getByRole('link', { name: 'Resume' })).toBeVisible();
    await card(page, SIMULATED.application).getByRole('button', { name: 'End session' }).click();
    await expect(card(page, SIMULATED.application)).toContainText('Not running');
    expect((await server.list('?q=user:student')).items[0]?.status).toBe('expired');
    await (await userMenu(page, 'student')).getByRole('menuitem', { name: 'Sign out' }).click();
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  });

  test('an administrator searches and pages the list, with times in UTC', async ({ server, open }) => {
    const page = await open('admin', SESSIONS, WITHOUT_JAVASCRIPT);
    await expect(table(page).getByRole('row')).toHaveCount(51);
    await expect(table(page).locator('tbody tr').first()).toContainText(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    await expect(page.getByRole('button', { name: 'Columns' }), 'controls that need JavaScript are hidden').toBeHidden();
    await expect(page.getByRole('button', { name: /^Refresh/ })).toBeHidden();
    await page.getByRole('link', { name: 'Next' }).click();
    await expect(page).toHaveURL(/[?&]cursor=/);
    const { total } = await server.list();
    await expect(table(page).getByRole('row')).toHaveCount(total - 50 + 1);
    const oldest = (await server.list('?sort=started_at&limit=1')).items[0] as Session;
    await searchBox(page).fill(oldest.id);
    await page.getByRole('button', { name: 'Search' }).click();
    await expect(table(page).getByRole('row')).toHaveCount(2);
    await expect(page.getByText(`1 of ${total} sessions`)).toBeVisible();
  });

  test('Expire asks on a separate page, and asks again when the session has changed', async ({ server, open }) => {
    const session = await server.launchAs(await server.person('plain', 'user'));
    const page = await open('admin', SESSIONS, WITHOUT_JAVASCRIPT);
    const expire = { name: `Expire session of plain in ${SIMULATED.environment}` };
    await page.getByRole('button', expire).click();
    await expect(page.getByRole('heading', { name: 'Expire session' })).toBeVisible();
    for (const fact of ['plain', SIMULATED.environment, SIMULATED.application, 'Active', 'No']) {
      await expect(page.getByRole('definition').filter({ hasText: fact }).first()).toBeVisible();
    }
    await page.getByRole('link', { name: 'Cancel' }).click();
    await expectRow(page, { Username: 'plain', Status: 'Active' });

    await page.getByRole('button', expire).click();
    const tab = await open('plain', `/sessions/${session.id}`);
    await expect.poll(async () => (await server.session(session.id)).connected).toBe(true);
    await page.getByLabel(/^Reason/).fill('Maintenance at noon');
    await page.getByRole('button', { name: 'Expire session' }).click();
    await expect(page.getByRole('alert')).toContainText('This session has changed.');
    expect((await server.session(session.id)).status).toBe('active');
    await tab.close();
    await expect.poll(async () => (await server.session(session.id)).connected).toBe(false);
    await page.getByLabel(/^Reason/).fill('Maintenance at noon');
    await page.getByRole('button', { name: 'Expire session' }).click();
    await expect(page).toHaveURL(SESSIONS);
    await expect(rowOf(page, 'plain')).toContainText(/Expired .+ by admin/);
    await expect(rowOf(page, 'plain')).toContainText('Maintenance at noon');
    await expectRowCount(page, 50);
  });
});

test.describe('permissions', () => {
  const PEOPLE: [string, Role][] = [
    ['student', 'user'],
    ['rita', 'reporter'],
    ['anton', 'app-admin'],
  ];
  const VIEW = { q: '', status: null, connected: false, sort: null, limit: 50, page: 1, cursor: null };
  /** Valid arguments for each server function. */
  const EVENTS = { q: '', limit: 50, place: 'newest' };
  const ADMIN_FUNCTIONS: Record<string, unknown> = {
    columns: {},
    set_columns: { choice: null },
    list_sessions: { view: VIEW },
    session_details: { id: UNKNOWN },
    selection: { selector: { matching: VIEW } },
    expire_session: { id: UNKNOWN, request: {} },
    expire_many: { request: { batch: UNKNOWN, size: 1, sessions: [{ id: UNKNOWN }] } },
    refresh_sessions: {},
    list_environments: {},
    set_environment_launches: { id: UNKNOWN, to: 'closed' },
    set_homes: { id: UNKNOWN, to: { kind: 'kept', limit_mib: 1 } },
    give_up_cleanup: { id: UNKNOWN },
    list_events: { view: EVENTS },
    newer_events: { view: EVENTS, seen: null },
    event_details: { id: 1 },
    event_columns: {},
    set_event_columns: { choice: null },
  };
  const DRAFT = { name: 'x', launch_text: '', environment_id: UNKNOWN, program: 'x', arguments: [], seats: '', limits: [null, null, null, null, null] };
  const POLICY = { start_seconds: null, never_connected_seconds: null, idle_seconds: null, disconnected_seconds: null, total_seconds: null };
  const SEEN = { name: 'x', launch_text: 'x', environment_id: UNKNOWN, command: ['x'], seats: null, policy: POLICY };
  const APP_ADMIN_FUNCTIONS: Record<string, unknown> = {
    list_applications: {},
    application_form: { id: null },
    add_application: { draft: DRAFT },
    edit_application: { id: UNKNOWN, draft: DRAFT, seen: SEEN },
    set_application_launches: { id: UNKNOWN, to: 'closed' },
  };
  const EVERYBODYS_FUNCTIONS: Record<string, unknown> = { me: {}, end_session: { id: UNKNOWN }, set_favourite: { id: UNKNOWN, favourite: true } };
  /** Server functions that only read. Pages poll them with GET. */
  const POLLED_FUNCTIONS = ['my_applications'];
  const ADMIN_ROUTES: [string, string][] = [
    ['GET', '/api/v1/sessions'],
    ['POST', '/api/v1/sessions/refresh'],
    ['GET', '/api/v1/sessions/watch'],
    ['GET', '/api/v1/sessions.csv'],
    ['GET', '/api/v1/events'],
    ['GET', '/api/v1/events.csv'],
    ['GET', `/api/v1/sessions/${UNKNOWN}/details`],
    ['POST', `/api/v1/sessions/${UNKNOWN}/expire`],
    ['POST', `/admin/cloud-delivery/sessions/${UNKNOWN}/expire`],
    ['POST', `/api/v1/sessions/${UNKNOWN}/give-up`],
    ['POST', '/api/v1/users/admin/block'],
    ['POST', '/api/v1/users/admin/unblock'],
    ['DELETE', '/api/v1/users/admin'],
    ['GET', '/api/v1/environments'],
    ['POST', `/api/v1/environments/${UNKNOWN}/open`],
    ['POST', `/api/v1/environments/${UNKNOWN}/close`],
  ];
  const PAGES = [SESSIONS, `${SESSIONS}/${UNKNOWN}`, `${SESSIONS}/${UNKNOWN}/expire`, ENVIRONMENTS, AUDIT, `${AUDIT}/1`];
  const APP_ADMIN_PAGES = ['/admin', APPLICATIONS, `${APPLICATIONS}/new`, `${APPLICATIONS}/${UNKNOWN}`];

  test('the lists of this test name every server function', () => {
    const folder = new URL('../../app/src/api/', import.meta.url);
    const source = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
    const endpoints = [...source.matchAll(/endpoint = "(\w+)"/g)].map(([, name]) => name);
    const listed = { ...ADMIN_FUNCTIONS, ...APP_ADMIN_FUNCTIONS, ...EVERYBODYS_FUNCTIONS };
    expect(endpoints.sort()).toEqual([...Object.keys(listed), ...POLLED_FUNCTIONS].sort());
  });

  for (const [username, role] of PEOPLE) {
    test(`a user with the role ${role} may not use the admin pages, server functions and routes`, async ({ server, open, consoleErrors }) => {
      consoleErrors.allow(/403 \(Forbidden\)/);
      await server.person(username, role);
      const theirs = await server.launchAs(username);
      const page = await open(username, SESSIONS);
      await expect(page.getByText('It needs the role System Admin.')).toBeVisible();
      await expect(page.getByText(`You are signed in as ${username}`)).toBeVisible();
      await expect(table(page)).toHaveCount(0);
      await page.goto('/');
      const item = (await userMenu(page, username)).getByRole('menuitem', { name: 'Admin' });
      await expect(item).toHaveCount(role === 'app-admin' ? 1 : 0);

      const isAppAdmin = role === 'app-admin';
      for (const path of isAppAdmin ? PAGES : [...PAGES, ...APP_ADMIN_PAGES]) {
        const answer = await server.call(username, 'GET', path, { headers: { accept: 'text/html' } });
        const status = answer.status === 302 ? (await server.call(username, 'GET', answer.headers.location ?? '')).status : answer.status;
        expect(status, path).toBe(403);
      }
      const refused = isAppAdmin ? ADMIN_FUNCTIONS : { ...ADMIN_FUNCTIONS, ...APP_ADMIN_FUNCTIONS };
      for (const [name, json] of Object.entries(refused)) {
        const answer = await server.call(username, 'POST', `/api/ui/${name}`, { json });
        expect(answer.status, name).toBe(403);
      }
      for (const [method, path] of ADMIN_ROUTES) {
        const more = path.startsWith('/admin') ? { form: { reason: '' } } : {};
        expect((await server.call(username, method, path, more)).status, `${method} ${path}`).toBe(403);
      }
      const own = await server.call(username, 'POST', `/api/v1/sessions/${theirs.id}/expire`, { json: {} });
      expect(own.status, 'not even their own session').toBe(403);
      expect(own.json).toMatchObject({ code: 'forbidden' });
      expect(await server.session(theirs.id)).toMatchObject({ status: 'active' });
    });
  }

  test('pages send a visitor to sign in, and everything else answers 401', async ({ server }) => {
    for (const path of ['/', ...PAGES, ...APP_ADMIN_PAGES, `/sessions/${UNKNOWN}`]) {
      const answer = await server.call(null, 'GET', path);
      expect(answer.status, path).toBe(303);
      expect(decodeURIComponent(answer.headers.location ?? '')).toBe(`/login?next=${path}`);
    }
    for (const [name, json] of Object.entries({ ...ADMIN_FUNCTIONS, ...APP_ADMIN_FUNCTIONS, ...EVERYBODYS_FUNCTIONS })) {
      expect((await server.call(null, 'POST', `/api/ui/${name}`, { json })).status, name).toBe(401);
    }
    for (const name of POLLED_FUNCTIONS) expect((await server.call(null, 'GET', `/api/ui/${name}`)).status, name).toBe(401);
    const more: [string, string][] = [
      ['GET', '/api/v1/applications'],
      ['GET', `/api/v1/sessions/${UNKNOWN}`],
      ['POST', '/api/v1/sessions'],
      ['POST', '/launch'],
      ['POST', '/favourites'],
      ['POST', '/api/v1/pictures'],
      ['PUT', `/api/v1/applications/${UNKNOWN}/favourite`],
      ['POST', `/sessions/${UNKNOWN}/end`],
    ];
    for (const [method, path] of [...ADMIN_ROUTES, ...more]) {
      expect((await server.call(null, method, path)).status, `${method} ${path}`).toBe(401);
    }
  });

  test('an open page reports that its user has lost the role', async ({ server, open, consoleErrors }) => {
    consoleErrors.allow(/403 \(Forbidden\)/);
    await server.person('former', 'system-admin');
    const page = await open('former', SESSIONS);
    await expect(table(page)).toBeVisible();
    await server.cli(['user', 'set-role', 'former', 'user']);
    await expect.poll(async () => (await server.call('former', 'GET', '/api/v1/sessions')).status).toBe(403);
    await expect(page.getByRole('alert')).toContainText('Your role has changed.');
  });

  test('an open page reports that its login has ended, and signing in leads back to it', async ({ server, open, consoleErrors }) => {
    consoleErrors.allow(/401 \(Unauthorized\)/);
    await server.person('ousted', 'system-admin');
    const page = await open('ousted', `${SESSIONS}?q=status%3Aexpired`);
    await expect(table(page)).toBeVisible();
    await server.cli(['user', 'set-password', 'ousted'], 'another fine password\n');
    await expect(page.getByRole('alert')).toContainText('Your login has ended.');
    await page.getByRole('link', { name: 'Sign in again' }).click();
    await signIn(page, 'ousted', 'another fine password');
    await expect(page).toHaveURL(`${SESSIONS}?q=status%3Aexpired`);
    await expect(table(page)).toBeVisible();
  });

  test('ending all logins disconnects a session’s tab; the session goes on, and its user resumes it after signing in', async ({ server, open }) => {
    const session = await server.launchAs(await server.person('shared-computer', 'user'));
    const cookie = await server.signIn('shared-computer');
    const tab = await open('shared-computer', `/sessions/${session.id}`);
    await expectConnected(tab);
    const ended = await call(server.url, cookie, 'POST', '/logout', { form: { everywhere: 'true' }, headers: { origin: server.url } });
    expect(ended.status).toBe(303);
    await expect(tab.getByText('You’ve been signed out, so this tab was disconnected. Your session is still running.')).toBeVisible();
    await expect(tab.locator('#screen canvas'), 'the tab removes the application’s picture').toHaveCount(0);
    expect(await server.session(session.id)).toMatchObject({ status: 'active', connected: false });
    await tab.getByRole('button', { name: 'Continue' }).click();
    await signIn(tab, 'shared-computer', server.password('shared-computer'));
    await expectConnected(tab);
    await expect(tab).toHaveURL(`${server.url}/sessions/${session.id}`);
  });
});

test('a failed sign-in keeps the username and moves the focus to the password', async ({ server, open }) => {
  await server.person('forgetful', 'user');
  const page = await open(null, '/login');
  await signIn(page, 'forgetful', 'not the password');
  await expect(page.getByRole('alert')).toHaveText('Incorrect username or password.');
  await expect(page.getByLabel('Username')).toHaveValue('forgetful');
  await expect(page.getByLabel('Password')).toBeFocused();
  expect(page.url()).not.toContain('forgetful');
});
