// Does what has the focus keep it, and does what is on screen stay where it is, while rows come, go and change places?
import type { Page } from '@playwright/test';
import type { Rng } from './rng.ts';
import { table } from './sessions.ts';

export interface StabilityReport {
  what: string;
  /** Frames in a row in which another element had the focus. */
  lost: number;
  /** Most points by which something was scrolled and every row on screen moved, in one frame. */
  jump: number;
  changes: number;
  /** Of a jump: how far the list was scrolled and where its rows were, in the two looks before it and after. */
  how: string[];
}

/** Puts the focus on something in a row in the middle of the screen, and watches it while rows change. */
export function observeRow(page: Page, rng: Rng): Promise<StabilityReport> {
  return table(page).evaluate((table, chance) => {
    const [rows, region] = [[...table.querySelectorAll('tbody tr')], table.closest('[role=region]') ?? table];
    const row = rows[Math.floor(chance[0] * rows.length)];
    const choices = [...(row?.querySelectorAll<HTMLElement>('button, [tabindex="0"]') ?? [])];
    const element = choices[Math.floor(chance[1] * choices.length)];
    const seen = { what: element?.outerHTML.slice(0, 150) ?? 'nothing', lost: 0, jump: 0, changes: 0, how: [] as string[] };
    if (element === undefined) return seen;
    row?.scrollIntoView({ block: 'center' });
    element.focus();
    const observer = new MutationObserver(() => (seen.changes += 1));
    observer.observe(table, { subtree: true, childList: true, characterData: true });
    return new Promise<typeof seen>((resolve) => {
      const where = () => ({
        left: region.scrollLeft,
        scrolled: scrollY + region.scrollTop,
        tops: new Map([...table.querySelectorAll('tbody tr')].map((row) => [row, row.getBoundingClientRect().top])),
      });
      type Look = ReturnType<typeof where>;
      /** By how much something was scrolled and every row moved. */
      const jump = (before: Look, now: Look) => {
        const isOnScreen = (top: number) => top > 0 && top < innerHeight;
        const kept = [...before.tops].filter(([, top]) => isOnScreen(top)).flatMap(([row, top]) => Math.abs((now.tops.get(row) ?? NaN) - top));
        // Scrolling that keeps rows where they are, when others come above them, is what the page does for people.
        const moved = Math.min(...kept.filter((points) => !Number.isNaN(points)), 10_000);
        // At the end of a list that grew shorter there is nothing further down to show.
        const atEnd = region.scrollTop + region.clientHeight >= region.scrollHeight - 1;
        // Nor is there anything further up at its beginning.
        const atTop = region.scrollTop <= 0;
        return Math.max(atEnd || atTop ? 0 : Math.min(Math.abs(now.scrolled - before.scrolled), moved), Math.abs(now.left - before.left));
      };
      const until = performance.now() + 2000;
      let [looks, without]: [Look[], number] = [[], 0];
      const look = () => {
        // A row that leaves the page, or a button that its session no longer has, takes the focus with it.
        if (!element.isConnected || performance.now() > until) {
          observer.disconnect();
          return resolve(seen);
        }
        const now = where();
        // The last look may have come between a change and the picture of it, which nobody sees: a jump is one from the look before as well.
        if (looks.length === 2) {
          const far = Math.min(...looks.map((before) => jump(before, now)));
          if (far > Math.max(seen.jump, 30)) seen.how = [...looks, now].map(({ scrolled, tops }) => `${scrolled}: ${[...tops.values()].map(Math.round).join(' ')}`);
          seen.jump = Math.max(seen.jump, far);
        }
        // Between two frames it may be on its way back; nobody sees that.
        without = document.activeElement === element ? 0 : without + 1;
        if (without > 1) seen.lost = Math.max(seen.lost, without);
        looks = [...looks.slice(-1), now];
        next();
      };
      // After a frame, when the browser has put right what it puts right itself.
      const afterwards = new MessageChannel();
      afterwards.port1.onmessage = look;
      const next = () => requestAnimationFrame(() => afterwards.port2.postMessage(undefined));
      next();
    });
  }, [rng.next(), rng.next()] as const);
}
