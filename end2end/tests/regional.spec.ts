// The language, the time zone and the fonts of a session. Judged by what the application prints and draws.
import { existsSync, readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { difference, expectConnected, expectPrompt, launch, sessionIn, settled, typeLine } from '../support/portal.ts';
import { homeFile, processesOf } from '../support/processes.ts';
import type { Server } from '../support/server.ts';

test.use({ setup: { name: 'regional' } });

// The tab of an expired session loads its last page.
test.beforeEach(({ consoleErrors }) => consoleErrors.allow(/410 \(Gone\)/));

/** A person from Austria with a computer in Japan. */
const BROWSER = { locale: 'de-AT', timezoneId: 'Asia/Tokyo' };

/** What the application in this tab knows about its user. */
async function facts(tab: Page): Promise<string> {
  await expectPrompt(tab);
  await typeLine(tab, 'date -d 2026-11-28 +%A,%Z >~/.new; mv ~/.new ~/facts');
  const file = homeFile(sessionIn(tab), 'facts', 'xterm');
  await expect.poll(() => existsSync(file)).toBe(true);
  return readFileSync(file, 'utf8').trim();
}

/** A variable of the application's environment. */
function variable(session: string, name: string): string | undefined {
  const pid = processesOf(session).find(({ command }) => command === 'xterm')?.pid;
  const all = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  return all.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

async function launchWith(server: Server, body: object, headers: Record<string, string> = {}) {
  const mine = (await server.call('student', 'GET', '/api/v1/applications')).json as { id: string; name: string }[];
  const application_id = mine.find(({ name }) => name === 'Terminal')?.id;
  return server.call('student', 'POST', '/api/v1/sessions', { json: { application_id, ...body }, headers });
}

test('a session speaks the language of the browser, in its time zone, and a second browser does not change it', async ({ server, open }) => {
  const apps = await open('student', '/', BROWSER);
  const tab = await launch(apps, 'Terminal');
  const session = sessionIn(tab);
  expect(await facts(tab)).toBe('Samstag,JST');
  // Another computer of the same person resumes the session.
  const elsewhere = await open('student', `/sessions/${session}`, { locale: 'el-GR', timezoneId: 'America/New_York' });
  await expectConnected(elsewhere);
  expect(variable(session, 'LANG')).toBe('de_DE.UTF-8');
  const again = (await launchWith(server, { locale: 'fr', time_zone: 'UTC' })).json as { id: string };
  expect(again.id).toBe(session);
  expect(variable(session, 'TZ')).toBe('Asia/Tokyo');
  await server.expire(session);
});

test('without JavaScript the language is known, and the time zone is that of the server', async ({ server, open }) => {
  const apps = await open('student', '/', { ...BROWSER, javaScriptEnabled: false });
  const tab = await launch(apps, 'Terminal');
  const session = sessionIn(tab);
  await expect.poll(() => processesOf(session).some(({ command }) => command === 'xterm')).toBe(true);
  expect(variable(session, 'LANG')).toBe('de_DE.UTF-8');
  expect(variable(session, 'TZ')).toBeUndefined();
  await server.expire(session);
});

test('a program names a locale and a time zone, and is told what is none', async ({ server }) => {
  for (const body of [
    { time_zone: '../../etc/passwd' },
    { time_zone: '/etc/passwd' },
    { time_zone: 'Europe/Berlin\0' },
    { time_zone: 'A'.repeat(10_000) },
    { time_zone: 1 },
    { locale: 'de_DE.UTF-8' },
    { locale: '../../tmp' },
    { locale: 'de\nLD_PRELOAD=x' },
  ]) {
    const refused = await launchWith(server, body);
    expect(refused.status, JSON.stringify(body).slice(0, 100)).toBe(422);
    expect(refused.text.length).toBeLessThan(500);
  }
  const hostile = { 'accept-language': `../../etc/passwd,${'x-'.repeat(5000)},de;q=NaN, ${'a1,'.repeat(1000)}` };
  const launched = (await launchWith(server, { time_zone: 'Europe/Nowhere' }, hostile)).json as { id: string };
  await expect.poll(() => processesOf(launched.id).some(({ command }) => command === 'xterm')).toBe(true);
  expect([variable(launched.id, 'LANG'), variable(launched.id, 'TZ')]).toEqual(['C.UTF-8', undefined]);
  await server.expire(launched.id);
  const second = (await launchWith(server, { locale: 'pl', time_zone: 'Europe/Warsaw' }, { 'accept-language': 'de' })).json as { id: string };
  await expect.poll(() => processesOf(second.id).some(({ command }) => command === 'xterm')).toBe(true);
  expect([variable(second.id, 'LANG'), variable(second.id, 'TZ')]).toEqual(['pl_PL.UTF-8', 'Europe/Warsaw']);
  await server.expire(second.id);
});

test('letters of each script look different from each other', async ({ server, open }) => {
  const session = await server.launchAs('student', 'Terminal');
  const tab = await open('student', `/sessions/${session.id}`);
  await expectPrompt(tab);
  await typeLine(tab, `PS1=; d() { clear; for i in {1..200}; do printf "\\u$1 "; done; }`);
  /** The terminal with this letter all over it. A letter without a font is a box like any other. */
  const drawn = async (letter: string) => {
    await typeLine(tab, `d ${letter}`);
    return settled(tab);
  };
  // Letters that no font has.
  expect(difference(await drawn('e123'), await drawn('e124'))).toBeLessThan(1);
  for (const [script, one, other] of [
    ['Latin Extended', '0131', '0152'],
    ['Greek', '03b1', '03a9'],
    ['Cyrillic', '0416', '0433'],
    ['Hebrew', '05d9', '05e9'],
    ['Arabic', '0627', '0633'],
    ['Armenian', '056b', '0574'],
    ['Chinese', '4e00', '9ad4'],
    ['Japanese', '3078', '3042'],
    ['Korean', '3163', 'd55c'],
  ] as const) {
    const [first, second] = [await drawn(one), await drawn(other)];
    expect(difference(first, second), script).toBeGreaterThan(3);
  }
  await tab.close();
  await server.expire(session.id);
});
