import type { Plugin } from 'esbuild'

const NAME = 'no-event-streams'

/**
 * esbuild plugin: leaves the SDK's event streams out. Its protocols import them when an operation has one, and none of
 * DynamoDB's and KMS's has. That one `import()` costs more than its own code: esbuild wraps each of the 150 modules
 * behind it, most of the SDK's core, in a function of its own, which cannot be shaken.
 */
export const noEventStreams: Plugin = {
  name: NAME,
  setup(build) {
    build.onResolve({ filter: /^@smithy\/core\/event-streams$/ }, ({ path }) => ({ path, namespace: NAME }))
    build.onLoad({ filter: /.*/, namespace: NAME }, () => ({
      contents: `throw new Error('This bundle has no event streams; see infra/no-event-streams.ts')`,
    }))
  },
}
