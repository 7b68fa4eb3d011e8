// Wrong requests and wrong settings: each gets a clear answer and changes nothing.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '../support/test.ts';
import { freePort, run } from '../support/program.ts';
import { type Server, type Session, SIMULATED } from '../support/server.ts';
import { card, expectConnected, newTab } from '../support/portal.ts';
import { expectRow, searchBox, SESSIONS } from '../support/sessions.ts';
import { handshake } from '../support/http.ts';

const UNKNOWN = '0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c11';

test.use({ setup: { name: 'bad-input', simulated: true } });

/** Runs requests, and expects that no session changed. */
async function unchanged(server: Server, work: () => Promise<void>): Promise<void> {
  // Sessions of earlier tests may still be starting, stopping or noticing a closed tab.
  const changing = async () =>
    (await server.list()).items.filter((row) => row.connected || row.status === 'pending' || row.teardown === 'wanted');
  await expect.poll(changing).toEqual([]);
  const versions = async () => (await server.list()).items.map(({ id, version }: Session) => `${id} ${version}`);
  const before = await versions();
  await work();
  expect(await versions()).toEqual(before);
}

test.describe('requests', () => {
  test('an unknown or malformed session id is refused', async ({ server }) => {
    await unchanged(server, async () => {
      for (const [id, status] of [
        [UNKNOWN, 404],
        ['not-an-id', 400],
        ['1', 400],
        ['..%2f..%2fetc%2fpasswd', 400],
      ] as const) {
        for (const [method, path] of [
          ['GET', `/api/v1/sessions/${id}`],
          ['POST', `/api/v1/sessions/${id}/expire`],
          ['POST', `/sessions/${id}/end`],
        ] as const) {
          const answer = await server.call('admin', method, path, path.endsWith('/end') ? { form: {} } : {});
          expect(answer.status, `${method} ${path}`).toBe(status);
          expect(answer.headers['content-type']).toBe('application/problem+json');
          expect(answer.json).toMatchObject({ status, code: status === 404 ? 'no_such_session' : 'malformed' });
        }
        const page = await server.call('admin', 'GET', `/sessions/${id}`);
        expect(page.status, id).toBe(status);
        expect(page.text).toContain('<h1>');
        const cookie = await server.cookie('admin');
        expect((await handshake(server.url, `/sessions/${id}/stream`, { cookie, origin: server.url })).status).toBe(status);
      }
    });
  });

  test('a launch of an unknown, malformed or closed application is refused', async ({ server }) => {
    await unchanged(server, async () => {
      const launch = (json: unknown) => server.call('student', 'POST', '/api/v1/sessions', { json });
      const unknown = await launch({ application_id: UNKNOWN });
      expect(unknown.status).toBe(404);
      expect(unknown.json).toMatchObject({ code: 'unknown_application' });
      for (const json of [{ application_id: 'x' }, {}, { application_id: UNKNOWN, more: 1 }, []]) {
        const answer = await launch(json);
        expect([400, 422], JSON.stringify(json)).toContain(answer.status);
        expect(answer.json).toMatchObject({ code: 'bad_body' });
      }
      expect((await server.call('student', 'POST', '/api/v1/sessions', { body: 'rubbish' })).status).toBe(415);

      const mine = (await server.call('student', 'GET', '/api/v1/applications')).json as { id: string; name: string }[];
      const application_id = mine.find(({ name }) => name === 'Calculator')?.id;
      await server.cli(['application', 'close', 'Calculator']);
      const closed = await launch({ application_id });
      expect(closed.status).toBe(409);
      expect(closed.json).toMatchObject({ code: 'application_closed', detail: 'This application is closed to launches.' });
      await server.cli(['application', 'open', 'Calculator']);

      const form = await server.call('student', 'POST', '/launch', { form: { application: 'not an id' } });
      expect(form.status).toBe(404);
      expect(form.text).toContain('There is no such application.');
    });
  });

  test('a launch whose program is missing ends in Error and names the program', async ({ server, open, consoleErrors }) => {
    consoleErrors.allow(/409 \(Conflict\)|410 \(Gone\)/, /WebSocket|Failed when connecting/);
    await server.cli(['application', 'add', 'Ghost', '--', 'no-such-program', '--flag']);
    const admin = await open('admin', SESSIONS);
    const student = await open('student', '/');
    const tab = await newTab(student, card(student, 'Ghost').getByRole('button', { name: 'Launch' }));
    await expectRow(admin, { Username: 'student', Environment: 'This host', Status: /^Error .*no-such-program/, Connected: 'No', Action: 'Expire' });
    await expect(tab.getByRole('heading', { name: 'Ghost is not running' })).toBeVisible();
    await expect(tab.getByText(/no-such-program/)).toBeVisible();
    const works = await newTab(student, card(student, SIMULATED.application).getByRole('button', { name: 'Launch' }));
    await expectConnected(works);
  });

  test('a search of 10,000 characters is refused', async ({ server, open, consoleErrors }) => {
    consoleErrors.allow(/400 \(Bad Request\)/);
    const long = 'é'.repeat(10_000);
    await unchanged(server, async () => {
      for (const path of ['/api/v1/sessions', '/api/v1/sessions/watch']) {
        const answer = await server.call('admin', 'GET', `${path}?q=${encodeURIComponent(long)}`);
        expect(answer.status).toBe(400);
        expect(answer.headers['content-type']).toBe('application/problem+json');
        expect(answer.json).toMatchObject({ code: 'malformed', detail: 'The search has 10000 characters; at most 200 are possible.' });
      }
      const page = await open('admin', `${SESSIONS}?q=${'a'.repeat(10_000)}`);
      await expect(page.getByText('The search has 10000 characters; at most 200 are possible.')).toBeVisible();
      await page.getByRole('link', { name: 'Show all sessions' }).click();
      await expect(searchBox(page)).toBeVisible();
      await searchBox(page).fill('b'.repeat(1000));
      await expect(searchBox(page), 'the search box limits its length or accepts all of it').toHaveValue(/^b{200}$|^b{1000}$/);
    });
  });

  test('a body of 10 MB is refused before it is read', async ({ server }) => {
    // The server refuses as soon as it knows the length, without the rest of the body.
    const body = Buffer.alloc(600_000, 'a');
    await unchanged(server, async () => {
      for (const path of ['/api/v1/sessions', `/api/v1/sessions/${UNKNOWN}/expire`, '/api/ui/expire_session', '/login', '/launch']) {
        const type = path.startsWith('/api') ? 'application/json' : 'application/x-www-form-urlencoded';
        const headers = { 'content-type': type, 'content-length': 10_000_000 };
        const answer = await server.call('admin', 'POST', path, { body, headers, unfinished: true });
        expect(answer.status, path).toBe(413);
        if (path.startsWith('/api')) expect(answer.json, path).toMatchObject({ status: 413, code: 'too_large' });
      }
      const chunked = await server.call('admin', 'POST', '/api/v1/sessions', {
        body,
        headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
        unfinished: true,
      });
      expect(chunked.status, 'also without a content-length').toBe(413);
    });
  });

  test('a stream from another site or without a page is refused', async ({ server }) => {
    const session = await server.launchAs(await server.person('streamer', 'user'));
    const cookie = await server.cookie('streamer');
    const path = `/sessions/${session.id}/stream`;
    await expect.poll(async () => (await server.session(session.id)).status).toBe('active');
    await unchanged(server, async () => {
      for (const origin of [
        'https://evil.example',
        'null',
        server.url.replace('http:', 'https:'),
        server.url.replace('127.0.0.1', 'localhost'),
        `${server.url}.evil.example`,
      ]) {
        expect((await handshake(server.url, path, { cookie, origin })).status, origin).toBe(403);
      }
      expect((await handshake(server.url, path, { cookie })).status, 'no Origin').toBe(403);
      expect((await handshake(server.url, path, { origin: server.url })).status, 'no cookie').toBe(401);
      const other = await server.cookie('admin');
      expect((await handshake(server.url, path, { cookie: other, origin: server.url })).status, 'another user’s session').toBe(404);
    });
    expect((await handshake(server.url, path, { cookie, origin: server.url })).status).toBe(101);
  });

  test('a form or call that another site makes a browser send is refused', async ({ server }) => {
    const session = await server.launchAs(await server.person('victim', 'user'));
    await expect.poll(async () => (await server.session(session.id)).status).toBe('active');
    await unchanged(server, async () => {
      for (const headers of [
        { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
        { origin: 'https://evil.example' },
        { origin: 'null', 'sec-fetch-site': 'cross-site' },
      ]) {
        for (const [path, more] of [
          [`/admin/cloud-delivery/sessions/${session.id}/expire`, { form: { reason: '' } }],
          [`/api/v1/sessions/${session.id}/expire`, { json: {} }],
          ['/api/ui/expire_session', { json: { id: session.id, request: {} } }],
          ['/logout', { form: {} }],
        ] as const) {
          expect((await server.call('admin', 'POST', path, { ...more, headers })).status, path).toBe(403);
        }
      }
    });
  });

  test('an unknown address and a wrong query get a clear answer', async ({ server, open, consoleErrors }) => {
    consoleErrors.allow(/404 \(Not Found\)/);
    const page = await open('student', '/no/such/page');
    await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
    await page.getByRole('link', { name: 'Go to My apps' }).click();
    await expect(page.getByRole('heading', { name: 'My apps' })).toBeVisible();
    expect((await server.call('student', 'GET', '/no/such/page')).status).toBe(404);
    const api = await server.call('admin', 'GET', '/api/v1/nothing');
    expect(api.status).toBe(404);
    expect(api.json).toMatchObject({ status: 404, code: 'not_found' });
    expect((await server.call('admin', 'DELETE', '/api/v1/sessions')).status).toBe(405);
    for (const query of ['limit=0', 'limit=201', 'page=x', 'status=gone', 'sort=-colour', 'cursor=rubbish']) {
      const answer = await server.call('admin', 'GET', `/api/v1/sessions?${query}`);
      expect(answer.status, query).toBe(400);
      expect(answer.json, query).toMatchObject({ code: 'malformed' });
      expect((await server.call('admin', 'GET', `${SESSIONS}?${query}`)).status, 'the page shows an error, not a crash').toBeLessThan(500);
    }
  });
});

test.describe('wrong settings', () => {
  /**
   * Starts the program with a running server’s settings and these changes. It must exit with an error message, which is
   * returned.
   */
  async function start(server: Server, settings: Record<string, string>) {
    const base = { ...server.settings, CLOUD_DELIVERY_ADDR: `127.0.0.1:${await freePort()}`, CLOUD_DELIVERY_DATA_DIR: join(server.folder, 'other') };
    const ended = await run([], { ...base, ...settings }, { cwd: server.folder });
    expect(ended.code, ended.stderr).not.toBe(0);
    expect(ended.code, 'it exits by itself').not.toBeNull();
    expect(ended.stdout).not.toContain('is ready');
    expect(ended.stderr).not.toMatch(/panicked|RUST_BACKTRACE/);
    const last = ended.stderr.trim();
    expect(last).toContain('cloud-delivery: ');
    return last;
  }

  test('an unknown or wrong setting stops the start and is named', async ({ server }) => {
    expect(await start(server, { CLOUD_DELIVERY_COLOUR: 'red' })).toMatch(/CLOUD_DELIVERY_COLOUR: there is no such setting; there are addr, data_dir/);
    expect(await start(server, { CLOUD_DELIVERY_ADDR: 'here' })).toContain('“here” is not an address');
    const file = join(server.folder, 'colour.toml');
    writeFileSync(file, '# a comment\nsimulated = true\ncolour = "red"\n');
    const message = await start(server, { CLOUD_DELIVERY_CONFIG: file });
    expect(message).toContain('colour.toml');
    expect(message).toMatch(/line 3/);
    expect(message).toContain('colour');
    expect(await start(server, { CLOUD_DELIVERY_CONFIG: join(server.folder, 'none.toml') })).toContain('none.toml');
  });

  test('a second server on the same data directory does not start', async ({ server }) => {
    await unchanged(server, async () => {
      expect(await start(server, { CLOUD_DELIVERY_DATA_DIR: server.dataDir })).toMatch(/another|already|in use/i);
    });
    expect((await server.call(null, 'GET', '/readyz')).status).toBe(200);
  });

  test('a data directory that can’t be written stops the start and is named', async ({ server }) => {
    const file = join(server.folder, 'a-file');
    writeFileSync(file, '');
    for (const folder of [join(file, 'data'), '/proc/cloud-delivery']) {
      expect(await start(server, { CLOUD_DELIVERY_DATA_DIR: folder })).toContain(folder);
    }
  });

  test('a port in use stops the start and is named', async ({ server }) => {
    const message = await start(server, { CLOUD_DELIVERY_ADDR: `127.0.0.1:${server.port}` });
    expect(message).toContain(`can't listen on 127.0.0.1:${server.port}`);
    expect(message).toContain('CLOUD_DELIVERY_ADDR');
  });
});
