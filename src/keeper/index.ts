/** The keeper's public surface. */
export * from './jobs.ts'
export * from './keeper.ts'
