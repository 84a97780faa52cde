import assert from 'node:assert/strict'
import type * as z from 'zod'

/** What of an operation's contract a client needs; the route table's rows fit. */
type Operation<T> = {
  readonly method: string
  readonly path: string
  readonly success: { readonly status: number; readonly body: z.ZodType<T> }
}

/** `Bearer <token>`, `License <key>`, or nobody. */
type Credential = string | undefined

type Sent = {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly idempotencyKey?: string
  /** The revision that an edit is made on. */
  readonly revision?: number
}

export type Answer = { readonly status: number; readonly body: unknown }

export type Client = {
  /** One request as it goes over the wire. */
  send(
    route: Pick<Operation<unknown>, 'method' | 'path'>,
    credential: Credential,
    sent?: Sent,
  ): Promise<Answer>
  /** The body of an operation that succeeds. @throws AssertionError, with what was answered instead */
  ask<T>(route: Operation<T>, credential: Credential, sent?: Sent): Promise<T>
}

/** A small client of the API: the route table says where an operation is and what it answers. */
export function createClient(url: string): Client {
  async function send(...[{ method, path }, credential, sent = {}]: Parameters<Client['send']>) {
    const { params = {}, query, body, idempotencyKey, revision } = sent
    const place = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
    const response = await fetch(`${url}${place}${query ? `?${new URLSearchParams(query)}` : ''}`, {
      method,
      headers: {
        ...(credential && { authorization: credential }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(idempotencyKey && { 'idempotency-key': idempotencyKey }),
        ...(revision !== undefined && { 'if-match': `"${revision}"` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = /[/+]json(;|$)/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, body: isJson ? JSON.parse(text) : text || undefined }
  }
  return {
    send,
    async ask(route, credential, sent) {
      const { status, body } = await send(route, credential, sent)
      const { success } = route
      assert.equal(status, success.status, `${route.method} ${route.path}: ${status} ${JSON.stringify(body)}`)
      return success.body.parse(body)
    },
  }
}
