// The browser tests of `make test`. They test the program CLOUD_DELIVERY_BIN, by default target/debug/cloud-delivery.
import { tests } from './chromium.ts';

export default tests('./tests');
