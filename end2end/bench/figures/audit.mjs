// Searches of the event log: without a match, so that the server reads all of it, and with many matches.
import { signIn } from '../client.mjs';
import { ADMIN, withServer } from '../server.mjs';
import { quantile, repeat } from '../stats.mjs';

export const title = 'Audit search, about 30 s';

const SEARCHES = 10;
const WARM_UP = 2;
/** Searches that match nothing, one name, and everything. */
const NEEDLES = ['qqqq', 'who:dana0003', 'what:launched'];

export async function measure(bench) {
  const dataDir = await bench.dataDir('history');
  return withServer(bench, dataDir, async (server) => {
    const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
    const figures = [];
    for (const needle of NEEDLES) figures.push(await one(bench, admin, needle));
    admin.close();
    return figures;
  });
}

async function one(bench, admin, needle) {
  const search = () => admin.get(`/api/v1/events?q=${encodeURIComponent(needle)}`);
  const answer = JSON.parse((await repeat(WARM_UP, search)).at(-1).text);
  const runs = await repeat(bench.runs, async () => (await repeat(SEARCHES, search)).map(({ ms }) => ms));
  const name = `Audit search for “${needle}”, ${bench.sessions.toLocaleString('en')} events, median`;
  return { name, unit: 'ms', runs: runs.map((times) => quantile(times, 0.5)), note: `${answer.items.length} on the first page` };
}
