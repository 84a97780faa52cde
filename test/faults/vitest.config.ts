import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'faults',
    include: ['test/faults/*.test.ts'],
    globalSetup: ['test/faults/setup.ts'],
    maxWorkers: 2,
    // Each fault is logged by the service.
    silent: true,
    // Some have hundreds of faults, and the machine may be busy; one that goes on beside the next would disturb it.
    testTimeout: 1_800_000,
    hookTimeout: 180_000,
    // The SDK does not try again: what it makes of a fault is what the service meets.
    env: { POWERTOOLS_METRICS_DISABLED: 'true', AWS_MAX_ATTEMPTS: '1' },
  },
})
