import { readFileSync, writeFileSync } from 'node:fs'
import * as z from 'zod'
import { openApi } from '../../shared/platform/http/openapi.ts'
import { operations } from '../routes.ts'

const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync('package.json', 'utf8')))

/** The OpenAPI document as it is committed beside this file; a test compares the two. */
export const openApiText = `${JSON.stringify(openApi(operations, version), null, 2)}\n`

if (import.meta.main) {
  writeFileSync(new URL('openapi.json', import.meta.url), openApiText)
  console.log(`functions/service/openapi.json: ${operations.length} operations`)
}
