// Takes the screenshots of the README again: `make screenshots`.
import { tests } from './chromium.ts';

export default tests('./screenshots', { workers: 1 });
