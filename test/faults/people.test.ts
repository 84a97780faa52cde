import { ABOUT_PEOPLE } from './halves.ts'
import { failOperations } from './run-operations.ts'

await failOperations(({ context }) => ABOUT_PEOPLE.has(context))
