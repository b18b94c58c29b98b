/** A market replayed over recorded history. */
export { ACTOR_KINDS, type ActorKind } from './actors.ts'
export type { DayRow, Liquidation, Report } from './report.ts'
export { type Progress, type ReplayOptions, replay } from './run.ts'
