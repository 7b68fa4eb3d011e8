// The fixtures of every test: a server for the file, browsers for the people in it, and an ear for what pages complain of.
import { type Browser, type BrowserContext, type BrowserContextOptions, expect, type Page, test as base } from '@playwright/test';
import { Server, type Setup } from './server.ts';

/** What pages write to their consoles, hydration's consoleErrors among it, and what they throw. None is expected unless allowed. */
export class ConsoleErrors {
  readonly seen: string[] = [];
  private readonly allowed: RegExp[] = [];

  /** Chromium itself prints a line for each refused request that a test provokes. */
  allow(...patterns: RegExp[]): void {
    this.allowed.push(...patterns);
  }

  get unexpected(): string[] {
    return this.seen.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
  }
}

export type Open = (who: string | null, path?: string, options?: BrowserContextOptions) => Promise<Page>;

interface ForTest {
  consoleErrors: ConsoleErrors;
  /** A page in a browser of its own, for somebody who is signed in, or for a stranger. */
  open: Open;
  /** A further server, for a test that breaks it. */
  startServer: (setup: Setup) => Promise<Server>;
  serverLog: void;
}

interface ForFile {
  setup: Setup;
  server: Server;
}

export const test = base.extend<ForTest, ForFile>({
  setup: [{ name: 'plain' }, { scope: 'worker', option: true }],

  server: [
    async ({ setup }, use) => {
      const server = await Server.start(setup);
      await use(server);
      await server.stop();
    },
    { scope: 'worker', timeout: 60_000 },
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

  open: async ({ browser, server, consoleErrors }, use) => {
    const open = opener(browser, server, consoleErrors);
    await use(open.page);
    await open.close();
  },
});

/** Opens pages of a server, and closes them all. */
export function opener(browser: Browser, server: Server, consoleErrors: ConsoleErrors) {
  const contexts: BrowserContext[] = [];
  const page: Open = async (who, path = '/', options = {}) => {
    const context = await browser.newContext({ baseURL: server.url, ...options });
    contexts.push(context);
    context.on('console', (message) => {
      const kind = message.type();
      // Without JavaScript a page preloads what it never uses.
      const counts = kind === 'error' || (kind === 'warning' && options.javaScriptEnabled !== false);
      if (counts) consoleErrors.seen.push(`${kind}: ${message.text()} (${message.location().url})`);
    });
    context.on('weberror', (error) => consoleErrors.seen.push(`thrown: ${error.error().message}`));
    if (who !== null) {
      const [name = '', value = ''] = (await server.cookie(who)).split('=');
      await context.addCookies([{ name, value, url: server.url }]);
    }
    const page = await context.newPage();
    await page.goto(path);
    if (options.javaScriptEnabled !== false) await waitForHydration(page);
    return page;
  };
  const close = async () => {
    for (const context of contexts) await context.close();
  };
  return { page, close };
}

/** Waits until a page of the portal is more than what the server drew: then its buttons do what they do with JavaScript. */
export async function waitForHydration(page: Page): Promise<void> {
  // A session's own tab and plain answers have no browser half.
  if ((await page.locator('script[type="module"]:not([src])').count()) === 0) return;
  await expect(page.locator('html')).toHaveAttribute('data-alive');
}

export { expect };
