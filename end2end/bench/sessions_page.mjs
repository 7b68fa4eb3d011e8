// A stopwatch inside the Sessions page. It stops when the page shows the expected list.

export const SESSIONS = '/admin/cloud-delivery/sessions';

/** The list of the API that the page must show for the `search` of its address. */
export async function listOf(client, search) {
  const { total, items } = JSON.parse((await client.get(`/api/v1/sessions${search}`)).text);
  return { search, total, rows: items.map((row) => `${row.username} ${row.started_at.slice(0, 19)}Z`) };
}

/**
 * Starts the stopwatch at the user's next `event`. Returns a function that waits for the paint of the list and returns
 * the milliseconds.
 */
export async function arm(page, event, list, sorted = undefined) {
  await page.evaluate((wanted) => window.bench.arm(wanted), { event, sorted, ...list });
  return async () => {
    const { ms, shows } = await page.evaluate(() => window.bench.painted);
    if (ms === undefined) throw new Error(`${list.search || 'the list'} is not on screen after 10 s; there is ${shows.slice(0, 300)}`);
    return ms;
  };
}

/** The list that the page shows, in the form of `listOf`. */
export const shown = (page) => page.evaluate(() => window.bench.shown());

/** Runs in every page before its own scripts. Times count from the navigation, or from the timestamp of the event. */
export function stopwatch() {
  const bench = (window.bench = { shown });
  const table = () => document.querySelector('table[aria-label="Sessions"]');

  const seeFirstRow = () => {
    const there = table()?.querySelector('tbody tr')?.getBoundingClientRect().height > 0;
    // The state in a frame's callback is painted when the next frame's callback runs.
    requestAnimationFrame(there ? () => (bench.firstRow = performance.now()) : seeFirstRow);
  };
  requestAnimationFrame(seeFirstRow);
  new MutationObserver((_, observer) => {
    if (document.documentElement?.dataset.alive === undefined) return;
    bench.interactive = performance.now();
    observer.disconnect();
  }).observe(document, { attributes: true, subtree: true, attributeFilter: ['data-alive'] });

  // The browser's heap size does not include the memory of wasm.
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...given) => {
      const made = await original.apply(WebAssembly, given);
      bench.wasmMemory ??= (made.instance ?? made).exports.memory;
      return made;
    };
  }

  bench.arm = (wanted) => {
    bench.painted = new Promise((resolve) => {
      let since;
      addEventListener(wanted.event, ({ timeStamp }) => (since = timeStamp), { capture: true, once: true });
      setTimeout(() => resolve({ shows: JSON.stringify({ search: location.search, ...shown() }) }), 10_000);
      const observer = new MutationObserver(() => {
        if (since === undefined) return;
        observer.disconnect();
        requestAnimationFrame(look);
      });
      observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
      // Checks every frame after the first change, because the address may change before or after the rows.
      const look = () => {
        const then = isAnswer(wanted) ? () => resolve({ ms: performance.now() - since }) : look;
        requestAnimationFrame(then);
      };
    });
  };

  /** Whether the page shows exactly this list: the address, the count, each row, and the sorted header. */
  function isAnswer({ search, total, rows, sorted }) {
    const now = shown();
    const query = (text) => JSON.stringify([...new URLSearchParams(text)].sort());
    return (
      query(location.search) === query(search) &&
      now.total === total &&
      (sorted === undefined || now.sorted === sorted) &&
      now.rows.join() === rows.join()
    );
  }

  function shown() {
    const count = [...document.querySelectorAll('[role=status]')].map((status) => /^([\d,]+) of /.exec(status.textContent)?.[1]);
    const header = table()?.querySelector('th[aria-sort]');
    const row = (tr) =>
      `${tr.querySelector('[data-label="Username"]')?.textContent} ${tr.querySelector('[data-label="Start date"] time')?.dateTime}`;
    return {
      total: Number(count.find(Boolean)?.replaceAll(',', '')),
      rows: [...(table()?.querySelectorAll('tbody tr') ?? [])].map(row),
      sorted: header && `${header.textContent.trim()} ${header.getAttribute('aria-sort')}`,
    };
  }
}
