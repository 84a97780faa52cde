import { defineConfig } from 'vitest/config'

// Milliseconds. Two cores shared with DynamoDB Local; nothing in a test waits for time to pass.
const limits = {
  testTimeout: 180_000,
  hookTimeout: 180_000,
  // Metrics are lines on the standard output.
  env: { POWERTOOLS_METRICS_DISABLED: 'true' },
}
const withDatabase = {
  globalSetup: ['test/support/dynamodb.ts'],
  setupFiles: ['test/support/each-file.ts'],
  ...limits,
}
const under = (...folders: string[]) => folders.map((folder) => `test/${folder}/**/*.test.ts`)
/** The others in `infra` start one of their own, or need none. */
const withDatabaseInInfra = ['test/infra/first-token.test.ts', 'test/infra/local/streams.test.ts']

export default defineConfig({
  test: {
    // One more than the cores of a small machine: some tests wait for a disk or for the SDK to try again.
    maxWorkers: 3,
    // Speed is measured by `npm run bench` (test/bench); it is never a pass or fail.
    projects: [
      { test: { name: 'rules', include: under('domain'), isolate: false, ...limits } },
      {
        test: {
          name: 'service',
          include: [
            ...under('functions', 'store', 'platform', 'security', 'world', 'conformance'),
            ...withDatabaseInInfra,
          ],
          // A process loads the program once: each file has a table and entries of functions of its own (support/api.ts).
          isolate: false,
          ...withDatabase,
        },
      },
      {
        test: {
          // Projects begin in the order of their names: the files that take longest are under way before the others.
          name: 'infra',
          include: under('infra', 'e2e', 'house'),
          exclude: withDatabaseInInfra,
          // CDK takes seconds to load.
          isolate: false,
          ...limits,
        },
      },
    ],
  },
})
