import type * as z from 'zod'
import type { Access, Caller } from '../../domain/access.ts'
import type { Refusal, RefusalCode } from '../../domain/refusal.ts'
import type { Instant } from '../time.ts'

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
type Shape = z.ZodObject

/**
 * One operation of the API, as data. The table of these feeds API Gateway, the local server, authorization, parsing,
 * the OpenAPI document and the security tests.
 */
export type Route = {
  readonly method: Method
  /**
   * Parameters in braces, as API Gateway writes them: `/v1/licenses/{licenseId}`; one that takes all that is left of the
   * path, slashes included, at its end: `/v1/files/{path+}`.
   */
  readonly path: `/${string}`
  readonly access: Access
  readonly params?: Shape
  readonly query?: Shape
  readonly body?: z.ZodType
  /** Media types besides `application/json` that the body may come in; its text reaches the handler as it is. */
  readonly textBody?: readonly string[]
  /** Bytes; 256 KB unless said otherwise. */
  readonly bodyLimit?: number
  /**
   * The one successful status and the shape of its body. Where `media` is given, the body is no JSON but of one of these
   * types, and the handler replies what `rawBody` of shapes.ts says.
   */
  readonly success:
    | {
        readonly status: 200 | 201 | 202
        readonly body: z.ZodType
        readonly media?: readonly [string, ...string[]]
      }
    | { readonly status: 204 }
  /** Refusals of this operation's own; those every operation can give are added (see openapi.ts). */
  readonly errors: readonly RefusalCode[]
  readonly summary: string
  readonly description?: string
  /** The body is a resource with a `revision`: it is answered as ETag, and a PATCH must name it in If-Match. */
  readonly versioned?: boolean
  /** The answer has an ETag made of its content; a request that names it in If-None-Match gets 304. */
  readonly conditional?: boolean
  /** Seconds a shared cache may keep the answer; not cached unless said otherwise. */
  readonly cacheSeconds?: number
  /** A POST that changes nothing: it takes no Idempotency-Key. */
  readonly safe?: boolean
  /** Another protocol's media type, error bodies and entity tags; see scim.ts. */
  readonly dialect?: 'scim'
}

export type RouteTable = Readonly<Record<string, Route>>

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined
/** The body of an operation's success. */
export type Reply<R extends Route> = R['success'] extends { body: infer Body extends z.ZodType }
  ? z.input<Body>
  : undefined

/** What a handler receives: the request, parsed, and who is asking, when. */
export type Call<R extends Route> = {
  readonly params: Parsed<R['params']>
  readonly query: Parsed<R['query']>
  readonly body: Parsed<R['body']>
  readonly caller: Caller
  readonly now: Instant
  readonly requestId: string
  /** Network address of the caller as the edge saw it. */
  readonly address: string
  /** Country of the caller as the configured edge saw it; absent where the request did not come through that. */
  readonly edgeCountry?: string | undefined
  /** The revision named in If-Match; there whenever a versioned PATCH reaches its handler. 0 where none was named. */
  readonly revision: number
  readonly idempotencyKey: string | undefined
  /** Hash of method, path and body, to tell a replay from another request; empty where nothing is changed. */
  readonly fingerprint: string
  /** The key of `Authorization: License` on a public operation, which looks at it itself. */
  readonly licenseKey: string | undefined
  /** Milliseconds until the function is stopped. */
  readonly remaining: () => number
}

/** The stored answer to an earlier, identical request; parsed against the response like any other. */
export type Replayed = { readonly replayed: unknown }

export type Handler<R extends Route, Services> = (
  call: Call<R>,
  services: Services,
) => Promise<Reply<R> | Refusal | Replayed>

/** One handler per operation of a table: a missing one, or one with another answer, does not compile. */
export type Handlers<T extends RouteTable, Services> = { readonly [Id in keyof T]: Handler<T[Id], Services> }
