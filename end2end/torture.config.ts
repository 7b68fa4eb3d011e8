// `make torture`: the kill -9 loop, and faults of the machine and the database that `make test` does not inject.
import { tests } from './chromium.ts';

export default tests('./', { testMatch: ['torture/*.spec.ts', 'tests/kill.spec.ts'], workers: 1, timeout: 300_000 });
