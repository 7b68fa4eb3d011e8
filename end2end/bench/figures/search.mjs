// Searches for three characters inside a word or an ID, with the exact count of all matches.
import { signIn } from '../client.mjs';
import { ADMIN, withServer } from '../server.mjs';
import { p50AndP99, quantile, repeat } from '../stats.mjs';

export const title = 'search, about 30 s';

/** Parts of frequent and rare names, of IDs, with an accent, of a status (every row matches), and without a match. */
export const NEEDLES = ['ngi', 'rar', 'abv', 'mar', 'jör', 'f3a', '042', '-7b', 'pir', 'qqq'];
/** Searches per needle and run. */
const ROUNDS = 40;
const WARM_UP = 3;
/** The aim for the server's p99 in milliseconds. */
const AIM = 5;

export const searchPath = (needle) => `/api/v1/sessions?q=${encodeURIComponent(needle)}`;

export async function measure(bench) {
  const dataDir = await bench.dataDir('history');
  return withServer(bench, dataDir, async (server) => {
    const admin = await signIn(server.url, ADMIN.username, ADMIN.password);
    const round = async () => {
      const answers = [];
      for (const needle of NEEDLES) answers.push({ needle, ...(await admin.get(searchPath(needle))) });
      return answers;
    };
    await repeat(WARM_UP, round);
    const runs = await repeat(bench.runs, async () => (await repeat(ROUNDS, round)).flat());
    admin.close();
    return figures(runs);
  });
}

function figures(runs) {
  const times = (key) => runs.map((answers) => answers.map((answer) => answer[key]));
  const [server, client] = ['search, in the server', 'search, request to answer'];
  if (runs[0][0].serverMs !== undefined) {
    const judged = p50AndP99(server, times('serverMs'), { aim: AIM, note: perNeedle(runs, 'serverMs') });
    return [...judged, ...p50AndP99(client, times('ms'))];
  }
  // An older server sends no measurement of its own. The client's time is longer, so it can only miss the aim.
  return p50AndP99(client, times('ms'), { aim: AIM, note: perNeedle(runs, 'ms') });
}

/** The number of matches, the median and the p99 of each needle. */
function perNeedle(runs, key) {
  const all = runs.flat();
  return NEEDLES.map((needle) => {
    const own = all.filter((answer) => answer.needle === needle);
    const times = [0.5, 0.99].map((q) => quantile(own.map((answer) => answer[key]), q).toFixed(1));
    return `“${needle}” ${JSON.parse(own[0].text).total} rows ${times.join('/')} ms`;
  }).join(', ');
}
