import { expect, test } from 'vitest'
import { customerOf, Tenant } from '../../shared/domain/tenant.ts'
import { TENANT } from '../support/licenses.ts'

const contact = (name: string, role: string) => ({ name, role, email: `${name}@example.edu` })

test.each([
  ['its owner', [contact('ada', 'billing'), contact('bob', 'owner')], 'bob@example.edu'],
  [
    'its first contact where there is no owner',
    [contact('ada', 'billing'), contact('bob', 'technical')],
    'ada@example.edu',
  ],
  ['nobody where there is no contact', [], undefined],
])('a license names as e-mail of the customer that of %s', (_, contacts, email) => {
  const tenant = Tenant.parse({
    id: TENANT,
    name: 'Example University',
    customerId: 'C-1001',
    contacts,
    createdAt: '2026-01-01T00:00:00Z',
    revision: 1,
  })
  expect(customerOf(tenant)).toEqual({ id: 'C-1001', name: 'Example University', ...(email && { email }) })
})
