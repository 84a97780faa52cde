/** One line of the table. A row without a budget only informs. */
export type Row = {
  readonly name: string
  readonly ours: number
  readonly floor?: number
  /** Ours over the floor's, within one round. */
  readonly ratio?: number
  readonly unit?: 'µs' | 'ms' | 's' | 'kB' | 'MB' | '$'
  readonly budget?: { readonly of: 'ours' | 'ratio'; readonly most: number }
}

/** A part of the table: what it is about, and its rows. */
export type Section = { readonly title: string; readonly floor?: string; readonly rows: readonly Row[] }

const HEADINGS = ['', 'ours', 'floor', 'ratio', 'budget', ''] as const

/** The table as text: names to the left, figures to the right, a mark behind each row that misses its budget. */
export function render(sections: readonly Section[]): string {
  const lines = sections.flatMap(({ rows }) => rows.map(cells))
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...lines.map((line) => line[column]?.length ?? 0)),
  )
  const align = (line: readonly string[]) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('   ')
      .trimEnd()
  return sections
    .flatMap(({ title, floor, rows }) => [
      '',
      floor === undefined ? title : `${title}   (floor: ${floor})`,
      align(HEADINGS),
      ...rows.map((row) => align(cells(row))),
    ])
    .join('\n')
}

function cells(row: Row): string[] {
  const { name, ours, floor, ratio, unit, budget } = row
  return [
    `  ${name}`,
    format(ours, unit),
    floor === undefined ? '' : format(floor, unit),
    ratio === undefined ? '' : `${ratio.toFixed(2)} ×`,
    budget === undefined
      ? ''
      : `≤ ${budget.of === 'ratio' ? `${budget.most.toFixed(2)} ×` : format(budget.most, unit)}`,
    misses(row) ? '← over budget' : '',
  ]
}

function misses({ ours, ratio, budget }: Row): boolean {
  if (budget === undefined) return false
  const value = budget.of === 'ours' ? ours : ratio
  return value === undefined || value > budget.most
}

function format(value: number, unit: Row['unit']): string {
  if (unit === '$') return `$${value.toFixed(3)}`
  const digits = unit === undefined ? 3 : value < 100 ? 1 : 0
  const text = value.toLocaleString('en', { maximumFractionDigits: digits })
  return unit === undefined ? text : `${text} ${unit}`
}
