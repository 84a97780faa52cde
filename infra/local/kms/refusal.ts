import type { ZodError } from 'zod'

/** What KMS refuses, under the names KMS has for it (API reference, "Common Errors" and each operation's errors). */
type KmsErrorName =
  | 'NotFoundException'
  | 'ValidationException'
  | 'SerializationException'
  | 'InvalidKeyUsageException'
  | 'DisabledException'
  | 'UnsupportedOperationException'
  | 'UnknownOperationException'

export class KmsRefusal extends Error {
  readonly error: KmsErrorName
  constructor(error: KmsErrorName, message: string) {
    super(message)
    this.error = error
  }
}

/** The words of AWS for parameters outside their constraints. */
export function validationRefusal(error: ZodError): KmsRefusal {
  const violations = error.issues.map((issue) => {
    const member = String(issue.path[0] ?? 'request')
    const name = member.charAt(0).toLowerCase() + member.slice(1)
    return `Value at '${name}' failed to satisfy constraint: ${constraint(issue)}`
  })
  const count = violations.length === 1 ? '1 validation error' : `${violations.length} validation errors`
  return new KmsRefusal('ValidationException', `${count} detected: ${violations.join('; ')}`)
}

function constraint(issue: ZodError['issues'][number]): string {
  switch (issue.code) {
    case 'invalid_value':
      return `Member must satisfy enum value set: [${issue.values.join(', ')}]`
    case 'too_big':
      return `Member must have length less than or equal to ${issue.maximum}`
    case 'too_small':
      return `Member must have length greater than or equal to ${issue.minimum}`
    case 'invalid_type':
      return issue.input === undefined ? 'Member must not be null' : issue.message
    default:
      return issue.message
  }
}
