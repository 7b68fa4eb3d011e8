// What `make torture` runs beside the kill -9 loop: faults of the machine and of the database that the tests of `make test` don't provoke.
import { tests } from './chromium.ts';

export default tests('./', { testMatch: ['torture/*.spec.ts', 'tests/kill.spec.ts'], workers: 1, timeout: 300_000 });
