// A search for three characters from the middle of a word or an id, with the exact count of all matches.
import { signIn } from '../client.mjs';
import { ADMIN, withServer } from '../server.mjs';
import { p50AndP99, quantile, repeat } from '../stats.mjs';

export const title = 'search, about 30 s';

/** Of names with many rows and with few, of ids, with an accent, of a status (every row matches), and of nothing. */
export const NEEDLES = ['ngi', 'rar', 'abv', 'mar', 'jör', 'f3a', '042', '-7b', 'pir', 'qqq'];
/** Searches of each needle in a run. */
const ROUNDS = 40;
const WARM_UP = 3;
/** Milliseconds at p99, in the server. */
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
  // An older server: what the client sees is more than what the server takes, so an aim met here is met.
  return p50AndP99(client, times('ms'), { aim: AIM, note: perNeedle(runs, 'ms') });
}

/** Where the time goes: matches, and the median and the nearly slowest time of each needle. */
function perNeedle(runs, key) {
  const all = runs.flat();
  return NEEDLES.map((needle) => {
    const own = all.filter((answer) => answer.needle === needle);
    const times = [0.5, 0.99].map((q) => quantile(own.map((answer) => answer[key]), q).toFixed(1));
    return `“${needle}” ${JSON.parse(own[0].text).total} rows ${times.join('/')} ms`;
  }).join(', ');
}
