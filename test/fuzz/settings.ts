import { toml } from './toml.ts'

/** Checks of schemathesis that are off, each with its reason. */
const OFF: Readonly<Record<string, string>> = {
  unsupported_method: 'API Gateway answers a method that no route has, and it says 404.',
  ensure_resource_availability: 'In links, too, ids of the world come in the place of what was just made.',
  ignored_auth: 'test/security/access.test.ts asks every operation with every kind of credential.',
}

/**
 * What data that is as declared may be answered with besides success: what depends on the world, and not on the data. 304:
 * `If-None-Match: *` has it already, whatever it is.
 */
const WORLDLY: readonly string[] = ['2xx', '304', '401', '403', '404', '409', '412', '422', '429', '503']

/** Any text will do here; where schemathesis makes one invalid, it puts a known one in its place and still expects a refusal. */
const FREE: ReadonlySet<string> = new Set(['reason'])

type Settings = {
  readonly url: string
  readonly authorization: string
  /** Values of fields by name, of what there is. */
  readonly known: Readonly<Record<string, string>>
  /** Ids of operations of which the bounds of fields are not tried. */
  readonly covered: readonly string[]
  readonly examples: number
  readonly seed: number
  /** Neither the bounds of fields nor one operation after another: a tenth of the requests. */
  readonly isQuick: boolean
  /** Where the records of the run go. */
  readonly records: string
}

/** The settings of one run, schemathesis.toml. */
export function settings(given: Settings): string {
  const { url, authorization, known, covered, examples, seed, isQuick, records } = given
  const places = Object.keys(known)
    .filter((name) => !FREE.has(name))
    .flatMap((name) => ['path', 'query', 'body'].map((place) => [`${place}.${name}`, name] as const))
  // Most often something that is there, so that it is not all refused at the door.
  const often = (dictionary: string) => ({ dictionary, probability: 0.9 })
  return toml({
    color: false,
    seed,
    'base-url': url,
    'continue-on-failure': true,
    // In several threads CPython before 3.11.8 now and then fails to read code (its issue 106905), and the operation at hand
    // is not asked; and no run is like another.
    workers: 1,
    // Nothing of another run changes this one.
    cache: { enabled: false },
    // Of its own speed and of what is rarely accepted: this is a small machine, and the table of results says it.
    warnings: false,
    'suppress-health-check': ['all'],
    headers: { Authorization: authorization },
    'request-timeout': 60,
    // The lines of curl are to work as they are, and the credentials are of a stack that is gone.
    output: { sanitization: { enabled: false }, truncation: { enabled: false } },
    reports: { ndjson: { enabled: true, path: records } },
    generation: {
      'max-examples': examples,
      database: 'none',
      'no-shrink': true,
      'with-security-parameters': false,
    },
    phases: {
      // There are none in the document.
      examples: { enabled: false },
      coverage: { enabled: !isQuick, 'unexpected-methods': [] },
      stateful: { enabled: !isQuick },
      // It takes the pointers in our problems for names of fields.
      fuzzing: { 'error-feedback': { enabled: false } },
    },
    operations:
      covered.length > 0
        ? [{ 'include-operation-id': covered, phases: { coverage: { enabled: false } } }]
        : [],
    dictionaries: {
      ...Object.fromEntries(Object.entries(known).map(([name, value]) => [name, { values: [value] }])),
      revisions: { values: ['"1"', '"2"'] },
    },
    parameters: {
      ...Object.fromEntries(places.map(([place, name]) => [place, often(name)])),
      'header.If-Match': often('revisions'),
    },
    checks: {
      ...Object.fromEntries(Object.keys(OFF).map((name) => [name, { enabled: false }])),
      // Its e-mail addresses have at most 64 characters before the @; ours, by a pattern in the document, may have more.
      response_schema_conformance: { 'validate-formats': false },
      positive_data_acceptance: { 'expected-statuses': WORLDLY },
      // 412: what If-Match names is looked at first. 413: a list that is too long may also be too many bytes.
      negative_data_rejection: {
        'expected-statuses': ['400', '401', '403', '404', '409', '412', '413', '415', '422', '428', '429'],
      },
      // 400: a body that is not valid is said first.
      missing_required_header: { 'expected-statuses': ['400', '428'] },
    },
  })
}
