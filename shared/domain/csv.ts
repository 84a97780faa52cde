/**
 * A cell that a spreadsheet would take for a formula (OWASP, CSV Injection) is led by a quote, as text is there; and so
 * is one that looks like such a cell, so that what was led by a quote before still is.
 */
const TO_GUARD = /^'*[=+\-@\t\r]/
const GUARDED = /^'+[=+\-@\t\r]/

/** One line of CSV (RFC 4180), with formulas made harmless. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`
}

function cell(text: string): string {
  const safe = TO_GUARD.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** What a cell said before it was made harmless. */
export const unguarded = (text: string): string => (GUARDED.test(text) ? text.slice(1) : text)
