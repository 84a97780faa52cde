import { Environment } from '../../shared/platform/config/environment.ts'

/** Of the function behind the table's stream: nobody calls it, so it knows no credentials. */
export const RecordsEnvironment = Environment.pick({ STAGE: true, TABLE_NAME: true, LOG_LEVEL: true })
