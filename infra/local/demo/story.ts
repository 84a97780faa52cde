import type { Overview } from '../../../shared/domain/overview.ts'
import type { TenantId } from '../../../shared/platform/ids.ts'
import type { Instant } from '../../../shared/platform/time.ts'
import { createClient } from './client.ts'
import { audit, forge, tamper, verifyOffline } from './proving.ts'
import { sell, setUpShop, suspendAndReinstate, takeStock, validate } from './selling.ts'
import type { Issued, Narrator, World } from './tale.ts'

/** What is there when the story is over. */
export type Ending = {
  readonly tenantId: TenantId
  /** The 100-user license, active. */
  readonly active: Issued
  /** The 10-user license, in grace. */
  readonly grace: Issued
  /** As it was before anything was tampered with, and is again. */
  readonly overview: Overview
}

/**
 * The main job from end to end, over HTTP: a vendor issues, a tenant applies, an application validates, and what is
 * forged or tampered with is found out. Told by `npm run demo` and by the end-to-end test; once per stack, for it
 * takes a product code. Every step checks what it saw.
 *
 * @throws AssertionError where something does not happen as it should
 */
export async function tellStory(world: World, narrator: Narrator, now: Instant): Promise<Ending> {
  const tale = { ...world, client: createClient(world.url), narrator, now }
  const { planId, tenantId, people } = await setUpShop(tale)
  const { active, grace } = await sell(tale, planId, tenantId, people)
  const overview = await takeStock(tale, active, people)
  await validate(tale, active, grace)
  await suspendAndReinstate(tale, active, people)
  const proof = await verifyOffline(tale, active, people)
  await forge(tale, proof, tenantId, people)
  await tamper(tale, active, people)
  await audit(tale, tenantId, people)
  return { tenantId, active, grace, overview }
}
