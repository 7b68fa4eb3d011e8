// Makes changes at a steady rate: users launch sessions, and an administrator expires them.
//
// A cycle is four changes: launched, ready, expired, torn down. Only the first and the third are requests. The expire
// proves the second, because it names the expected status and would be refused otherwise.
import { setTimeout as sleep } from 'node:timers/promises';

import { signIn } from '../client.mjs';
import { ADMIN } from '../server.mjs';
import { quantile } from '../stats.mjs';
import { now, serve } from './helper.mjs';

/** The simulated environment is ready at once, but a younger session may still be Pending. */
const LEAST_AGE_MS = 300;
/** The most launches under way. If the server is slower, the rate drops to the one that it can do. */
const MOST_BEHIND = 100;
const TICK_MS = 2;
/** The most expires under way. */
const SOCKETS = 32;

/** The acknowledged version and the time of every answer. For each kind of request: the times and the durations. */
const acknowledged = { versions: [], times: [] };
const kinds = { launch: { at: [], took: [] }, expire: { at: [], took: [] } };
const failures = [];
/** One place per user and application. It is empty, or has a session, or a request under way. */
let [admin, idle, live, timer] = [undefined, [], [], undefined];

serve({
  /** Signs in all users. */
  async prepare({ url, people, password, applications }) {
    admin = await signIn(url, ADMIN.username, ADMIN.password, { sockets: SOCKETS });
    const all = JSON.parse((await admin.get('/api/v1/applications')).text);
    const ids = all.filter(({ name }) => applications.includes(name)).map(({ id }) => id);
    for (const username of people) {
      const person = await signIn(url, username, password);
      for (const application of ids) idle.push({ person, application });
    }
  },

  /** Starts this many cycles per second. Expires begin when half of the places are full. */
  start({ cycles }) {
    const began = now();
    const head = idle.length / 2;
    let [launches, expires] = [0, 0];
    timer = setInterval(() => {
      const due = ((now() - began) / 1000) * cycles;
      launches = Math.max(launches, due - MOST_BEHIND);
      expires = Math.max(expires, due - head - MOST_BEHIND);
      for (; launches < due && idle.length > 0; launches += 1) launch(idle.shift());
      for (; expires < due - head && isOfAge(live[0]); expires += 1) expire(live.shift());
    }, TICK_MS);
  },

  /** Stops, expires the live sessions, and returns the totals. */
  async stop() {
    clearInterval(timer);
    const places = idle.length;
    for (let quiet = 0; quiet < 50; quiet += 1) {
      if (isOfAge(live[0])) quiet = 0;
      while (isOfAge(live[0])) expire(live.shift());
      await sleep(20);
    }
    const summary = ({ at, took }) => ({ at: Float64Array.from(at), took: [0.5, 0.99].map((q) => quantile(took, q)) });
    return {
      versions: Float64Array.from(acknowledged.versions),
      times: Float64Array.from(acknowledged.times),
      launch: summary(kinds.launch),
      expire: summary(kinds.expire),
      failed: failures.length,
      failure: failures[0],
      idleAtTheEnd: places,
    };
  },
});

const isOfAge = (place) => place !== undefined && now() - place.launchedAt > LEAST_AGE_MS;

async function launch(place) {
  const answer = await tried('launch', () => place.person.post('/api/v1/sessions', { application_id: place.application }));
  if (answer === undefined) return idle.push(place);
  live.push({ ...place, id: answer.id, launchedAt: now() });
}

async function expire(place) {
  const seen = { status: 'active', connected: false };
  const answer = await tried('expire', () => admin.post(`/api/v1/sessions/${place.id}/expire`, { seen }));
  if (answer === undefined) live.push({ ...place, launchedAt: now() });
  else idle.push(place);
}

/** Sends a request and records the acknowledged version and its time. */
async function tried(what, send) {
  try {
    const { text, ms } = await send();
    const at = now();
    const session = JSON.parse(text);
    acknowledged.versions.push(session.version);
    acknowledged.times.push(at);
    kinds[what].at.push(at);
    kinds[what].took.push(ms);
    return session;
  } catch (error) {
    failures.push(error.message);
    return undefined;
  }
}
