import { defineConfig } from 'vitest/config'

// Milliseconds. Two cores shared with DynamoDB Local; nothing in a test waits for time to pass.
const limits = {
  testTimeout: 180_000,
  hookTimeout: 180_000,
  // Metrics are lines on the standard output.
  env: { POWERTOOLS_METRICS_DISABLED: 'true' },
}
/** Plain functions of their arguments: no database, and no need of a fresh process for each file. */
const PURE = ['test/domain/**/*.test.ts']

export default defineConfig({
  test: {
    // One more than the cores of a small machine: some tests wait for a disk or for the SDK to try again.
    maxWorkers: 3,
    projects: [
      { test: { name: 'rules', include: PURE, isolate: false, ...limits } },
      {
        test: {
          name: 'service',
          include: ['test/**/*.test.ts'],
          // Speed is measured by `npm run bench`; it is never a pass or fail.
          exclude: [...PURE, 'test/bench/**'],
          globalSetup: ['test/support/dynamodb.ts'],
          ...limits,
        },
      },
    ],
  },
})
