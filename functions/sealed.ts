import { createHmac, timingSafeEqual } from 'node:crypto'
import type * as z from 'zod'

/** 128 bits: nobody can make a text, or change one. */
const MAC_BYTES = 16

/** A text that says a value and that nobody else can make. It hides nothing. */
export function seal(prefix: string, value: unknown, key: Uint8Array): string {
  const body = Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${prefix}_${body}.${macOf(prefix, body, key).toString('base64url')}`
}

/** What a sealed text says; undefined if it was not sealed with this key, under this prefix. */
export function open<S extends z.ZodType>(
  prefix: string,
  schema: S,
  id: string,
  key: Uint8Array,
): z.output<S> | undefined {
  const [, given, body = '', mac = ''] = /^([a-z]+)_([\w-]+)\.([\w-]+)$/.exec(id) ?? []
  if (given !== prefix) return undefined
  const [expected, actual] = [macOf(prefix, body, key), Buffer.from(mac, 'base64url')]
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return undefined
  const parsed = schema.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString()))
  return parsed.success ? parsed.data : undefined
}

const macOf = (prefix: string, body: string, key: Uint8Array) =>
  createHmac('sha256', key).update(`${prefix}.${body}`).digest().subarray(0, MAC_BYTES)
