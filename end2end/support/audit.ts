// The Audit page as an administrator reads it.
import { expect, type Locator, type Page } from '@playwright/test';

export const AUDIT = '/admin/cloud-delivery/audit';
export const AUDIT_HEADERS = ['Date', 'Who', 'What', 'Session', 'Reason', 'Address', 'Request ID'];

export const auditTable = (page: Page): Locator => page.getByRole('table', { name: 'Audit', exact: true });
export const eventSearch = (page: Page): Locator => page.getByRole('searchbox', { name: 'Search events' });
/** A link of the page itself; the navigation has links of its own. */
export const auditLink = (page: Page, name: string): Locator => page.getByRole('main').getByRole('link', { name, exact: true });

/** All events on the page, by header. */
export async function auditRows(page: Page): Promise<Record<string, string>[]> {
  return auditTable(page).locator('tbody tr').evaluateAll((rows) =>
    rows.map((row) =>
      Object.fromEntries(
        [...row.querySelectorAll('td')].map((cell) => [cell.dataset.label ?? '', cell.innerText.replace(/\s+/g, ' ').trim()]),
      ),
    ),
  );
}

/** The events of the page, as rows of the table. */
export const eventRows = (page: Page): Locator => auditTable(page).locator('tbody tr');
export const eventDetails = (page: Page): Locator => page.getByRole('region', { name: 'Event details' });

/** Searches with the form. Returns after the page shows the answer. */
export async function searchEvents(page: Page, q: string): Promise<void> {
  await eventSearch(page).fill(q);
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.waitForURL((url) => url.searchParams.get('q') === q);
  await expect(eventSearch(page)).toHaveValue(q);
  await expect(auditTable(page)).not.toHaveAttribute('aria-busy');
}

/** Follows a link of the page. Returns after the page shows the answer. */
export async function followAuditLink(page: Page, name: string): Promise<void> {
  const href = await auditLink(page, name).getAttribute('href');
  if (href === null) throw new Error(`the link “${name}” has no address`);
  const target = new URL(href, page.url()).href;
  await auditLink(page, name).click();
  await page.waitForURL(target);
  await expect(auditTable(page)).not.toHaveAttribute('aria-busy');
}
