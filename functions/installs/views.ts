import type { Holdings, Standing } from '../../shared/domain/holdings.ts'
import { standings } from '../../shared/domain/holdings.ts'
import { type LicenseView, licenseView } from '../../shared/domain/license-view.ts'
import type { Instant } from '../../shared/platform/time.ts'
import type { VerifyingServices } from '../verified.ts'

export function standingView({ license, status, extensions, because }: Standing): LicenseView {
  return licenseView(license, status, extensions, because === 'TAMPERED')
}

export function standingsOf(holdings: Holdings, now: Instant, { verifier }: VerifyingServices) {
  return standings(holdings, now, verifier.isGenuine)
}
