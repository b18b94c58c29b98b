import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Money tests are long on purpose; a hang is still caught.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
})
