import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import * as z from 'zod'
import { isBeyondSchema } from './beyond-schema.ts'

/** What schemathesis writes of one operation in one phase; of all it writes, what is read here. */
const Bytes = z
  .object({ $base64: z.base64() })
  .transform(({ $base64 }) => Buffer.from($base64, 'base64').toString())
const Interaction = z.object({
  request: z.object({
    method: z.string(),
    uri: z.string(),
    headers: z.record(z.string(), z.array(z.string())),
    body: Bytes.optional(),
  }),
  response: z.object({ status_code: z.int(), content: Bytes.optional() }).optional(),
})
const Check = z.object({
  name: z.string(),
  failure_info: z.object({ failure: z.object({ message: z.string() }) }).optional(),
})
const Scenario = z.object({
  ScenarioFinished: z.object({
    phase: z.string(),
    recorder: z.object({
      label: z.string(),
      interactions: z.record(z.string(), Interaction).default({}),
      checks: z.record(z.string(), z.array(Check)).default({}),
    }),
  }),
})
const Failed = z.object({ NonFatalError: z.object({ label: z.string(), value: z.unknown() }) })

/** API Gateway's own answer to a request line and headers of more than 10 KB: no operation sees such a request. */
const TOO_LONG = 431

/** What schemathesis takes for no e-mail address: see settings.ts. */
const OTHER_FORMAT = /Value not matching the 'email' format/

export type Failure = {
  readonly operation: string
  readonly check: string
  readonly message: string
  readonly status: number | undefined
  readonly answer: string
  readonly curl: string
}

/** How often each operation was answered with each status, and what was wrong with answers. */
export type Records = {
  readonly answers: Map<string, Map<string, number>>
  readonly failures: Failure[]
}

/** Adds the records of a run to what is known. */
export async function readRecords(file: string, { answers, failures }: Records): Promise<void> {
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const event: unknown = JSON.parse(line)
    const failed = Failed.safeParse(event)
    if (failed.success) {
      const { label, value } = failed.data.NonFatalError
      const message = JSON.stringify(value)
      failures.push({ operation: label, check: 'error', message, status: undefined, answer: '', curl: '' })
    }
    const scenario = Scenario.safeParse(event)
    if (!scenario.success) continue
    const { label, interactions, checks } = scenario.data.ScenarioFinished.recorder
    for (const [id, { request, response }] of Object.entries(interactions)) {
      const status = response?.status_code
      const counts = answers.get(label) ?? new Map<string, number>()
      answers.set(label, counts.set(String(status), (counts.get(String(status)) ?? 0) + 1))
      for (const { name, failure_info } of checks[id] ?? []) {
        const answer = response?.content ?? ''
        if (failure_info === undefined || status === TOO_LONG) continue
        if (name === 'positive_data_acceptance' && status === 400 && isBeyondSchema(answer)) continue
        const { message } = failure_info.failure
        if (OTHER_FORMAT.test(message)) continue
        failures.push({ operation: label, check: name, message, status, answer, curl: curlOf(request) })
      }
    }
  }
}

/** A line for bash that sends the same request. */
function curlOf({ method, uri, headers, body }: z.infer<typeof Interaction>['request']): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
  const own = Object.entries(headers).filter(
    ([name]) => !/^(user-agent|accept.*|connection|content-length|x-schemathesis.*)$/i.test(name),
  )
  return [
    `curl -X ${method}`,
    ...own.flatMap(([name, values]) => values.map((value) => `-H ${quoted(`${name}: ${value}`)}`)),
    ...(body ? [`--data-binary ${quoted(body)}`] : []),
    quoted(uri),
  ].join(' ')
}
