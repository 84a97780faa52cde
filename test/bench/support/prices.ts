import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

const Price = z
  .strictObject({ price: z.number().positive(), source: z.url() })
  .transform(({ price }) => price)

const PriceTable = z.strictObject({
  region: z.string(),
  currency: z.literal('USD'),
  asOf: z.iso.date(),
  /** arm64; the first tier of each. */
  perMillion: z.strictObject({
    httpApiRequests: Price,
    lambdaRequests: Price,
    lambdaGbSeconds: Price,
    readUnits: Price,
    writeUnits: Price,
    kmsEccSignatures: Price,
    kmsMacs: Price,
  }),
})

/** AWS's list prices, in dollars per million. */
export const prices = PriceTable.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'prices.json'), 'utf8')),
)
