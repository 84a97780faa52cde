import { afterAll, expect, inject, test, vi } from 'vitest'
import type { Operation } from '../../functions/routes.ts'
import { startApi } from '../support/api.ts'
import { stopClock } from '../support/clock.ts'
import { keepTable } from '../support/kept-table.ts'
import { createWorld } from '../world/calls.ts'
import { named } from '../world/requests.ts'
import { faultyNetwork } from './network.ts'
import { failEachCallOf } from './operation.ts'
import { newTally } from './tally.ts'

/**
 * Operations of several steps whose answer, and event, tell what this request did: repeated after a fault they do the rest
 * and tell of that.
 */
const TELLS_OF_THE_REST: ReadonlySet<string> = new Set([
  'orderBulk',
  'importUsers',
  'importLicenses',
  'resetActivations',
])

/** A test for each of the operations, in one world. */
export async function failOperations(wanted: (operation: Operation) => boolean): Promise<void> {
  // Waits are drawn by lot.
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  stopClock()
  const api = await startApi()
  const world = await createWorld(api)
  const base = await keepTable(api.table)
  const network = faultyNetwork()
  const tally = newTally()
  afterAll(async () => {
    tally.save(inject('faultTally'))
    network.close()
    base.close()
    await api.stop()
  })
  test.each(named.filter(([, operation]) => wanted(operation)))('%s', async (operationId, operation) => {
    const tellsOfTheRest = TELLS_OF_THE_REST.has(operationId)
    const wrong = await failEachCallOf(operation, { world, base, network, tally, tellsOfTheRest })
    tally.wrong(wrong.length)
    expect(wrong).toEqual([])
  })
}
