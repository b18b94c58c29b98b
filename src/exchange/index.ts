/** The engine's public surface. */
export * from './apply.ts'
export * from './audit.ts'
export * from './errors.ts'
export type * from './event.ts'
export type * from './instruction.ts'
export * from './margin.ts'
export * from './state.ts'
export * from './terms.ts'
