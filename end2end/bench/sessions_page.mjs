// A stopwatch inside the Sessions page, and what the page has to show before it stops.

export const SESSIONS = '/admin/cloud-delivery/sessions';

/** The list that the page must show for an address's `search`, as the API has it. */
export async function listOf(client, search) {
  const { total, items } = JSON.parse((await client.get(`/api/v1/sessions${search}`)).text);
  return { search, total, rows: items.map((row) => `${row.username} ${row.started_at.slice(0, 19)}Z`) };
}

/** Starts the stopwatch at the next `event` of a person. Returns what waits for the list to be painted, in milliseconds. */
export async function arm(page, event, list, sorted = undefined) {
  await page.evaluate((wanted) => window.bench.arm(wanted), { event, sorted, ...list });
  return async () => {
    const { ms, shows } = await page.evaluate(() => window.bench.painted);
    if (ms === undefined) throw new Error(`${list.search || 'the list'} is not on screen after 10 s; there is ${shows.slice(0, 300)}`);
    return ms;
  };
}

/** What the page shows now, in the form of `listOf`. */
export const shown = (page) => page.evaluate(() => window.bench.shown());

/** Runs in every page before its own scripts. Times count from the navigation, or from the event as the browser got it. */
export function stopwatch() {
  const bench = (window.bench = { shown });
  const table = () => document.querySelector('table[aria-label="Sessions"]');

  const seeFirstRow = () => {
    const there = table()?.querySelector('tbody tr')?.getBoundingClientRect().height > 0;
    // What a frame's callbacks find is painted when those of the next one run.
    requestAnimationFrame(there ? () => (bench.firstRow = performance.now()) : seeFirstRow);
  };
  requestAnimationFrame(seeFirstRow);
  new MutationObserver((_, observer) => {
    if (document.documentElement?.dataset.alive === undefined) return;
    bench.interactive = performance.now();
    observer.disconnect();
  }).observe(document, { attributes: true, subtree: true, attributeFilter: ['data-alive'] });

  // The memory of wasm is no part of the heap that the browser tells of.
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
      // From the first change on every frame is looked at: the address may change after the rows, or before.
      const look = () => {
        const then = isAnswer(wanted) ? () => resolve({ ms: performance.now() - since }) : look;
        requestAnimationFrame(then);
      };
    });
  };

  /** This very list: address, count, each row, and the header that says how it is sorted. */
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
