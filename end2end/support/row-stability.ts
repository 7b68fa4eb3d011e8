// Checks that the focus and the scroll position stay stable while rows arrive, leave and move.
import type { Page } from '@playwright/test';
import type { Rng } from './rng.ts';
import { table } from './sessions.ts';

export interface StabilityReport {
  /** The start of the focused element’s HTML. */
  element: string;
  /** The most consecutive frames with the focus on another element. */
  lost: number;
  /**
   * The largest distance in pixels by which the list scrolled and all visible rows moved from one frame to the next.
   */
  jump: number;
  changes: number;
  /** The scroll position and the tops of the rows around that jump: two frames before it, and the frame after it. */
  frames: string[];
}

/** Focuses an element of a row in the middle of the screen, and observes it for two seconds while rows change. */
export function observeRow(page: Page, rng: Rng): Promise<StabilityReport> {
  return table(page).evaluate((table, chance) => {
    const [rows, region] = [[...table.querySelectorAll('tbody tr')], table.closest('[role=region]') ?? table];
    const row = rows[Math.floor(chance[0] * rows.length)];
    const choices = [...(row?.querySelectorAll<HTMLElement>('button, [tabindex="0"]') ?? [])];
    const element = choices[Math.floor(chance[1] * choices.length)];
    const report = { element: element?.outerHTML.slice(0, 150) ?? 'none', lost: 0, jump: 0, changes: 0, frames: [] as string[] };
    if (element === undefined) return report;
    row?.scrollIntoView({ block: 'center' });
    element.focus();
    // Whether the table changed since the callback of the current frame, and so perhaps after its paint.
    let changed = false;
    const observer = new MutationObserver(() => {
      report.changes += 1;
      changed = true;
    });
    observer.observe(table, { subtree: true, childList: true, characterData: true });
    return new Promise<typeof report>((resolve) => {
      const measure = () => ({
        left: region.scrollLeft,
        scrolled: scrollY + region.scrollTop,
        tops: new Map([...table.querySelectorAll('tbody tr')].map((row) => [row, row.getBoundingClientRect().top])),
      });
      type Frame = ReturnType<typeof measure>;
      /** The distance by which the list scrolled and every row moved. */
      const jump = (before: Frame, now: Frame) => {
        const isOnScreen = (top: number) => top > 0 && top < innerHeight;
        const kept = [...before.tops].filter(([, top]) => isOnScreen(top)).flatMap(([row, top]) => Math.abs((now.tops.get(row) ?? NaN) - top));
        // Scrolling that keeps the rows in place while others arrive above them is intended.
        const moved = Math.min(...kept.filter((pixels) => !Number.isNaN(pixels)), 10_000);
        // A list that becomes shorter has to scroll at its end, and it cannot scroll further up at its top.
        const atEnd = region.scrollTop + region.clientHeight >= region.scrollHeight - 1;
        const atTop = region.scrollTop <= 0;
        return Math.max(atEnd || atTop ? 0 : Math.min(Math.abs(now.scrolled - before.scrolled), moved), Math.abs(now.left - before.left));
      };
      const until = performance.now() + 2000;
      let [frames, without]: [Frame[], number] = [[], 0];
      const check = () => {
        // A row that leaves the page takes the focus with it, and so does a button that its session no longer has.
        if (!element.isConnected || performance.now() > until) {
          observer.disconnect();
          return resolve(report);
        }
        // This state may never be on screen. The next frame shows it together with the scrolling that belongs to it.
        if (changed) return nextFrame();
        const now = measure();
        // A jump differs from both frames before it, so that the way back from a jump does not count again.
        if (frames.length === 2) {
          const distance = Math.min(...frames.map((before) => jump(before, now)));
          if (distance > Math.max(report.jump, 30)) {
            report.frames = [...frames, now].map(({ left, scrolled, tops }) => `${left} of ${region.scrollWidth - region.clientWidth}, ${scrolled}: ${[...tops.values()].map(Math.round).join(' ')}`);
          }
          report.jump = Math.max(report.jump, distance);
        }
        // The focus may be on its way back between two frames; that is invisible.
        without = document.activeElement === element ? 0 : without + 1;
        if (without > 1) report.lost = Math.max(report.lost, without);
        frames = [...frames.slice(-1), now];
        nextFrame();
      };
      // Measures after a frame, when the browser has applied its own scroll anchoring.
      const afterFrame = new MessageChannel();
      afterFrame.port1.onmessage = check;
      const nextFrame = () =>
        requestAnimationFrame(() => {
          changed = false;
          afterFrame.port2.postMessage(undefined);
        });
      nextFrame();
    });
  }, [rng.next(), rng.next()] as const);
}
