// Accessibility: axe finds no violation on any page, in any colour scheme.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, type Open, test } from '../support/test.ts';
import { AUDIT, auditTable } from '../support/audit.ts';
import { APPLICATIONS, ENVIRONMENTS } from '../support/catalogue.ts';
import { COLUMNS, type Server, SIMULATED } from '../support/server.ts';
import { card, expectConnected, expectEnded, userMenu } from '../support/portal.ts';
import { processesOf } from '../support/processes.ts';
import { askToExpire, expectRow, openColumns, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'axe', seed: 60, simulated: true } });

/** WCAG 2.0, 2.1 and 2.2, levels A and AA, and axe's best practices. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];

const COLOUR_MODES: Record<string, Parameters<Page['emulateMedia']>[0]> = {
  light: { colorScheme: 'light', forcedColors: 'none' },
  dark: { colorScheme: 'dark', forcedColors: 'none' },
  'forced colours': { colorScheme: 'light', forcedColors: 'active' },
};
/** The list with few rows. axe needs seconds for fifty, and one page with fifty rows is enough. */
const SHORT_LIST = `${SESSIONS}?limit=10`;

interface TestedPage {
  username: string | null;
  path: string;
  /** Brings the page to the state to test. */
  prepare: (page: Page) => Promise<unknown>;
  scripts?: 'none';
}

/** Each entry creates the data for its page and returns its address. */
const PAGES: Record<string, (server: Server) => Promise<TestedPage>> = {
  'sign-in': async () => ({
    username: null,
    path: '/login',
    prepare: (page) => expect(page.getByLabel('Username')).toBeVisible(),
  }),

  'sign-in after a wrong password': async () => ({
    username: null,
    path: '/login?failed=1',
    prepare: (page) => expect(page.getByRole('alert')).toBeVisible(),
  }),

  'My apps without a session': async (server) => ({
    username: await server.person('idle', 'user'),
    path: '/',
    prepare: (page) => expect(card(page, SIMULATED.application)).toContainText('Not running'),
  }),

  'My apps with a search': async (server) => ({
    username: await server.person('seeker', 'user'),
    path: '/?q=desk',
    prepare: (page) => expect(card(page, SIMULATED.application)).toBeVisible(),
  }),

  'My apps with a live session': async (server) => {
    await server.launchAs(await server.person('busy', 'user'));
    return {
      username: 'busy',
      path: '/',
      prepare: (page) => expect(card(page, SIMULATED.application)).toContainText('Active'),
    };
  },

  'My apps, the dialog that ends a session': async (server) => {
    await server.launchAs(await server.person('done', 'user'));
    return {
      username: 'done',
      path: '/',
      prepare: async (page) => {
        await card(page, SIMULATED.application).getByRole('button', { name: 'End session' }).click();
        await expect(page.getByRole('dialog')).toBeVisible();
      },
    };
  },

  'the user menu': async () => ({ username: 'admin', path: '/', prepare: (page) => userMenu(page, 'admin') }),

  'Sessions, rows of all four statuses': async (server) => {
    await everyStatus(server);
    return {
      username: 'admin',
      path: SESSIONS,
      prepare: async (page) => {
        for (const status of ['Pending', 'Active', 'Expired', 'Error']) {
          await expectRow(page, { Username: status.toLowerCase(), Status: new RegExp(`^${status}`) });
        }
      },
    };
  },

  'Sessions, all columns': async (server) => {
    const username = await server.person('wide', 'system-admin');
    await server.showColumns(username, COLUMNS);
    return {
      username,
      path: SHORT_LIST,
      prepare: (page) => expect(page.getByRole('columnheader')).toHaveCount(COLUMNS.length),
    };
  },

  'Sessions, no match': async () => ({
    username: 'admin',
    path: `${SESSIONS}?q=nobody+of+this+name`,
    prepare: (page) => expect(page.getByRole('heading', { name: /^No sessions match/ })).toBeVisible(),
  }),

  'Sessions, a wrong address': async () => ({
    username: 'admin',
    path: `${SESSIONS}?page=x`,
    prepare: (page) => expect(page.getByRole('link', { name: 'Show all sessions' })).toBeVisible(),
  }),

  'Sessions, the Columns menu': async () => ({ username: 'admin', path: SHORT_LIST, prepare: openColumns }),

  'Sessions, the dialog that expires a session': async (server) => {
    await server.launchAs(await server.person('asked', 'user'));
    return { username: 'admin', path: SHORT_LIST, prepare: (page) => askToExpire(page, 'asked', SIMULATED.environment) };
  },

  'Sessions, with the details of a session': async (server) => {
    const { id } = await server.launchAs(await server.person('detailed', 'user'));
    return {
      username: 'admin',
      path: `${SESSIONS}/${id}?limit=10`,
      prepare: (page) => expect(page.getByRole('list', { name: 'Timeline' }).getByRole('listitem')).toHaveCount(2),
    };
  },

  'Sessions, the dialog that expires many sessions': async (server) => {
    await server.launchAs(await server.person('many', 'user'));
    return {
      username: 'admin',
      path: `${SESSIONS}?q=user:many`,
      prepare: async (page) => {
        await page.getByRole('checkbox', { name: 'Select all sessions on this page' }).check();
        await page.getByRole('button', { name: 'Expire selected' }).click();
        await expect(page.getByRole('button', { name: 'Expire 1 session' })).toBeVisible();
      },
    };
  },

  Environments: async () => ({
    username: 'admin',
    path: ENVIRONMENTS,
    prepare: (page) => expect(page.getByRole('table', { name: 'Environments' })).toBeVisible(),
  }),

  Applications: async () => ({
    username: 'admin',
    path: APPLICATIONS,
    prepare: (page) => expect(page.getByRole('table', { name: 'Applications' })).toBeVisible(),
  }),

  Audit: async () => ({
    username: 'admin',
    path: AUDIT,
    prepare: (page) => expect(auditTable(page)).toBeVisible(),
  }),

  'Audit, no match': async () => ({
    username: 'admin',
    path: `${AUDIT}?q=nobody+of+this+name`,
    prepare: (page) => expect(page.getByRole('heading', { name: /^No events match/ })).toBeVisible(),
  }),

  'Audit, a search that can’t be understood': async () => ({
    username: 'admin',
    path: `${AUDIT}?q=after:yesterday`,
    prepare: (page) => expect(page.getByRole('alert')).toContainText('isn’t a valid date'),
  }),

  'the details of an event': async (server) => {
    const { items } = (await server.call('admin', 'GET', '/api/v1/events?limit=1')).json as { items: { id: number }[] };
    return {
      username: 'admin',
      path: `${AUDIT}/${items[0]?.id}`,
      prepare: (page) => expect(page.getByRole('region', { name: 'Event details' })).toContainText('Event ID'),
    };
  },

  'a new application with invalid fields': async () => ({
    username: 'admin',
    path: `${APPLICATIONS}/new`,
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Add application' }).click();
      await expect(page.getByLabel('Name', { exact: true })).toBeFocused();
    },
  }),

  'the page that expires a session, without JavaScript': async (server) => {
    const { id } = await server.launchAs(await server.person('plain', 'user'));
    return {
      username: 'admin',
      path: `${SESSIONS}/${id}/expire`,
      prepare: (page) => expect(page.getByRole('button', { name: 'Expire session' })).toBeVisible(),
      scripts: 'none',
    };
  },

  'Sessions, without JavaScript': async () => ({
    username: 'admin',
    path: SESSIONS,
    prepare: (page) => expect(page.getByRole('button', { name: 'Search' })).toBeVisible(),
    scripts: 'none',
  }),

  'a forbidden page': async () => ({
    username: 'student',
    path: SESSIONS,
    prepare: (page) => expect(page.getByText('It needs the role System Admin.')).toBeVisible(),
  }),

  'an unknown page': async () => ({
    username: 'student',
    path: '/no/such/page',
    prepare: (page) => expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible(),
  }),

  'the tab of a session': async (server) => {
    const { id } = await server.launchAs(await server.person('tab', 'user'));
    return { username: 'tab', path: `/sessions/${id}`, prepare: expectConnected };
  },

  'the tab of an ended session': async (server) => {
    const { id } = await server.launchAs(await server.person('over', 'user'));
    await server.expire(id, 'The licence is needed for an exam.');
    return { username: 'over', path: `/sessions/${id}`, prepare: (page) => expectEnded(page, id) };
  },

  'the tab of an application that could not start': async (server) => {
    const { id } = await failedSession(server, await server.person('unlucky', 'user'));
    return {
      username: 'unlucky',
      path: `/sessions/${id}`,
      prepare: (page) => expect(page.getByRole('heading', { name: 'Ghost is not running' })).toBeVisible(),
    };
  },
};

for (const [what, prepare] of Object.entries(PAGES)) {
  test(`axe finds nothing: ${what}`, async ({ server, open, consoleErrors }) => {
    // Refused requests, ended sessions, and the scripts that the test blocks.
    consoleErrors.allow(/40[034] \(|409 \(|410 \(Gone\)/, /WebSocket|Failed when connecting/);
    consoleErrors.allow(/ERR_FAILED|Failed to fetch dynamically imported module|was preloaded using link preload/);
    await expectNoViolations(open, await prepare(server));
  });
}

test('axe finds nothing: Sessions, empty', async ({ startServer, openOn }) => {
  const server = await startServer({ name: 'axe-empty' });
  await expectNoViolations((...page) => openOn(server, ...page), {
    username: 'admin',
    path: SESSIONS,
    prepare: (page) => expect(page.getByRole('heading', { name: 'No sessions yet' })).toBeVisible(),
  });
});

async function expectNoViolations(open: Open, { username, path, prepare, scripts }: TestedPage): Promise<void> {
  const page = await (scripts === 'none' ? openWithoutScripts(open, username, path) : open(username, path));
  await prepare(page);
  for (const [mode, media] of Object.entries(COLOUR_MODES)) {
    await page.emulateMedia(media);
    await finishTransitions(page);
    expect.soft(await violations(page), mode).toBe('');
  }
  await page.close();
}

/** Waits until no colour is between two values. Animations that repeat forever do not count. */
async function finishTransitions(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const finite = document.getAnimations().filter((animation) => animation.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(finite.map((animation) => animation.finished));
  });
}

/**
 * Opens a page without its scripts. axe itself needs JavaScript, so this blocks the page's scripts and swaps its
 * `scripting` media queries.
 */
async function openWithoutScripts(open: Open, username: string | null, path: string): Promise<Page> {
  const page = await open(username, '/healthz');
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
  const reports = violations.map(({ id, help, nodes }) => {
    const elements = nodes.slice(0, 5).map((node) => `${node.html.slice(0, 300)}\n    ${node.failureSummary?.replaceAll('\n', '\n    ')}`);
    return [`${id}: ${help}, ${nodes.length} times`, ...elements].join('\n  ');
  });
  return reports.join('\n');
}

/** Launches an application that can't start, and returns its session. */
async function failedSession(server: Server, username: string) {
  const all = (await server.call('admin', 'GET', '/api/v1/applications')).json as { name: string }[];
  if (!all.some(({ name }) => name === 'Ghost')) await server.cli(['application', 'add', 'Ghost', '--', 'no-such-program']);
  const session = await server.launchAs(username, 'Ghost');
  await expect.poll(async () => (await server.session(session.id)).status).toBe('error');
  return session;
}

/** Creates one session of each status. Each user is named after the status. */
async function everyStatus(server: Server): Promise<void> {
  await server.launchAs(await server.person('active', 'user'));
  await server.expire((await server.launchAs(await server.person('expired', 'user'))).id, 'Maintenance at noon');
  await failedSession(server, await server.person('error', 'user'));
  await server.person('pending', 'user');
  await expect(() => launchPending(server)).toPass({ intervals: [1] });
}

/** The sessions with a paused sandbox. A paused process survives its server. */
const pausedSessions: string[] = [];
test.afterAll(() => {
  for (const { pid } of pausedSessions.flatMap(processesOf)) process.kill(pid, 'SIGKILL');
});

/**
 * Launches a session that stays Pending: its sandbox is paused before it reports that it is ready. Fails if that is too
 * late.
 */
async function launchPending(server: Server): Promise<void> {
  const { id } = await server.launchAs('pending', 'Terminal');
  let before: string;
  const paused = () => {
    const pids = processesOf(id).map(({ pid }) => pid);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    // A process that was read before it was stopped may have started another, or ended.
    const all = pids.length > 0 && String(pids) === before;
    before = String(pids);
    return all;
  };
  await expect.poll(paused, { intervals: [1] }).toBe(true);
  const { status } = await server.session(id);
  pausedSessions.push(id);
  if (status === 'pending') return;
  for (const { pid } of processesOf(id)) process.kill(pid, 'SIGCONT');
  await server.expire(id);
  throw new Error(`the session was ${status} before its sandbox was paused`);
}
