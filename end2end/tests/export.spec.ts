// The list as a CSV file for a spreadsheet.
import { readFileSync } from 'node:fs';
import { expect, test } from '../support/test.ts';
import { ALL_HEADERS, EXTRA_HEADERS, searchBox, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'export', seed: 1200, simulated: true } });

/** The records of a CSV file (RFC 4180) that begins with a byte order mark. */
function records(file: string): string[][] {
  expect(file[0]).toBe('\u{feff}');
  const text = file.slice(1);
  const all = [...text.matchAll(/("(?:[^"]|"")*"|[^,\n]*)(,|\n|$)/g)];
  const out: string[][] = [[]];
  for (const [, cell = '', end] of all) {
    out.at(-1)?.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === '\n') out.push([]);
  }
  return out.filter((record) => record.length > 1);
}

test('an administrator exports the filtered and sorted list with every column, in UTC', async ({ server, open }) => {
  const page = await open('admin', `${SESSIONS}?sort=username`);
  await searchBox(page).fill('lab');
  await expect(page).toHaveURL(/q=lab/);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Export CSV' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^sessions-\d{8}T\d{6}Z\.csv$/);
  const [headers, ...rows] = records(readFileSync(await file.path(), 'utf8'));
  expect(headers).toEqual([...ALL_HEADERS, ...EXTRA_HEADERS]);
  const { total, items } = await server.list('?q=lab&sort=username&limit=200');
  expect(rows.length).toBe(total);
  expect(total).toBeGreaterThan(200);
  expect(rows.slice(0, 200).map(([id]) => id)).toEqual(items.map(({ id }) => id));
  const iso = (at: string) => `${at.slice(0, 19)}Z`;
  const [first] = items;
  expect(rows[0]?.slice(0, 8)).toEqual([
    first?.id,
    first?.environment_id,
    first?.environment,
    'Expired',
    first?.user_id,
    first?.username,
    'No',
    iso(first?.started_at ?? ''),
  ]);
  expect(rows.every((row) => row.length === headers?.length)).toBe(true);
});

test('no text that a user typed becomes a formula, and quotes stay inside their cell', async ({ server }) => {
  const session = await server.launchAs(await server.person('=cmd|calc', 'user'));
  await server.expire(session.id, 'said "no", twice\n=1+1');
  const answer = await server.call('admin', 'GET', `/api/v1/sessions.csv?q=id:${session.id}`);
  expect(answer.headers['content-type']).toContain('text/csv');
  const [, row] = records(answer.text);
  expect(row?.[5]).toBe("'=cmd|calc");
  expect(row?.[13]).toBe('Expired by an administrator: said "no", twice\n=1+1');
});

test('an empty result has headers, an invalid query is refused, and only a System Admin may export', async ({ server }) => {
  const none = await server.call('admin', 'GET', '/api/v1/sessions.csv?q=nobody-of-this-name');
  expect(records(none.text).length).toBe(1);
  expect((await server.call('admin', 'GET', '/api/v1/sessions.csv?sort=colour')).status).toBe(400);
  expect((await server.call('student', 'GET', '/api/v1/sessions.csv')).status).toBe(403);
  expect((await server.call(null, 'GET', '/api/v1/sessions.csv')).status).toBe(401);
});
