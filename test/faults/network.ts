import * as z from 'zod'
import { interposeAll, type SdkCall } from '../support/sdk.ts'

/**
 * What happens to a call to AWS: it fails before it is carried out, it is carried out and the answer is lost, it is sent
 * twice as the SDK does after a lost answer, or it takes so long that the time of the function is nearly over.
 */
export const WAYS = ['before', 'after', 'twice', 'slow'] as const
export type Way = (typeof WAYS)[number]

export type Fault = { readonly at: number; readonly way: Way }

/** What somebody's work asked of AWS. */
export type Watched<T> = { readonly result: T; readonly calls: readonly SdkCall[] }

export type Network = {
  /** Does the work, noting its calls; one of them meets the fault. */
  during<T>(work: () => Promise<T>, fault?: Fault): Promise<Watched<T>>
  /** Milliseconds that the function has left. */
  remaining(): number
  /** How often somebody asked for that. */
  asked(): number
  close(): void
}

const PLENTY = 150_000
/** Milliseconds: less than anything that looks at the time reserves, more than it takes to answer. */
const LITTLE = 3_500

export function faultyNetwork(): Network {
  let calls: SdkCall[] | undefined
  let planned: Fault | undefined
  let left = PLENTY
  let asked = 0
  const close = interposeAll(async (call, send) => {
    if (calls === undefined || isOwnNote(call)) return send()
    const at = calls.push(call) - 1
    const way = planned?.at === at ? planned.way : undefined
    if (way === 'before') throw timeout()
    const result = await send()
    if (way === 'after') throw timeout()
    if (way === 'slow') left = LITTLE
    return way === 'twice' ? send() : result
  })
  return {
    async during(work, fault) {
      calls = []
      planned = fault
      left = PLENTY
      asked = 0
      try {
        return { result: await work(), calls }
      } finally {
        calls = undefined
        planned = undefined
      }
    },
    remaining() {
      asked += 1
      return left
    },
    asked: () => asked,
    close,
  }
}

const timeout = () => Object.assign(new Error('injected: no answer'), { name: 'TimeoutError' })

/** What is read is not lost by losing its answer, nor by reading it twice. */
export function waysToFail(calls: readonly SdkCall[], looksAtTime: boolean): Fault[] {
  return calls.flatMap((call, at) => {
    const ways: Way[] = ['before', ...(writes(call) ? (['after', 'twice'] as const) : [])]
    // Between two reads it makes no other difference than after the first call.
    if (looksAtTime && (at === 0 || writes(call))) ways.push('slow')
    return ways.map((way) => ({ at, way }))
  })
}

const isWriting = /^(Put|Update|Delete|TransactWrite)Item|^SendEmail/
const writes = ({ command }: SdkCall) => isWriting.test(command)

const OfCount = z.object({ Key: z.object({ pk: z.object({ S: z.string().startsWith('COUNT#') }) }) })

/** Counts of requests are noted once for many of them: whose turn it is, is no matter of the operation. */
const isOwnNote = ({ input }: SdkCall) => OfCount.safeParse(input).success
