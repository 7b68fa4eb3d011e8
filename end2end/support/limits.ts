// Limits of time that only end a hang. A correct run stays far below them, also on a machine that is busy with other
// work. No test measures a duration with them: durations are figures of `make bench`.

/** For one test. */
export const TEST_LIMIT_MS = 240_000;
/** For one expectation, with the action that leads to it. */
export const EXPECT_LIMIT_MS = 45_000;
/** For the start of a program, and for one command line. */
export const START_LIMIT_MS = 120_000;
