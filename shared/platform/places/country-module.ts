import * as z from 'zod'
import { Confidence, Country } from '../../domain/country.ts'
import type { Log } from '../log.ts'
import { once } from '../remembered.ts'

const Found = z.object({ country: Country, confidence: Confidence })
type Found = z.infer<typeof Found>

/** A database of network addresses: the country of one, and how sure it is; undefined where it does not know. */
export type CountryOf = (address: string, requestId: string) => Promise<Found | undefined>

const Module = z.object({ countryOf: z.custom<(address: string) => unknown>(isFunction, 'is no function') })

/**
 * The vendor's module, as a stage of cdk.json names it: `countryOf(address)` answers `{country, confidence}` or nothing,
 * at once or as a promise. A file of data (.bin, .csv, .dat, .mmdb) that it imports is deployed with it, and the import
 * is its name: `new URL(name, import.meta.url)`. It is loaded when it is asked for the first time, so that a start costs
 * nothing for it. A failure of it, or an answer that makes no sense, is logged and means that no country is known: where
 * somebody is must not decide whether the service works.
 *
 * @param file where the module is, as seen from the function's own; empty: there is none
 */
export function countryModule(file: string, log: Log): CountryOf {
  if (file === '') return async () => undefined
  const load = once(async () => Module.parse(await import(new URL(file, import.meta.url).href)))
  return async (address, requestId) => {
    try {
      const { countryOf } = await load()
      const found = await countryOf(address)
      return found == null ? undefined : Found.parse(found)
    } catch (cause) {
      // Without the address: an error of the module may name it, so not even its text is logged.
      log('error', 'the module for countries of addresses failed', { requestId }, nameOf(cause))
      return undefined
    }
  }
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

const nameOf = (cause: unknown) => (cause instanceof Error ? cause.name : typeof cause)
