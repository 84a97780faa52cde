import type { Caller } from '../../shared/domain/access.ts'
import type { Activation } from '../../shared/domain/activation.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import type { Table } from '../../shared/store/transact.ts'
import { askedProduct, productIdOf } from '../asked-product.ts'
import type { MachineAsking } from '../machine-situation.ts'

/** What an application asks for: places of its own license alone, where it comes with a key. */
export async function askingOf(
  caller: Caller,
  product: string | undefined,
  table: Table,
): Promise<MachineAsking | Refusal> {
  const asked = await askedProduct(caller, product, (name) => productIdOf(table, name))
  if (isRefusal(asked) || caller.kind !== 'license') return asked
  return { ...asked, licenseId: caller.licenseId }
}

/** May this caller know of the activation? A license key only of those of its product. */
export function knows(caller: Caller, { productId }: Pick<Activation, 'productId'>): boolean {
  return caller.kind !== 'license' || caller.productId === productId
}
