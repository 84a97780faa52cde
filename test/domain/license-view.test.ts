import { describe, expect, test } from 'vitest'
import { LicenseView, licenseView } from '../../shared/domain/license-view.ts'
import { aLicense, licenseId } from '../support/licenses.ts'

describe('a license as the API shows it', () => {
  const license = aLicense({
    reference: 'order-7',
    suspendedAt: '2026-05-01T00:00:00Z',
    suspensionReason: 'unpaid',
    extendedBy: [licenseId(2)],
    lastSeenStatus: 'ACTIVE',
  })

  test('has nothing of its key but four characters, and nothing of its signature', () => {
    const view = LicenseView.parse(licenseView(license, 'SUSPENDED', [], false))
    expect(view.key).toBe('*****-*****-*****-*****-*****-*7K3Q')
    const told = JSON.stringify(view)
    expect(told).not.toContain(license.keyHash)
    expect(told).not.toContain(license.signature.value)
  })

  test('says what the customer bought, and its status', () => {
    expect(licenseView(license, 'SUSPENDED', [], true)).toMatchObject({
      id: licenseId(1),
      customer: { id: 'C-1001', name: 'Example University', email: 'licenses@example.edu' },
      reference: 'order-7',
      limits: { users: 100 },
      status: 'SUSPENDED',
      tampered: true,
      suspensionReason: 'unpaid',
      extendedBy: [licenseId(2)],
    })
  })

  test('names the end that its extensions give it where that differs', () => {
    const extension = aLicense({ id: licenseId(2), type: 'VALIDITY', expiresAt: '2028-01-01T00:00:00Z' })
    expect(licenseView(license, 'ACTIVE', [extension], false).effectiveExpiresAt).toBe(
      '2028-01-01T00:00:00.000Z',
    )
    expect('effectiveExpiresAt' in licenseView(license, 'ACTIVE', [], false)).toBe(false)
  })
})
