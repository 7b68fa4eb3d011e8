// How every browser of these tests is started: Debian's Chromium, without anything that talks to the network by itself.
import { defineConfig, type PlaywrightTestConfig } from '@playwright/test';

const use: PlaywrightTestConfig['use'] = {
  browserName: 'chromium',
  locale: 'en-GB',
  timezoneId: 'Europe/Berlin',
  viewport: { width: 1280, height: 800 },
  trace: 'retain-on-failure',
  screenshot: 'only-on-failure',
  launchOptions: {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  },
};

/** A configuration for the tests in one folder. */
export function tests(testDir: string, more: PlaywrightTestConfig = {}) {
  return defineConfig({
    testDir,
    outputDir: 'test-results',
    timeout: 60_000,
    expect: { timeout: 10_000 },
    // Files run side by side, the tests of one file one after the other: they share a server.
    fullyParallel: false,
    workers: 2,
    retries: 0,
    forbidOnly: true,
    failOnFlakyTests: true,
    reporter: [['list'], ['./support/reporter.ts']],
    use,
    ...more,
  });
}
