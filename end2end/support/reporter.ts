// Says once more, below everything else, what failed: the end of a long output is what one sees of it.
import type { FullResult, Reporter, Suite } from '@playwright/test/reporter';

/** Lines of an error that are repeated. */
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
      // Without the colours of a terminal, and without empty lines.
      const text = (last?.error?.message ?? test.outcome()).replace(/\u001b\[\d+m/g, '');
      for (const line of text.split('\n').filter((line) => line.trim() !== '').slice(0, LINES)) console.log(`    ${line}`);
    }
  }
}
