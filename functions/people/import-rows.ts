import * as z from 'zod'
import { unguarded } from '../../shared/domain/csv.ts'
import { emailKey } from '../../shared/domain/email.ts'
import { type Organizations, seesOrganization } from '../../shared/domain/organization.ts'
import { byPath, type PERSON_COLUMNS } from '../../shared/domain/person-csv.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import { UserDraft } from '../../shared/domain/user.ts'
import { invalidLines, lineError, readImport } from '../import-lines.ts'
import type { CommitRequest } from '../services.ts'

const { name, email, externalId, roles, status, usageLocation } = UserDraft.shape

/** A person of an import. By its external id, or else its e-mail address, it is known whether it is here already. */
const ImportPerson = z
  .strictObject({
    name,
    email,
    externalId,
    /** The names from the top: `School/Physics`; absent for the tenant itself. */
    organization: z.string().max(2_000).optional(),
    roles,
    status,
    usageLocation,
  })
  .refine((row) => row.email !== undefined || row.externalId !== undefined, {
    message: 'needs an email or an externalId, so that importing it twice makes one person',
    path: ['email'],
  })

/** A row that can be imported, by the line it stands on: of the text, header counted, or the place in the list. */
export type NumberedPerson = { readonly line: number; readonly draft: UserDraft }

/** Every row, or what is wrong with those that cannot be imported. */
export function readPeople(
  body: { rows: readonly unknown[] } | string,
  all: Organizations,
  { caller }: Pick<CommitRequest, 'caller'>,
): NumberedPerson[] | Refusal {
  const read = readImport(body, {
    schema: ImportPerson,
    rowOf,
    once: ({ externalId, email }) => ({ externalId, email: email && emailKey(email) }),
  })
  if (isRefusal(read)) return read
  const paths = byPath(all)
  const errors = [...read.errors]
  const people: NumberedPerson[] = []
  for (const { line, row } of read.rows) {
    const { organization, ...person } = row
    const [organizationId, ...others] = organization === undefined ? [] : (paths.get(organization) ?? [])
    const isSeen = seesOrganization(caller, organizationId, all)
    if (organization !== undefined && (organizationId === undefined || !isSeen))
      fail(line, 'organization', `there is no organization ${organization}`)
    else if (!isSeen) fail(line, 'organization', 'name one that you administer')
    if (others.length > 0) fail(line, 'organization', `${others.length + 1} organizations have this path`)
    people.push({ line, draft: { ...person, ...(organizationId && { organizationId }) } })
  }
  return errors.length > 0 ? invalidLines(errors) : people

  function fail(line: number, field: string, message: string): void {
    errors.push(lineError(line, field, message))
  }
}

/** Columns of an export that an import does not need: they follow from the others. */
const IGNORED: ReadonlySet<string> = new Set([
  'id',
  'lastActiveAt',
  'seats',
] satisfies (typeof PERSON_COLUMNS)[number][])

function rowOf(record: Readonly<Record<string, string>>): Record<string, unknown> {
  const cells = Object.entries(record)
    .map(([column, cell]) => [column, unguarded(cell).trim()] as const)
    .filter(([column, cell]) => cell !== '' && !IGNORED.has(column))
  return Object.fromEntries(cells.map(([column, cell]) => [column, column === 'roles' ? list(cell) : cell]))
}

const list = (cell: string) =>
  cell
    .split(';')
    .map((role) => role.trim())
    .filter((role) => role !== '')
