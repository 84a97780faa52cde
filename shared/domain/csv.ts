/** A cell that a spreadsheet would take for a formula (OWASP, CSV Injection): it is led by a quote, as text is there. */
const FORMULA = /^[=+\-@\t\r]/
const GUARDED = /^'[=+\-@\t\r]/

/** One line of CSV (RFC 4180), with formulas made harmless. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`
}

function cell(text: string): string {
  const safe = FORMULA.test(text) || GUARDED.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** What a cell said before it was made harmless. */
export const unguarded = (text: string): string =>
  text.startsWith("'") && (FORMULA.test(text.slice(1)) || GUARDED.test(text.slice(1))) ? text.slice(1) : text
