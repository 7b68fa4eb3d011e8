// The browser for the figures, with the same options as in the tests (../chromium.ts).
import { existsSync } from 'node:fs';

import { chromium } from '@playwright/test';

const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
/**
 * The sandbox is off for containers and root. Services that use the network are off, because they disturb measurements.
 */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const CONTEXT = { locale: 'en-GB', timezoneId: 'Europe/Berlin', viewport: { width: 1280, height: 800 } };

/** Starts the browser, passes it to `use`, and always stops it. */
export async function withBrowser(use) {
  if (!existsSync(BROWSER)) throw new Error(`there is no ${BROWSER}; “scripts/setup test” installs it`);
  const browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/**
 * Creates a profile with an empty cache, passes it to `use`, and closes it. Its pages run `script` first. A cookie
 * signs it in.
 */
export async function withContext(browser, { url, cookie }, script, use) {
  const context = await browser.newContext({ ...CONTEXT, baseURL: url });
  try {
    const [, name, value] = /^([^=]+)=(.*)$/.exec(cookie ?? '') ?? [];
    if (name) await context.addCookies([{ name, value, url }]);
    await context.addInitScript(script);
    return await use(context);
  } finally {
    await context.close();
  }
}
