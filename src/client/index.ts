/** The client's public surface. `codecs.ts` by itself is what runs in a page. */
export * from './addresses.ts'
export * from './codecs.ts'
export * from './engine.ts'
export * from './errors.ts'
