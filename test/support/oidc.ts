import { once } from 'node:events'
import { createServer } from 'node:http'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { LOOPBACK, listen } from '../../infra/local/port.ts'
import { epochSeconds, readClock } from '../../shared/platform/time.ts'

export type Claims = Readonly<Record<string, unknown>>

/** An identity provider on this machine: publishes one key and signs what it is told to. */
type IdentityProvider = {
  readonly issuer: string
  readonly audience: string
  /** A token for an hour; claims given as `undefined` are left out. */
  sign(claims: Claims, options?: { kid?: string; foreignKey?: boolean }): Promise<string>
  /** Answers requests for its keys with a failure from now on. */
  fail(): void
  stop(): Promise<void>
}

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const [own, foreign] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')])
  const keys = [{ ...(await exportJWK(own.publicKey)), kid: 'own', alg: 'ES256', use: 'sig' }]
  let failing = false
  const server = createServer((request, response) => {
    const found = request.url === '/.well-known/jwks.json'
    response.writeHead(failing ? 500 : found ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ keys }))
  })
  const issuer = `http://${LOOPBACK}:${await listen(server, 0)}`
  const audience = 'latchkey'
  return {
    issuer,
    audience,
    async sign(claims, { kid = 'own', foreignKey = false } = {}) {
      const now = epochSeconds(readClock())
      const payload = { iss: issuer, aud: audience, sub: 'ada', iat: now, exp: now + 3600, ...claims }
      return new CompactSign(Buffer.from(JSON.stringify(payload)))
        .setProtectedHeader({ alg: 'ES256', kid })
        .sign(foreignKey ? foreign.privateKey : own.privateKey)
    },
    fail() {
      failing = true
    },
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
