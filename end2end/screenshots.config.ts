// Takes the screenshots of the README again. Run it by hand:
//   npx playwright test --config end2end/screenshots.config.ts
import { tests } from './chromium.ts';

export default tests('./screenshots', { workers: 1 });
