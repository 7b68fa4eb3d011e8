// The Environments and Applications pages as an administrator uses them.
import { expect, type Locator, type Page } from '@playwright/test';

export const ENVIRONMENTS = '/admin/cloud-delivery/environments';
export const APPLICATIONS = '/admin/cloud-delivery/applications';

/** The row of one environment or application. */
export const rowNamed = (page: Page, table: 'Environments' | 'Applications', name: string): Locator =>
  page
    .getByRole('table', { name: table, exact: true })
    .getByRole('row')
    .filter({ has: page.getByRole('cell', { name, exact: true }).first() });

/** The text of a row under one header. */
export async function cell(row: Locator, header: string): Promise<string> {
  return (await row.locator(`td[data-label="${header}"]`).innerText()).replace(/\s+/g, ' ').trim();
}

/** Waits until a row shows the text under the header. */
export async function expectCell(row: Locator, header: string, text: string | RegExp): Promise<void> {
  await expect(row.locator(`td[data-label="${header}"]`)).toHaveText(text, { useInnerText: true });
}

/** Expects that a field is marked as invalid and described by the reason. */
export async function expectRefused(page: Page, label: string, reason: string | RegExp): Promise<void> {
  const field = page.getByLabel(label, { exact: true });
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(field).toHaveAccessibleDescription(reason);
}
