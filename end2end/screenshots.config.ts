// Draws the pictures of the README anew, by hand:
//   npx playwright test --config end2end/screenshots.config.ts
import { tests } from './chromium.ts';

export default tests('./screenshots', { workers: 1 });
