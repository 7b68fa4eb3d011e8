// The fixtures of all tests: a server for each file, signed-in pages, and the errors that pages write to their
// consoles.
import { type Browser, type BrowserContext, type BrowserContextOptions, expect, type Page, test as base } from '@playwright/test';
import { START_LIMIT_MS } from './limits.ts';
import { Server, type Setup } from './server.ts';

/**
 * Console errors and warnings, including those of hydration, and uncaught exceptions. A test fails on any that it does
 * not allow.
 */
export class ConsoleErrors {
  readonly seen: string[] = [];
  private readonly allowed: RegExp[] = [];

  /** Allows messages that the test provokes. Chromium itself logs each refused request. */
  allow(...patterns: RegExp[]): void {
    this.allowed.push(...patterns);
  }

  get unexpected(): string[] {
    return this.seen.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
  }
}

/** Opens a page of the file's server, in a new browser context, for a signed-in user or without a login. */
export type Open = (username: string | null, path?: string, options?: BrowserContextOptions) => Promise<Page>;
/** The same for another server. */
export type OpenOn = (server: Server, ...page: Parameters<Open>) => Promise<Page>;

interface TestFixtures {
  consoleErrors: ConsoleErrors;
  open: Open;
  openOn: OpenOn;
  /** Starts another server, for a test that stops or breaks it. */
  startServer: (setup: Setup) => Promise<Server>;
  serverLog: void;
}

interface FileFixtures {
  setup: Setup;
  server: Server;
}

export const test = base.extend<TestFixtures, FileFixtures>({
  setup: [{ name: 'plain' }, { scope: 'worker', option: true }],

  server: [
    async ({ setup }, use) => {
      const server = await Server.start(setup);
      await use(server);
      await server.stop();
    },
    { scope: 'worker', timeout: START_LIMIT_MS },
  ],

  serverLog: [
    async ({ server }, use, info) => {
      const from = server.log.length;
      await use();
      if (info.status !== info.expectedStatus) {
        await info.attach('server.log', { body: server.log.slice(from), contentType: 'text/plain' });
      }
    },
    { auto: true },
  ],

  startServer: async ({}, use, info) => {
    const started: Server[] = [];
    await use(async (setup) => {
      const server = await Server.start(setup);
      started.push(server);
      return server;
    });
    for (const server of started) {
      if (info.status !== info.expectedStatus) {
        await info.attach('server.log', { body: server.log, contentType: 'text/plain' });
      }
      await server.stop();
    }
  },

  consoleErrors: async ({}, use) => {
    const consoleErrors = new ConsoleErrors();
    await use(consoleErrors);
    expect(consoleErrors.unexpected, 'errors and warnings in the consoles of the pages').toEqual([]);
  },

  // Its pages close before the servers stop, because it depends on `startServer`.
  openOn: async ({ browser, consoleErrors, startServer: _servers }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (server, username, path = '/', options = {}) => {
      const context = await newContext(browser, server, username, options, consoleErrors);
      contexts.push(context);
      const page = await context.newPage();
      await page.goto(path);
      if (options.javaScriptEnabled !== false) await waitForHydration(page);
      return page;
    });
    for (const context of contexts) await context.close();
  },

  open: async ({ openOn, server }, use) => {
    await use((...page) => openOn(server, ...page));
  },
});

async function newContext(browser: Browser, server: Server, username: string | null, options: BrowserContextOptions, consoleErrors: ConsoleErrors) {
  const context = await browser.newContext({ baseURL: server.url, ...options });
  context.on('console', (message) => {
    const kind = message.type();
    // A page without JavaScript warns about preloaded files that it never uses.
    const counts = kind === 'error' || (kind === 'warning' && options.javaScriptEnabled !== false);
    if (counts) consoleErrors.seen.push(`${kind}: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => consoleErrors.seen.push(`uncaught: ${error.error().message}`));
  if (username !== null) {
    const [name = '', value = ''] = (await server.cookie(username)).split('=');
    await context.addCookies([{ name, value, url: server.url }]);
  }
  return context;
}

/** Waits until a page of the portal is hydrated. From then on its buttons use JavaScript. */
export async function waitForHydration(page: Page): Promise<void> {
  // A session's tab and plain error pages have no wasm application.
  if ((await page.locator('script[type="module"]:not([src])').count()) === 0) return;
  await expect(page.locator('html')).toHaveAttribute('data-alive');
}

export { expect };
