// Small screens and large text. axe.spec.ts has the other checks of accessibility.
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { AUDIT } from '../support/audit.ts';
import { APPLICATIONS, ENVIRONMENTS } from '../support/catalogue.ts';
import { SIMULATED } from '../support/server.ts';
import { askToExpire, openColumns, SESSIONS } from '../support/sessions.ts';

test.use({ setup: { name: 'small-screens', seed: 60, simulated: true } });

for (const [screen, size] of [
  ['at 320 px', { width: 320, height: 640 }],
  ['at 1280 px and a zoom of 400 %', { width: 320, height: 256 }],
  ['at a zoom of 200 %', { width: 640, height: 400 }],
] as const) {
  test(`no page scrolls sideways ${screen}`, async ({ server, open }) => {
    const session = await server.launchAs('student');
    const expectFits = async (page: Page, name: string) => {
      const wide = await page.evaluate(() => {
        const limit = document.documentElement.clientWidth;
        const out = [...document.querySelectorAll('body *')].filter((element) => {
          const box = element.getBoundingClientRect();
          return box.width > 0 && box.right > limit + 1 && element.closest('.table-scroll') === null;
        });
        return [document.documentElement.scrollWidth - limit, ...out.map((element) => element.outerHTML.slice(0, 120))];
      });
      expect(wide[0], `${name}: ${wide.slice(1).join('\n')}`).toBe(0);
    };
    await expectFits(await open(null, '/login', { viewport: size }), 'login');
    await expectFits(await open('student', '/', { viewport: size }), 'My apps');
    const page = await open('admin', SESSIONS, { viewport: size });
    await expectFits(page, 'Sessions');
    for (const path of [ENVIRONMENTS, APPLICATIONS, `${APPLICATIONS}/new`, AUDIT]) {
      await expectFits(await open('admin', path, { viewport: size }), path);
    }
    const button = page.getByRole('button', { name: `Expire session of student in ${SIMULATED.environment}` });
    await button.scrollIntoViewIfNeeded();
    await expect(button).toBeInViewport();
    const asked = await askToExpire(page, 'student', SIMULATED.environment);
    await expectFits(page, 'dialog');
    await asked.getByRole('button', { name: 'Expire session' }).scrollIntoViewIfNeeded();
    await expect(asked.getByRole('button', { name: 'Expire session' })).toBeInViewport();
    await asked.getByRole('button', { name: 'Cancel' }).click();
    await openColumns(page);
    const last = page.getByRole('button', { name: 'Reset to defaults' });
    await last.scrollIntoViewIfNeeded();
    await expect(last).toBeInViewport();
    await server.expire(session.id);
  });
}
