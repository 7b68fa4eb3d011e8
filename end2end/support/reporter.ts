// Repeats the failures at the end of the output, because people read the end of a long log first.
import type { FullResult, Reporter, Suite } from '@playwright/test/reporter';

/** The number of lines of each error. */
const LINES = 12;

export default class FailureSummary implements Reporter {
  private suite: Suite | undefined;

  onBegin(_config: unknown, suite: Suite): void {
    this.suite = suite;
  }

  onEnd(result: FullResult): void {
    if (result.status === 'passed') return;
    for (const test of this.suite?.allTests() ?? []) {
      if (test.ok() || test.results.length === 0) continue;
      const last = test.results.at(-1);
      const where = last?.error?.location ?? test.location;
      console.log(`\n✘ ${test.title} (${where.file.replace(/.*\/end2end\//, 'end2end/')}:${where.line})`);
      // Remove terminal colours and empty lines.
      const text = (last?.error?.message ?? test.outcome()).replace(/\u001b\[\d+m/g, '');
      for (const line of text.split('\n').filter((line) => line.trim() !== '').slice(0, LINES)) console.log(`    ${line}`);
    }
  }
}
