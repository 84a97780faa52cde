import { Product } from '../../shared/domain/catalog.ts'
import { checkProduct } from '../../shared/domain/catalog-rules.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { archived, changes, checkEdit, checkNotArchived, edited } from '../../shared/domain/revision.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { newProductId, type ProductId } from '../../shared/platform/ids.ts'
import { productCodeItem } from '../../shared/store/address.ts'
import { productEntity, productItem, readProduct } from '../../shared/store/catalog.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readPage } from '../../shared/store/page.ts'
import { putOnce, putRevision, type Table } from '../../shared/store/transact.ts'
import type { Services } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { catalogRoutes } from './routes.ts'

type ProductHandlers = Pick<
  Handlers<typeof catalogRoutes, Services>,
  'createProduct' | 'listProducts' | 'getProduct' | 'editProduct' | 'archiveProduct'
>

export const productHandlers: ProductHandlers = {
  async createProduct(call, { commit }) {
    const product: Product = { id: newProductId(call.now), ...call.body, createdAt: call.now, revision: 1 }
    const wrong = checkProduct(product)
    if (wrong) return wrong
    return commit(call, {
      writes: {
        code: putOnce(productCodeItem(product.code, product.id)),
        product: putOnce(productItem(product)),
      },
      events: [{ ...eventOf('product.created', product), after: product }],
      reply: product,
      refusals: { code: refuse('CODE_TAKEN', `Another product has the code ${product.code}.`) },
    })
  },

  async listProducts({ query }, { table, secrets }) {
    const wanted = query.archived ?? false
    return readPage(
      table,
      secrets.cursorKey,
      { index: 'kind', pk: KIND.products, newestFirst: true },
      query,
      async (items) =>
        items
          .map(productEntity.decode)
          .map((product) => (isArchived(product) === wanted ? product : undefined)),
    )
  },

  async getProduct({ params }, { table }) {
    return loadProduct(table, params.productId)
  },

  async editProduct(call, { table, commit }) {
    const current = await loadProduct(table, call.params.productId)
    if (isRefusal(current)) return current
    const refused = checkEdit(current, call.revision)
    if (refused) return refused
    const product = edited(Product, current, call.body)
    const wrong = checkProduct(product, current)
    if (wrong) return wrong
    return commit(call, {
      writes: { product: putRevision(productItem(product), current.revision) },
      events:
        product === current ? [] : [{ ...eventOf('product.edited', product), ...changes(current, product) }],
      reply: product,
      refusals: { product: outdated },
    })
  },

  async archiveProduct(call, { table, commit }) {
    return untilFresh(async () => {
      const current = await loadProduct(table, call.params.productId)
      if (isRefusal(current)) return current
      const refused = checkNotArchived(current)
      if (refused) return refused
      const product = archived(current, call.now)
      return commit(call, {
        writes: { product: putRevision(productItem(product), current.revision) },
        events: [{ ...eventOf('product.archived', product), ...changes(current, product) }],
        reply: product,
        refusals: { product: outdated },
      })
    })
  },
}

const isArchived = ({ archivedAt }: Product) => archivedAt !== undefined

async function loadProduct(table: Table, id: ProductId): Promise<Product | Refusal> {
  return (await readProduct(table, id)) ?? notFound
}

function eventOf(type: EventDraft['type'], { id }: Product): EventDraft {
  return { type, subject: { type: 'product', id } }
}
