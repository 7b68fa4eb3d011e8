// The browser of all tests: Debian's Chromium, with every service off that uses the network by itself.
import { defineConfig, type PlaywrightTestConfig } from '@playwright/test';
import { EXPECT_LIMIT_MS, TEST_LIMIT_MS } from './support/limits.ts';

const use: PlaywrightTestConfig['use'] = {
  browserName: 'chromium',
  locale: 'en-GB',
  timezoneId: 'Europe/Berlin',
  viewport: { width: 1280, height: 800 },
  // Of a failure the error, the page's tree and a screenshot are kept. Traces of every test cost much CPU time.
  trace: 'off',
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

/** The configuration for the tests of one folder. */
export function tests(testDir: string, more: PlaywrightTestConfig = {}) {
  return defineConfig({
    testDir,
    outputDir: 'test-results',
    timeout: TEST_LIMIT_MS,
    expect: { timeout: EXPECT_LIMIT_MS },
    // Files run in parallel. The tests of one file share a server and run in order.
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
