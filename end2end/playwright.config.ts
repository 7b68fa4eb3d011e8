// The browser tests of `make test`. The server under test is CLOUD_DELIVERY_BIN, else target/debug/cloud-delivery.
import { tests } from './chromium.ts';

export default tests('./tests');
