import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import * as z from 'zod'

/** Bytes travel as base64 in a function's event. */
const Bytes = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')))

const Attribute: z.ZodType<AttributeValue> = z.lazy(() =>
  z.union([
    z.strictObject({ S: z.string() }),
    z.strictObject({ N: z.string() }),
    z.strictObject({ B: Bytes }),
    z.strictObject({ BOOL: z.boolean() }),
    z.strictObject({ NULL: z.literal(true) }),
    z.strictObject({ M: z.record(z.string(), Attribute) }),
    z.strictObject({ L: z.array(Attribute) }),
    z.strictObject({ SS: z.array(z.string()) }),
    z.strictObject({ NS: z.array(z.string()) }),
    z.strictObject({ BS: z.array(Bytes) }),
  ]),
)

/** An item as the store reads it. */
const Image = z.record(z.string(), Attribute).transform((image): Record<string, unknown> => unmarshall(image))

const Keys = z.object({ pk: z.object({ S: z.string() }), sk: z.object({ S: z.string() }) })

/** One change of one item, as the stream tells it (Streams API, Record). */
export const StreamRecord = z.object({
  /** The same however often the record is delivered. */
  eventID: z.string().min(1),
  dynamodb: z.object({
    /** Seconds since 1970, when the change was made; DynamoDB Local tells only the minute. */
    ApproximateCreationDateTime: z.number(),
    Keys,
    NewImage: Image,
    OldImage: Image.optional(),
  }),
})

/** What Lambda sends: a batch, of which so much has to be there that a record can be told from the others. */
export const StreamEvent = z.object({
  Records: z.array(
    z.looseObject({
      dynamodb: z.looseObject({ SequenceNumber: z.string().min(1), Keys }),
    }),
  ),
})
export type RawRecord = z.infer<typeof StreamEvent>['Records'][number]
