import * as z from 'zod'
import { Pattern } from '../streams/filter.ts'
import { TableStream } from '../streams/records.ts'
import { type Handler, propertiesOf, unsupported } from './site.ts'

/** Lambda's own, where a mapping says nothing: 100 records a batch, and retries without end. */
const DEFAULT_BATCH_SIZE = 100
const ENDLESS = -1

const MappingProperties = z.object({
  EventSourceArn: z.string().default(''),
  FunctionName: z.string(),
  StartingPosition: z.string().default('TRIM_HORIZON'),
  Enabled: z.boolean().default(true),
  BatchSize: z.number().default(DEFAULT_BATCH_SIZE),
  BisectBatchOnFunctionError: z.boolean().default(false),
  MaximumRetryAttempts: z.number().default(ENDLESS),
  FunctionResponseTypes: z.array(z.string()).default([]),
  FilterCriteria: z.object({ Filters: z.array(z.object({ Pattern: z.string() })) }).default({ Filters: [] }),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.string() }).optional() }).default({}),
})

/**
 * AWS::Lambda::EventSourceMapping: of a table's stream alone. Batching window, parallelization and the age of records
 * have no meaning here: what is there is delivered at once, in order, and a machine that was off overnight is no reason
 * to throw anything away.
 */
export const eventSourceMapping: Handler = (logicalId, resource, site) => {
  const properties = propertiesOf(MappingProperties, logicalId, resource, site)
  const { EventSourceArn, FunctionName, StartingPosition, FilterCriteria, MaximumRetryAttempts } = properties
  const target = [...site.functions].find(([arn, { name }]) => [arn, name].includes(FunctionName))?.[1]
  const filters = z
    .array(Pattern)
    .safeParse(FilterCriteria.Filters.map(({ Pattern: text }) => JSON.parse(text)))
  if (!EventSourceArn.includes(':dynamodb:'))
    unsupported(site, logicalId, resource, `source ${EventSourceArn}`)
  else if (target === undefined) unsupported(site, logicalId, resource, `function ${FunctionName}`)
  else if (!filters.success) unsupported(site, logicalId, resource, 'a comparison of its filter')
  else if (StartingPosition !== 'TRIM_HORIZON')
    unsupported(site, logicalId, resource, `starting position ${StartingPosition}`)
  else if (properties.Enabled) {
    const queue = properties.DestinationConfig.OnFailure?.Destination
    site.streams.push({
      name: logicalId,
      stream: new TableStream(site.endpoints.dynamodb, EventSourceArn),
      batchSize: properties.BatchSize,
      filters: filters.data,
      maximumRetryAttempts:
        MaximumRetryAttempts === ENDLESS ? Number.POSITIVE_INFINITY : MaximumRetryAttempts,
      bisect: properties.BisectBatchOnFunctionError,
      reportsFailures: properties.FunctionResponseTypes.includes('ReportBatchItemFailures'),
      deadLetterQueue: queue && (site.queues.get(queue) ?? queue),
      functionName: target.name,
      invoke: (event) => target.invoke(event),
    })
  }
  return { ref: logicalId, attributes: { Id: logicalId } }
}
