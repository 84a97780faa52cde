import * as z from 'zod'
import { TABLE } from '../../../shared/store/table.ts'

/** An attribute's value as it crosses the wire: its type, and the value. */
type Value = Readonly<Record<string, unknown>>
/** An item on the wire. */
export const WireItem = z.record(z.string(), z.record(z.string(), z.unknown()))
export type WireItem = z.infer<typeof WireItem>

const bytes = (text: unknown) => Buffer.byteLength(String(text))
const Texts = z.array(z.string())
const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0)

/** DynamoDB's size of a value in bytes (AWS: "DynamoDB Item sizes and formats"). */
function sizeOfValue(value: Value): number {
  const [[type, of] = ['NULL', true]] = Object.entries(value)
  switch (type) {
    case 'S':
      return bytes(of)
    case 'N':
      return sizeOfNumber(String(of))
    case 'B':
      return Buffer.from(String(of), 'base64').length
    case 'L':
      return (
        3 +
        total(
          z
            .array(z.record(z.string(), z.unknown()))
            .parse(of)
            .map((one) => 1 + sizeOfValue(one)),
        )
      )
    case 'M':
      return (
        3 + total(Object.entries(WireItem.parse(of)).map(([name, one]) => 1 + bytes(name) + sizeOfValue(one)))
      )
    case 'SS':
      return total(Texts.parse(of).map(bytes))
    case 'BOOL':
    case 'NULL':
      return 1
    default:
      throw new Error(`the size of a ${type} is not known here`)
  }
}

/** About one byte for two significant digits, and one more. */
function sizeOfNumber(text: string): number {
  const digits = text.replace(/[-+.]|[eE].*$/g, '').replace(/^0+|0+$/g, '')
  return Math.ceil(digits.length / 2) + 1 + Number(text.startsWith('-'))
}

export const sizeOf = (item: WireItem): number =>
  total(Object.entries(item).map(([name, value]) => bytes(name) + sizeOfValue(value)))

const KILOBYTE = 1024
const units = (...items: readonly (WireItem | undefined)[]) =>
  Math.max(1, ...items.map((item) => Math.ceil(item === undefined ? 0 : sizeOf(item) / KILOBYTE)))

/** What the table takes for a write, in write units: of the larger of what was there and what is. */
export const ofTable = (before: WireItem | undefined, after: WireItem | undefined): number =>
  units(before, after)

/** What its indexes take: they hold whole items, a changed key is an entry less and one more, no change is free. */
export function ofIndexes(before: WireItem | undefined, after: WireItem | undefined): number {
  if (JSON.stringify(before) === JSON.stringify(after)) return 0
  return total(
    TABLE.indexes.map(({ partitionKey, sortKey }) => {
      const keyOf = (item: WireItem | undefined) =>
        item?.[partitionKey] && item[sortKey] && JSON.stringify([item[partitionKey], item[sortKey]])
      const [was, is] = [keyOf(before), keyOf(after)]
      if (was && was === is) return units(before, after)
      return (was ? units(before) : 0) + (is ? units(after) : 0)
    }),
  )
}
