/** How the model judges an instruction: every condition by itself, with a hair's breadth in which it lets either answer pass. */
import type { Decimal } from 'decimal.js'
import { X } from './exact.ts'

/** 1 holds, -1 does not, 0 is too close to the boundary to tell. */
export type Truth = -1 | 0 | 1

export const truth = (holds: boolean): Truth => (holds ? 1 : -1)
export const both = (...all: readonly Truth[]): Truth => Math.min(...all) as Truth
export const either = (...all: readonly Truth[]): Truth => Math.max(...all) as Truth
export const not = (value: Truth): Truth => -value as Truth

/** Relative width of the boundary, beside the atoms that the two sides may have lost to roundings. */
export const HAIR = 1e-9

/** Whether `left >= right`, both in atoms and exact but for `atoms` of rounding in the engine. */
export const atLeast = (left: Decimal, right: Decimal, atoms: number): Truth => {
  const hair = new X(atoms).plus(left.abs().plus(right.abs()).times(HAIR))
  const over = left.minus(right)
  if (atoms === 0 && over.isZero()) return 1
  return over.gte(hair) ? 1 : over.lt(hair.neg()) ? -1 : 0
}

/** Thrown where the model cannot go on: what was demanded until then is the verdict. */
export class Stop extends Error {}

export class Judge {
  readonly violated = new Map<string, string>()
  readonly doubtful = new Map<string, string>()

  /** A condition; any of `codes` may be given as the reason when it does not hold. */
  demand(codes: string | readonly string[], holds: Truth | boolean, detail: () => string = () => ''): void {
    const value = typeof holds === 'boolean' ? truth(holds) : holds
    if (value === 1) return
    const into = value === -1 ? this.violated : this.doubtful
    for (const code of typeof codes === 'string' ? [codes] : codes) into.set(code, detail())
  }

  /** A condition without which nothing further can be said. */
  need(codes: string | readonly string[], holds: Truth | boolean, detail?: () => string): void {
    this.demand(codes, holds, detail)
    if ((typeof holds === 'boolean' ? truth(holds) : holds) === -1) throw new Stop()
  }
}
