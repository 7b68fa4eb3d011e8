// The Audit page as an administrator reads it.
import { expect, type Locator, type Page } from '@playwright/test';

export const AUDIT = '/admin/cloud-delivery/audit';
export const AUDIT_HEADERS = ['Date', 'Who', 'What', 'Session', 'Reason', 'Address', 'Request ID'];

export const auditTable = (page: Page): Locator => page.getByRole('table', { name: 'Audit', exact: true });
export const eventSearch = (page: Page): Locator => page.getByRole('searchbox', { name: 'Search events' });
/** The page's own links, not those of the navigation. */
export const auditLink = (page: Page, name: string): Locator => page.getByRole('main').getByRole('link', { name, exact: true });

/** Every event on the page, by header. */
export async function auditRows(page: Page): Promise<Record<string, string>[]> {
  return auditTable(page).locator('tbody tr').evaluateAll((rows) =>
    rows.map((row) =>
      Object.fromEntries(
        [...row.querySelectorAll('td')].map((cell) => [cell.dataset.label ?? '', cell.innerText.replace(/\s+/g, ' ').trim()]),
      ),
    ),
  );
}

/** Searches with the form. Returns when the answer is there. */
export async function searchEvents(page: Page, q: string): Promise<void> {
  await eventSearch(page).fill(q);
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await expect(page).toHaveURL((url) => url.searchParams.get('q') === q);
}
