// The browser of the figures that need one, started as the tests start theirs (../chromium.ts).
import { existsSync } from 'node:fs';

import { chromium } from '@playwright/test';

const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** In a container and as root; and nothing that talks to the network while we measure. */
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

/** Starts the browser, gives it to `use`, and stops it whatever happens. */
export async function withBrowser(use) {
  if (!existsSync(BROWSER)) throw new Error(`there is no ${BROWSER}; “scripts/setup test” installs it`);
  const browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/** A new profile, with nothing in its cache, whose pages run `script` before their own; signed in where there is a cookie. */
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
