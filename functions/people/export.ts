import { csvLine } from '../../shared/domain/csv.ts'
import { PERSON_COLUMNS, personCells } from '../../shared/domain/person-csv.ts'
import { isRefusal, notFound } from '../../shared/domain/refusal.ts'
import type { Handler } from '../../shared/platform/http/contract.ts'
import { readOrganizations } from '../../shared/store/organization.ts'
import { readPage } from '../../shared/store/page.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { VerifyingServices } from '../verified.ts'
import type { csvRoutes } from './csv-routes.ts'
import { canName, selected, selectionOf } from './selection.ts'

export const exportUsers: Handler<(typeof csvRoutes)['exportUsers'], VerifyingServices> = async (
  call,
  { table, secrets },
) => {
  const { params, query } = call
  const { tenantId } = params
  const [tenant, all] = await Promise.all([readTenant(table, tenantId), readOrganizations(table, tenantId)])
  if (tenant === undefined) return notFound
  if (query.organizationId !== undefined && !canName(call.caller, query.organizationId, all)) return notFound
  const selection = selectionOf({ ...query, includeBelow: true }, tenant, all, call)
  const page = await readPage(table, secrets.cursorKey, selection.range, query, async (items) =>
    (await selected(table, tenantId, selection, items)).map(
      (user) => user && csvLine(personCells(user, all)),
    ),
  )
  if (isRefusal(page)) return page
  return { header: csvLine(PERSON_COLUMNS), ...page }
}
