import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Needs } from '../../functions/needs.ts'
import { Token } from '../../shared/domain/token.ts'
import { STORAGE_FIELDS } from '../../shared/store/codec.ts'
import { GUARDED, type Guarded, guardedNames } from '../../shared/store/guarded.ts'
import { TABLE } from '../../shared/store/table.ts'
import { allow } from './statement.ts'

// A transaction needs the permissions of its parts. Nobody may Scan: a sweep reads what is due, by Query.
const READ = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query']
const WRITE = [...READ, 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem']
const ACTIONS = { read: READ, write: WRITE, remove: [...WRITE, 'dynamodb:DeleteItem'] }

/** What a function may do to the table, and to which partitions not. */
export function tableAccess({ table: access, indexes = [], guarded = [] }: Needs, table: Table) {
  const statements = [allow(ACTIONS[access], [table.tableArn])]
  if (indexes.length > 0)
    statements.push(
      allow(
        ['dynamodb:Query'],
        indexes.map((name) => `${table.tableArn}/index/${name}`),
      ),
    )
  return access === 'read' ? statements : [...statements, ...guards(guarded, table)]
}

/** What an update of a token by others may name: its key, and when it was used. */
const LAST_USE: ReadonlySet<string> = new Set([
  TABLE.partitionKey,
  TABLE.sortKey,
  ...Object.keys(Token.pick({ lastUsedAt: true }).shape),
])

/**
 * Denied, and not left out of what is allowed: a request without the key of a condition is not denied. So a mistake here
 * lets more happen, and never stops a function from its work.
 */
function guards(own: readonly Guarded[], table: Table): PolicyStatement[] {
  const others = guardedNames.filter((name) => !own.includes(name))
  const unchanged = others.filter((name) => name !== 'tokens')
  const deny = (actions: string[], names: readonly Guarded[], attributes?: readonly string[]) =>
    new PolicyStatement({
      effect: Effect.DENY,
      actions,
      resources: [table.tableArn],
      conditions: {
        'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': names.flatMap((name) => GUARDED[name]) },
        ...(attributes && { 'ForAnyValue:StringEquals': { 'dynamodb:Attributes': attributes } }),
      },
    })
  const statements = [
    deny(['dynamodb:PutItem', 'dynamodb:DeleteItem'], others),
    deny(['dynamodb:UpdateItem'], unchanged),
  ]
  if (!others.includes('tokens')) return statements
  const decided = [...Object.keys(Token.shape), ...STORAGE_FIELDS].filter((name) => !LAST_USE.has(name))
  return [...statements, deny(['dynamodb:UpdateItem'], ['tokens'], decided)]
}
