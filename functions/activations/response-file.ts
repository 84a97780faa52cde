import { createHash } from 'node:crypto'
import type { Activation } from '../../shared/domain/activation.ts'
import {
  type ActivationFile,
  type ActivationRequestFile,
  activationClaims,
  type BoundFingerprint,
  endOfPlaces,
} from '../../shared/domain/activation-file.ts'
import type { MachineTerms } from '../../shared/domain/activation-terms.ts'
import type { Component } from '../../shared/domain/fingerprint.ts'
import type { Instant } from '../../shared/platform/time.ts'
import type { ActivationServices } from './services.ts'

/** The signed answer to a request file, bound to its machine and its nonce. */
export async function responseFile(
  activation: Activation,
  terms: MachineTerms,
  { nonce, fingerprints }: ActivationRequestFile,
  now: Instant,
  { issuer, sign }: ActivationServices,
): Promise<ActivationFile> {
  const bound = { nonce, fingerprints: fingerprints.map((one) => bind(one, nonce)) }
  const claims = activationClaims(activation, terms, bound, issuer, now)
  return {
    format: 'latchkey-activation-file/1',
    issuer,
    activationId: activation.id,
    product: claims.aud,
    expiresAt: endOfPlaces(terms) ?? null,
    activation: await sign(claims),
  }
}

/** Salted with the nonce: the file tells nobody what hardware it is, and the machine can compute it anew. */
function bind({ component, value }: Component, nonce: string): BoundFingerprint {
  const sha256 = createHash('sha256')
    .update([nonce, component ?? '', value].join('\n'))
    .digest('base64url')
  return { ...(component && { component }), sha256 }
}
