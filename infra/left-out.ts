import type { Plugin } from 'esbuild'

type Part = {
  /** Its name as it is imported, and from where. */
  readonly imported: RegExp
  readonly by?: RegExp
  /** What is bundled in its place. */
  readonly instead: string
}

/** Parts of dependencies that no function of ours reaches, and that are not in its bundle. */
const PARTS: Readonly<Record<string, Part>> = {
  /**
   * Credentials are looked for in the environment alone. Lambda always puts them there; the eight other places the SDK
   * knows (SSO, profiles, instance metadata …) bring clients of their own, a quarter of the bundle and a fifth of its
   * import time.
   */
  otherCredentials: {
    imported: /^@aws-sdk\/credential-provider-node$/,
    instead: `export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env'`,
  },
  /**
   * The SDK's protocols import these when an operation has an event stream, and none of DynamoDB's and KMS's has. That
   * one `import()` costs more than its own code: esbuild wraps each of the 150 modules behind it, most of the SDK's core,
   * in a function of its own, which cannot be shaken.
   */
  eventStreams: {
    imported: /^@smithy\/core\/event-streams$/,
    instead: `throw new Error('This bundle has no event streams; see infra/left-out.ts')`,
  },
  /** DynamoDB is asked for its endpoints only where the environment says so, and ours does not. 9 kB. */
  endpointDiscovery: {
    imported: /^@aws-sdk\/endpoint-cache$/,
    instead: `export class EndpointCache {}`,
  },
  /** A region is always in the environment, and SHA-256 always in Node.js. 5 kB. */
  metadataRegion: {
    imported: /\/getInstanceMetadataRegion$/,
    instead: `export const getInstanceMetadataRegion = async () => undefined`,
  },
  sha256InJavaScript: {
    imported: /\/Sha256Js$/,
    instead: `export class Sha256Js {}`,
  },
  /** The SDK repeats in its standard way; the adaptive one is for AWS_RETRY_MODE, which no function has. 3 kB. */
  adaptiveRetries: {
    imported: /\/DefaultRateLimiter$/,
    instead: `export class DefaultRateLimiter {
      constructor() { throw new Error('This bundle has no adaptive retries; see infra/left-out.ts') }
    }`,
  },
  /** Of its own package.json a client tells AWS the version; it would bring all of it. 4 kB. */
  packageJson: {
    imported: /^\.\.\/package\.json$/,
    by: /\/@aws-sdk\/client-/,
    instead: `import { version } from '../package.json'; export default { version }`,
  },
  /** Schemas are told as JSON Schema when the OpenAPI document is generated, and never in a function. 18 kB. */
  jsonSchema: {
    imported: /\/(to-json-schema|json-schema-processors)\.js$/,
    by: /\/zod\/v4\/classic\/schemas\.js$/,
    instead: `const none = () => { throw new Error('This bundle has no JSON Schema; see infra/left-out.ts') }
      export { none as aggregateChecks }
      export const createToJSONSchemaMethod = () => none
      export const createStandardJSONSchemaMethod = () => none`,
  },
}

const NAME = 'left-out'

/** esbuild plugin: leaves out of a bundle what no function reaches. */
export const leftOut: Plugin = {
  name: NAME,
  setup(build) {
    for (const { imported, by = /^/, instead } of Object.values(PARTS)) {
      build.onResolve({ filter: imported }, ({ path, importer, resolveDir }) =>
        by.test(importer)
          ? { path, namespace: NAME, pluginData: { instead, resolveDir }, sideEffects: false }
          : undefined,
      )
    }
    build.onLoad({ filter: /^/, namespace: NAME }, ({ pluginData: { instead, resolveDir } }) => ({
      contents: instead,
      resolveDir,
    }))
  },
}
