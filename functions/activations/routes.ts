import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { ActivationView, Label } from '../../shared/domain/activation.ts'
import { ActivationFile, ActivationRequestFile } from '../../shared/domain/activation-file.ts'
import { Country } from '../../shared/domain/country.ts'
import { Components } from '../../shared/domain/fingerprint.ts'
import { HEARTBEAT_STATES } from '../../shared/domain/heartbeat.ts'
import { PLACE_REFUSALS } from '../../shared/domain/refusal.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason } from '../../shared/platform/http/shapes.ts'
import { ActivationId, TenantId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'

const TenantParams = z.strictObject({ tenantId: TenantId })
const ActivationParams = z.strictObject({ tenantId: TenantId, activationId: ActivationId })
const ProductName = z.string().min(1).max(64)

const machines = ['license', 'tenant:app', 'tenant:admin'] as const
const keepers = [...VENDOR_ROLES, 'tenant:admin', 'tenant:app', 'license'] as const

/** What is told of a machine besides its fingerprints, for people. */
const Told = {
  name: Label.optional(),
  platform: Label.optional(),
  hostname: Label.optional(),
  userId: z.string().min(1).max(100).optional(),
}

const Activated = z.strictObject({
  activation: ActivationView,
  /** False: this machine had its place already, and has no second one. */
  created: z.boolean(),
  /** When to send the first heartbeat; absent where none is needed. */
  nextHeartbeat: Instant.optional(),
})

/** How often places may still go to other machines; absent where that is not limited. */
const MovesLeft = z.strictObject({ allowed: z.int(), left: z.int() }).optional()

export const activationsRoutes = {
  activateMachine: {
    method: 'POST',
    path: '/v1/activations',
    access: machines,
    body: z.strictObject({
      product: ProductName.optional(),
      fingerprints: Components,
      ...Told,
      country: Country.optional(),
    }),
    success: { status: 200, body: Activated },
    errors: [
      'LICENSE_NOT_IN_FORCE',
      ...PLACE_REFUSALS,
      'ACTIVATIONS_EXHAUSTED',
      'FINGERPRINT_TAKEN',
      'MOVES_EXHAUSTED',
      'UNFINISHED',
      'NOT_FOUND',
    ],
    summary: 'Activate a machine; asking again answers the activation it has',
    description:
      'Takes a place of the pool of the metric `machines` over all node-locked licenses in force. Fingerprints are kept as keyed hashes only. With a token, `product` is required.',
  },
  beatActivation: {
    method: 'POST',
    path: '/v1/activations/heartbeat',
    access: machines,
    body: z.strictObject({ activationId: ActivationId }),
    success: {
      status: 200,
      body: z.strictObject({
        activationId: ActivationId,
        state: z.enum(HEARTBEAT_STATES),
        deadAt: Instant.optional(),
        nextHeartbeat: Instant.optional(),
      }),
    },
    errors: ['NOT_FOUND', 'ACTIVATION_DEAD'],
    summary: 'Say that an activated machine is alive',
    description:
      'Taken whatever the license says, which is for the validation to tell. Repeating it is harmless, so it keeps no Idempotency-Key.',
    safe: true,
  },
  activateOffline: {
    method: 'POST',
    path: '/v1/activations/offline',
    access: machines,
    body: z.strictObject({ request: ActivationRequestFile, ...Told, country: Country.optional() }),
    success: { status: 200, body: z.strictObject({ ...Activated.shape, file: ActivationFile }) },
    errors: [
      'LICENSE_NOT_IN_FORCE',
      ...PLACE_REFUSALS,
      'ACTIVATIONS_EXHAUSTED',
      'FINGERPRINT_TAKEN',
      'MOVES_EXHAUSTED',
      'UNFINISHED',
      'NOT_FOUND',
    ],
    summary: 'Activate a machine without a connection: a request file in, a signed response file out',
    description:
      'The file is a JWS (`typ: activation+jwt`) that verifies with the JWKS until the licenses end, grace included. A machine that is deactivated later keeps a file that verifies until then.',
  },
  listActivations: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/activations',
    access: [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter', 'tenant:app'],
    params: TenantParams,
    query: z.strictObject({
      ...PageQuery.shape,
      product: ProductName.optional(),
      state: z.enum(HEARTBEAT_STATES).optional(),
    }),
    success: { status: 200, body: pageOf(ActivationView) },
    errors: [],
    summary: "The tenant's activated machines, oldest first, with the state of their heartbeat",
  },
  deactivateMachine: {
    method: 'DELETE',
    path: '/v1/tenants/{tenantId}/activations/{activationId}',
    access: keepers,
    params: ActivationParams,
    query: z.strictObject({ reason: Reason.optional() }),
    success: { status: 200, body: z.strictObject({ activation: ActivationView, moves: MovesLeft }) },
    errors: [],
    summary: 'Deactivate a machine; its place is free at once',
  },
  moveActivation: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/activations/{activationId}/move',
    access: keepers,
    params: ActivationParams,
    body: z.strictObject({ fingerprints: Components, ...Told, country: Country.optional() }),
    success: {
      status: 200,
      body: z.strictObject({ ...Activated.omit({ created: true }).shape, moves: MovesLeft }),
    },
    errors: ['LICENSE_NOT_IN_FORCE', ...PLACE_REFUSALS, 'FINGERPRINT_TAKEN', 'MOVES_EXHAUSTED', 'UNFINISHED'],
    summary: 'Give the place of a machine to another one; the old activation ends',
  },
  resetActivations: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/activations/reset',
    access: VENDOR_ROLES,
    params: TenantParams,
    body: z.strictObject({ product: ProductName, reason: Reason }),
    success: { status: 200, body: z.strictObject({ deactivated: z.int() }) },
    errors: ['UNFINISHED'],
    summary: 'Deactivate all machines of a product and forget how often they were replaced',
    description:
      'Where time does not allow all, the answer is 503 UNFINISHED, and the same request again goes on.',
  },
} as const satisfies RouteTable
