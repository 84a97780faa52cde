import { Plan, type Product } from '../../shared/domain/catalog.ts'
import { checkPlan } from '../../shared/domain/catalog-rules.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { archived, changes, checkEdit, checkNotArchived, edited } from '../../shared/domain/revision.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { newPlanId, type PlanId } from '../../shared/platform/ids.ts'
import { planEntity, planItem, readPlan, readProduct } from '../../shared/store/catalog.ts'
import { KIND, ownedByProduct, productKey } from '../../shared/store/keys.ts'
import { readPage } from '../../shared/store/page.ts'
import { checkLive, putOnce, putRevision, type Table } from '../../shared/store/transact.ts'
import type { Services } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { catalogRoutes } from './routes.ts'

type PlanHandlers = Pick<
  Handlers<typeof catalogRoutes, Services>,
  'createPlan' | 'listPlans' | 'getPlan' | 'editPlan' | 'archivePlan'
>

export const planHandlers: PlanHandlers = {
  async createPlan(call, { table, commit }) {
    const { productId } = call.body
    const product = await readProduct(table, productId)
    if (product === undefined) {
      return refuse('INVALID_REQUEST', `There is no ${productId}.`, {
        errors: [{ field: '/body/productId', message: 'does not exist' }],
      })
    }
    const plan: Plan = { id: newPlanId(call.now), ...call.body, createdAt: call.now, revision: 1 }
    const wrong = checkPlan(plan, product)
    if (wrong) return wrong
    return commit(call, {
      writes: { product: checkLive(productKey(productId)), plan: putOnce(planItem(plan)) },
      events: [{ ...eventOf('plan.created', plan), after: plan }],
      reply: plan,
      refusals: { product: refuse('ARCHIVED', `The product ${product.code} is archived.`) },
    })
  },

  async listPlans({ query }, { table, secrets }) {
    const wanted = query.archived ?? false
    return readPage(
      table,
      secrets.cursorKey,
      query.productId === undefined
        ? { index: 'kind', pk: KIND.plans, newestFirst: true }
        : { index: 'owned', pk: ownedByProduct(query.productId, 'PLANS'), newestFirst: true },
      query,
      async (items) =>
        items.map(planEntity.decode).map((plan) => (isArchived(plan) === wanted ? plan : undefined)),
    )
  },

  async getPlan({ params }, { table }) {
    return loadPlan(table, params.planId)
  },

  async editPlan(call, { table, commit }) {
    const current = await loadPlan(table, call.params.planId)
    if (isRefusal(current)) return current
    const refused = checkEdit(current, call.revision)
    if (refused) return refused
    const { duration, ...others } = call.body
    const plan = edited(Plan, current, {
      ...others,
      ...(duration !== undefined && { duration: duration ?? undefined }),
    })
    const wrong = checkPlan(plan, await productOf(table, plan))
    if (wrong) return wrong
    return commit(call, {
      writes: { plan: putRevision(planItem(plan), current.revision) },
      events: plan === current ? [] : [{ ...eventOf('plan.edited', plan), ...changes(current, plan) }],
      reply: plan,
      refusals: { plan: outdated },
    })
  },

  async archivePlan(call, { table, commit }) {
    return untilFresh(async () => {
      const current = await loadPlan(table, call.params.planId)
      if (isRefusal(current)) return current
      const refused = checkNotArchived(current)
      if (refused) return refused
      const plan = archived(current, call.now)
      return commit(call, {
        writes: { plan: putRevision(planItem(plan), current.revision) },
        events: [{ ...eventOf('plan.archived', plan), ...changes(current, plan) }],
        reply: plan,
        refusals: { plan: outdated },
      })
    })
  },
}

const isArchived = ({ archivedAt }: Plan) => archivedAt !== undefined

async function loadPlan(table: Table, id: PlanId): Promise<Plan | Refusal> {
  return (await readPlan(table, id)) ?? notFound
}

async function productOf(table: Table, { id, productId }: Plan): Promise<Product> {
  const product = await readProduct(table, productId)
  if (product === undefined) throw new Error(`The product ${productId} of plan ${id} is gone`)
  return product
}

function eventOf(type: EventDraft['type'], { id }: Plan): EventDraft {
  return { type, subject: { type: 'plan', id } }
}
