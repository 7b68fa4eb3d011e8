// For everybody: axe finds nothing to complain of, on any page, whatever its colours.
import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContextOptions, Page } from '@playwright/test';
import { expect, type Open, opener, test } from '../support/test.ts';
import { AUDIT, auditTable } from '../support/audit.ts';
import { APPLICATIONS, ENVIRONMENTS } from '../support/catalogue.ts';
import { COLUMNS, type Server, SIMULATED } from '../support/server.ts';
import { card, expectConnected, expectEnded, userMenu } from '../support/portal.ts';
import { processesOf } from '../support/processes.ts';
import { askToExpire, expectRow, openColumns, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'axe', seed: 60, simulated: true } });

/** WCAG 2.0, 2.1 and 2.2, levels A and AA, and what is good practice besides. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];

const COLOUR_MODES: Record<string, BrowserContextOptions> = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'forced colours': { forcedColors: 'active' },
};

interface TestedPage {
  who: string | null;
  path: string;
  /** Brings the page to what is looked at. */
  until: (page: Page) => Promise<unknown>;
  scripts?: 'none';
}

/** Each place makes what it needs, and says where it is. */
const PAGES: Record<string, (server: Server) => Promise<TestedPage>> = {
  'the login': async () => ({
    who: null,
    path: '/login',
    until: (page) => expect(page.getByLabel('Username')).toBeVisible(),
  }),

  'the login after a wrong password': async () => ({
    who: null,
    path: '/login?failed=1',
    until: (page) => expect(page.getByRole('alert')).toBeVisible(),
  }),

  'My apps without a session': async (server) => ({
    who: await server.person('idle', 'user'),
    path: '/',
    until: (page) => expect(card(page, SIMULATED.application)).toContainText('Not running'),
  }),

  'My apps with a live session': async (server) => {
    await server.launchAs(await server.person('busy', 'user'));
    return {
      who: 'busy',
      path: '/',
      until: (page) => expect(card(page, SIMULATED.application)).toContainText('Active'),
    };
  },

  'My apps, asked whether to end a session': async (server) => {
    await server.launchAs(await server.person('done', 'user'));
    return {
      who: 'done',
      path: '/',
      until: async (page) => {
        await card(page, SIMULATED.application).getByRole('button', { name: 'End session' }).click();
        await expect(page.getByRole('dialog')).toBeVisible();
      },
    };
  },

  'the user menu': async () => ({ who: 'admin', path: '/', until: (page) => userMenu(page, 'admin') }),

  'Sessions, rows of all four statuses': async (server) => {
    await everyStatus(server);
    return {
      who: 'admin',
      path: SESSIONS,
      until: async (page) => {
        for (const status of ['Pending', 'Active', 'Expired', 'Error']) {
          await expectRow(page, { Username: status.toLowerCase(), Status: new RegExp(`^${status}`) });
        }
      },
    };
  },

  'Sessions, all columns': async (server) => {
    const who = await server.person('wide', 'system-admin');
    await server.showColumns(who, COLUMNS);
    return {
      who,
      path: SESSIONS,
      until: (page) => expect(page.getByRole('columnheader')).toHaveCount(COLUMNS.length),
    };
  },

  'Sessions, no match': async () => ({
    who: 'admin',
    path: `${SESSIONS}?q=nobody+of+this+name`,
    until: (page) => expect(page.getByRole('heading', { name: /^No sessions match/ })).toBeVisible(),
  }),

  'Sessions, an address that names no list': async () => ({
    who: 'admin',
    path: `${SESSIONS}?page=x`,
    until: (page) => expect(page.getByRole('link', { name: 'Show all sessions' })).toBeVisible(),
  }),

  'Sessions, the Columns menu': async () => ({ who: 'admin', path: SESSIONS, until: openColumns }),

  'Sessions, asked whether to expire': async (server) => {
    await server.launchAs(await server.person('asked', 'user'));
    return { who: 'admin', path: SESSIONS, until: (page) => askToExpire(page, 'asked', SIMULATED.environment) };
  },

  'Sessions, with the details of one beside them': async (server) => {
    const { id } = await server.launchAs(await server.person('detailed', 'user'));
    return {
      who: 'admin',
      path: `${SESSIONS}/${id}`,
      until: (page) => expect(page.getByRole('list', { name: 'Timeline' }).getByRole('listitem')).toHaveCount(2),
    };
  },

  'Sessions, asked whether to expire many': async (server) => {
    await server.launchAs(await server.person('many', 'user'));
    return {
      who: 'admin',
      path: `${SESSIONS}?q=user:many`,
      until: async (page) => {
        await page.getByRole('checkbox', { name: 'Select all sessions on this page' }).check();
        await page.getByRole('button', { name: 'Expire selected' }).click();
        await expect(page.getByRole('button', { name: 'Expire 1 session' })).toBeVisible();
      },
    };
  },

  Environments: async () => ({
    who: 'admin',
    path: ENVIRONMENTS,
    until: (page) => expect(page.getByRole('table', { name: 'Environments' })).toBeVisible(),
  }),

  Applications: async () => ({
    who: 'admin',
    path: APPLICATIONS,
    until: (page) => expect(page.getByRole('table', { name: 'Applications' })).toBeVisible(),
  }),

  Audit: async () => ({
    who: 'admin',
    path: AUDIT,
    until: (page) => expect(auditTable(page)).toBeVisible(),
  }),

  'Audit, no match': async () => ({
    who: 'admin',
    path: `${AUDIT}?q=nobody+of+this+name`,
    until: (page) => expect(page.getByRole('heading', { name: /^No events match/ })).toBeVisible(),
  }),

  'Audit, a search that can’t be understood': async () => ({
    who: 'admin',
    path: `${AUDIT}?q=after:yesterday`,
    until: (page) => expect(page.getByRole('alert')).toContainText('is no time'),
  }),

  'a new application that is refused': async () => ({
    who: 'admin',
    path: `${APPLICATIONS}/new`,
    until: async (page) => {
      await page.getByRole('button', { name: 'Add application' }).click();
      await expect(page.getByLabel('Name', { exact: true })).toBeFocused();
    },
  }),

  'the page that asks whether to expire, without JavaScript': async (server) => {
    const { id } = await server.launchAs(await server.person('plain', 'user'));
    return {
      who: 'admin',
      path: `${SESSIONS}/${id}/expire`,
      until: (page) => expect(page.getByRole('button', { name: 'Expire session' })).toBeVisible(),
      scripts: 'none',
    };
  },

  'Sessions, without JavaScript': async () => ({
    who: 'admin',
    path: SESSIONS,
    until: (page) => expect(page.getByRole('button', { name: 'Search' })).toBeVisible(),
    scripts: 'none',
  }),

  'a page that one may not see': async () => ({
    who: 'student',
    path: SESSIONS,
    until: (page) => expect(page.getByText('It needs the role System Admin.')).toBeVisible(),
  }),

  'a page that is none': async () => ({
    who: 'student',
    path: '/no/such/page',
    until: (page) => expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible(),
  }),

  'a session’s tab': async (server) => {
    const { id } = await server.launchAs(await server.person('tab', 'user'));
    return { who: 'tab', path: `/sessions/${id}`, until: expectConnected };
  },

  'a session’s tab when it has ended': async (server) => {
    const { id } = await server.launchAs(await server.person('over', 'user'));
    await server.expire(id, 'The licence is needed for an exam.');
    return { who: 'over', path: `/sessions/${id}`, until: (page) => expectEnded(page, id) };
  },

  'a session’s tab when its application could not start': async (server) => {
    const { id } = await failing(server, await server.person('unlucky', 'user'));
    return {
      who: 'unlucky',
      path: `/sessions/${id}`,
      until: (page) => expect(page.getByRole('heading', { name: 'Ghost is not running' })).toBeVisible(),
    };
  },
};

for (const [what, prepare] of Object.entries(PAGES)) {
  test(`axe finds nothing: ${what}`, async ({ server, open, consoleErrors }) => {
    // The longest table takes half a minute on a machine that does nothing else.
    test.setTimeout(180_000);
    // Pages that refuse, a tab that a second look takes the session over from, and scripts that we hold back.
    consoleErrors.allow(/40[034] \(|409 \(|410 \(Gone\)/, /WebSocket|Failed when connecting/);
    consoleErrors.allow(/ERR_FAILED|Failed to fetch dynamically imported module|was preloaded using link preload/);
    await expectNoViolations(open, await prepare(server));
  });
}

test('axe finds nothing: Sessions, empty', async ({ startServer, browser, consoleErrors }) => {
  const { page: open, close } = opener(browser, await startServer({ name: 'axe-empty' }), consoleErrors);
  await expectNoViolations(open, {
    who: 'admin',
    path: SESSIONS,
    until: (page) => expect(page.getByRole('heading', { name: 'No sessions yet' })).toBeVisible(),
  });
  await close();
});

async function expectNoViolations(open: Open, { who, path, until, scripts }: TestedPage): Promise<void> {
  for (const [mode, options] of Object.entries(COLOUR_MODES)) {
    const page = await (scripts === 'none' ? openWithoutScripts(open, who, path, options) : open(who, path, options));
    await until(page);
    expect.soft(await violations(page), mode).toBe('');
    await page.close();
  }
}

/** As the page is without JavaScript. Turned off, axe could not run either; so nothing loads that the page would run. */
async function openWithoutScripts(open: Open, who: string | null, path: string, options: BrowserContextOptions): Promise<Page> {
  const page = await open(who, '/healthz', options);
  await page.route(/\.(js|wasm)$/, (route) => route.abort());
  await page.route(/\.css$/, async (route) => {
    const response = await route.fetch();
    const swapped: Record<string, string> = { none: 'enabled', enabled: 'none' };
    const text = await response.text();
    await route.fulfill({ response, body: text.replace(/(scripting: ?)(none|enabled)/g, (_, name, value) => name + swapped[value]) });
  });
  await page.goto(path);
  return page;
}

async function violations(page: Page): Promise<string> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  const told = violations.map(({ id, help, nodes }) => {
    const where = nodes.slice(0, 5).map((node) => `${node.html.slice(0, 300)}\n    ${node.failureSummary?.replaceAll('\n', '\n    ')}`);
    return [`${id}: ${help}, ${nodes.length} times`, ...where].join('\n  ');
  });
  return told.join('\n');
}

/** A session that can't start. */
async function failing(server: Server, who: string) {
  const all = (await server.call('admin', 'GET', '/api/v1/applications')).json as { name: string }[];
  if (!all.some(({ name }) => name === 'Ghost')) await server.cli(['application', 'add', 'Ghost', '--', 'no-such-program']);
  const session = await server.launchAs(who, 'Ghost');
  await expect.poll(async () => (await server.session(session.id)).status).toBe('error');
  return session;
}

/** One session of each status, of people who are called so. */
async function everyStatus(server: Server): Promise<void> {
  await server.launchAs(await server.person('active', 'user'));
  await server.expire((await server.launchAs(await server.person('expired', 'user'))).id, 'Maintenance at noon');
  await failing(server, await server.person('error', 'user'));
  // A real application is ready within a second, unless its sandbox is stopped before it says so.
  const { id } = await server.launchAs(await server.person('pending', 'user'), 'Terminal');
  let before = 0;
  const stopped = () => {
    const sandbox = processesOf(id);
    // The first one alone has nothing in it yet.
    if (sandbox.length > 1) for (const { pid } of sandbox) process.kill(pid, 'SIGSTOP');
    const all = sandbox.length > 1 && sandbox.length === before;
    before = sandbox.length;
    return all;
  };
  await expect.poll(stopped, { intervals: [1] }).toBe(true);
  expect((await server.session(id)).status).toBe('pending');
}
