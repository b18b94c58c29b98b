/** What the process with the index and the one that asks it say to each other. */
import type { Queries } from './database.ts'
import type { IndexerErrorCode } from './errors.ts'
import * as reads from './reads.ts'
import type { Advanced } from './source.ts'

type Reads = typeof reads
/** The functions of reads.ts, without the database that they are asked of. */
export type Asked = {
  readonly [K in keyof Reads as Reads[K] extends (on: Queries, ...rest: never) => unknown
    ? K
    : never]: Reads[K] extends (on: Queries, ...rest: infer Rest) => infer Answer ? (...rest: Rest) => Answer : never
}
export type Question = keyof Asked

const { profitOf: _, ...asked } = reads
export const READS: Pick<Reads, Question> = asked

/** What went wrong last, and when (unix milliseconds). */
export interface Trouble {
  readonly code: IndexerErrorCode
  readonly message: string
  readonly at: number
}

export interface Progress {
  readonly database: 'embedded' | 'server'
  /** Everything up to this slot is in, while it is level; and the last final one. Undefined before the first. */
  readonly slot: number | undefined
  readonly final: number | undefined
  /** Where the node was when it was last asked. */
  readonly head: number | undefined
  /** Whether it takes in what was before it started, or what has piled up since. */
  readonly backfilling: boolean
  /** Missing stretches of events. */
  readonly gaps: number
  /** Forks undone since it started, and the slot that the last of them went back to. */
  readonly forks: number
  readonly rolledBack: number | undefined
  /** When all was in that the node had, unix milliseconds. */
  readonly levelAt: number | undefined
  /** Undefined if all is well. */
  readonly trouble: Trouble | undefined
}

export type ToWorker =
  | {
      readonly id: number
      readonly name: Question
      readonly args: readonly unknown[]
      /** Nobody waits any more afterwards, unix milliseconds. */
      readonly until: number
    }
  | 'close'

export interface Told {
  readonly code: IndexerErrorCode
  readonly message: string
  readonly context: Readonly<Record<string, string | number | bigint>>
}

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'advanced'; readonly advanced: Advanced }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly id: number; readonly error: Told }
