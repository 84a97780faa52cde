import { GUARDED, type Guarded, guardedNames } from '../../shared/store/guarded.ts'
import { keysWritten } from '../support/kept-table.ts'
import { interposeAll } from '../support/sdk.ts'

const escaped = (text: string) => text.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
/** A pattern of IAM as a regular expression. */
const matching = (pattern: string) =>
  new RegExp(`^${escaped(pattern).replaceAll('*', '.*').replaceAll('?', '.')}$`)

const PATTERNS = guardedNames.map((name) => [name, GUARDED[name].map(matching)] as const)

/** Which guarded partitions clients of this process write. */
export function watchGuarded(table: string) {
  const found = new Set<Guarded>()
  const close = interposeAll((call, send) => {
    for (const { pk } of keysWritten(call, table))
      for (const [name, patterns] of PATTERNS) {
        // That it was used, everybody notes of a token.
        const isLastUse = name === 'tokens' && call.command === 'UpdateItemCommand'
        if (!isLastUse && patterns.some((one) => one.test(String(pk)))) found.add(name)
      }
    return send()
  })
  return {
    close,
    /** Those since it was asked last. */
    take(): Guarded[] {
      const names = [...found]
      found.clear()
      return names
    },
  }
}
