// `npx node test/store/stored-schemas.ts` pins the shapes of new entities and new versions in schemas.json.
import { createHash } from 'node:crypto'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

const STORE = join(import.meta.dirname, '../../shared/store')
const PINS = join(import.meta.dirname, 'schemas.json')

const Stored = z.object({ name: z.string(), version: z.int(), schema: z.instanceof(z.ZodType) })
export type StoredEntity = z.infer<typeof Stored>

/** Hashes by entity and version: every shape that may lie in somebody's table. */
const Pins = z.record(z.string(), z.record(z.string(), z.string()))
type Pins = z.infer<typeof Pins>

/** Whatever shared/store exports under a name that ends in `Entity`. */
export async function storedEntities(): Promise<StoredEntity[]> {
  const entities: StoredEntity[] = []
  for (const file of globSync('*.ts', { cwd: STORE }).toSorted()) {
    const exports: Record<string, unknown> = await import(join(STORE, file))
    for (const [name, value] of Object.entries(exports))
      if (name.endsWith('Entity')) entities.push(Stored.parse(value))
  }
  return entities
}

/** A hash of what the schema takes, whatever order it is written in. */
export function hashOf({ schema }: StoredEntity): string {
  const shape = z.toJSONSchema(schema, { unrepresentable: 'any' })
  return createHash('sha256')
    .update(JSON.stringify(sorted(shape)))
    .digest('hex')
    .slice(0, 16)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value))
    return value.every((part) => typeof part === 'string') ? value.toSorted() : value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, sorted(part)]),
  )
}

/** What is wrong with an entity's pin; nothing if it is as pinned. */
export function faultOf(entity: StoredEntity, pins: Pins): string | undefined {
  const { name, version } = entity
  const own = pins[name]
  const pinned = own?.[version]
  const [next, generate] = [version + 1, 'npx node test/store/stored-schemas.ts']
  if (pinned === undefined) return `${name}/${version} is not pinned: run ${generate}`
  if (Math.max(...Object.keys(own ?? {}).map(Number)) !== version)
    return `${name} went back to version ${version}: versions only go up`
  if (pinned === hashOf(entity)) return undefined
  return `The stored shape of ${name}/${version} has changed, and rows like before lie in tables. Raise the version to ${next}, write a migration of older rows (none where only fields were added that may be absent), then run ${generate}. Only if no table has such rows: delete the line from schemas.json and run it.`
}

export function readPins(): Pins {
  return Pins.parse(JSON.parse(readFileSync(PINS, 'utf8')))
}

if (import.meta.main) {
  const pins = readPins()
  for (const entity of await storedEntities()) {
    const { name, version } = entity
    pins[name] = { ...pins[name], [version]: pins[name]?.[version] ?? hashOf(entity) }
    const fault = faultOf(entity, pins)
    if (fault !== undefined) throw new Error(fault)
  }
  const sortedPins = Object.fromEntries(Object.entries(pins).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(PINS, `${JSON.stringify(sortedPins, null, 2)}\n`)
}
