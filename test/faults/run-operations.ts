import { expect, test } from 'vitest'
import type { Operation } from '../../functions/routes.ts'
import { named } from '../world/requests.ts'
import { failEachCallOf } from './operation.ts'
import { startSetting } from './setting.ts'

/** A test for each of the operations, in one world. */
export async function failOperations(wanted: (operation: Operation) => boolean): Promise<void> {
  const setting = await startSetting()
  const { tally } = setting
  test.each(named.filter(([, operation]) => wanted(operation)))('%s', async (_, operation) => {
    const wrong = await failEachCallOf(operation, setting)
    tally.wrong(wrong.length)
    expect(wrong).toEqual([])
  })
}
