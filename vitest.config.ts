import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Speed is measured by `npm run bench`; it is never a pass or fail.
    exclude: ['test/bench/**'],
    // One more than the cores of a small machine: some tests wait for a disk or for the SDK to try again.
    maxWorkers: 3,
    globalSetup: ['test/support/dynamodb.ts'],
    // Milliseconds. Two cores shared with DynamoDB Local; nothing in a test waits for time to pass.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
