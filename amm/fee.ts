/** The trading fee: what is charged, and who gets it (docs/protocol.md sections 5 and 11). */
import { mulDiv } from './fixed.ts'
import type { FeeTerms } from './pool.ts'
import type { JlpAtoms } from './units.ts'

/** The parts of a fee; they add up to `total` exactly. */
export interface FeeSplit {
  readonly total: JlpAtoms
  /** Repays a standing deficit, before anybody else gets a share. */
  readonly repaid: JlpAtoms
  /** To the LPs whose liquidity was used. */
  readonly lp: JlpAtoms
  readonly insurance: JlpAtoms
  readonly protocol: JlpAtoms
}

/**
 * `ceil(feeBps * ST leg)`, at least 1 atom: the trader owes it, so it rounds up. A deficit is repaid first. Of the rest the
 * protocol's part rounds down (the odd atom goes to the LPs), and of that part the insurance fund gets the odd atom.
 */
export const feeOn = (stLeg: bigint, terms: FeeTerms, deficit: bigint): FeeSplit => {
  const charged = mulDiv(stLeg, BigInt(terms.feeBps), 10_000n, 'up')
  const total = charged > 0n ? charged : 1n
  const repaid = total < deficit ? total : deficit
  const left = total - repaid
  const protocolPart = mulDiv(left, BigInt(10_000 - terms.lpShareBps), 10_000n, 'down')
  const protocol = mulDiv(protocolPart, BigInt(10_000 - terms.insuranceShareBps), 10_000n, 'down')
  return {
    total,
    repaid,
    lp: left - protocolPart,
    insurance: protocolPart - protocol,
    protocol,
  } as FeeSplit
}
