/**
 * How the pool's parameters changed (jupiter.md section 4 and market.md): facts with their dates and sources, and the parameters that
 * held at an instant. A date is that of the source: a document may lag the chain by weeks, and where only two observations are
 * known the change lies somewhere between them.
 */
import type { Bps, Dbps, UnixSeconds, UsdX6 } from '../jupiter/facts.ts'
import { JlpError } from './errors.ts'

/** `on-chain`: read from an account. `documented`: the project's own documents. `reported`: a third party. `recommended`: a risk report. */
export type Basis = 'on-chain' | 'documented' | 'reported' | 'recommended'

export interface Entry<T> {
  readonly from: UnixSeconds
  readonly value: T
  readonly basis: Basis
  readonly source: string
}

/** The custodies of 2023 to 2026; JupUSD, the sixth since 2026, has no parameters on record. */
export type Token = 'SOL' | 'ETH' | 'BTC' | 'USDC' | 'USDT'
export type PerToken<T> = Readonly<Record<Token, T>>

/** Linear: 10^-5 an hour at a utilisation of 1 (10 is 0.01 %). Jump: bp a year at a utilisation of 0, of the kink, and of 1. */
export type BorrowTerms =
  | { readonly mode: 'linear'; readonly hourlyDbps: PerToken<Dbps> }
  | {
      readonly mode: 'jump'
      readonly kinkBps: PerToken<Bps>
      readonly yearlyBps: PerToken<readonly [min: Bps, target: Bps, max: Bps]>
    }

const day = (year: number, month: number, date: number): UnixSeconds =>
  BigInt(Date.UTC(year, month - 1, date) / 1000) as UnixSeconds
const bps = (value: number): Bps => BigInt(value) as Bps
const millions = (value: number): UsdX6 => (BigInt(value) * 1_000_000_000_000n) as UsdX6
const same = <T>(value: T): PerToken<T> => ({ SOL: value, ETH: value, BTC: value, USDC: value, USDT: value })
const linear = (crypto: number, stable: number, sol = crypto): BorrowTerms => {
  const [c, s] = [BigInt(crypto) as Dbps, BigInt(stable) as Dbps]
  return { mode: 'linear', hourlyDbps: { SOL: BigInt(sol) as Dbps, ETH: c, BTC: c, USDC: s, USDT: s } }
}
const weights = (SOL: number, ETH: number, BTC: number, USDC: number, USDT: number): PerToken<Bps> => ({
  SOL: bps(SOL),
  ETH: bps(ETH),
  BTC: bps(BTC),
  USDC: bps(USDC),
  USDT: bps(USDT),
})
const curve = (min: number, target: number, max: number) => [bps(min), bps(target), bps(max)] as const

/** Pool.inceptionTime, 2023-07-18: the documents' first parameters are taken to hold from then. */
export const INCEPTION = 1_689_677_832n as UnixSeconds

/** Opening and closing a position, of its size. */
export const POSITION_FEE: readonly Entry<Bps>[] = [
  {
    from: INCEPTION,
    value: bps(10),
    basis: 'documented',
    source: 'jup-ag/space-station Moved/2-perpetual-exchange/3-jlp-pool.md',
  },
  { from: day(2024, 7, 15), value: bps(7), basis: 'documented', source: 'jup-ag/space-station commit 44380d9' },
  {
    from: day(2024, 8, 8),
    value: bps(6),
    basis: 'documented',
    source: 'jup-ag/space-station commit fc6fdfa; custody accounts of 2025-07-07 and 2026-09-24',
  },
]

/** The pool's part of all fees; the rest is the protocol's. It changed between 2024-05-27 and 2024-07-15. */
export const POOL_SHARE: readonly Entry<Bps>[] = [
  { from: INCEPTION, value: bps(7000), basis: 'documented', source: 'station.jup.ag/labs/perpetual-exchange/jlp-pool' },
  {
    from: day(2024, 7, 15),
    value: bps(7500),
    basis: 'documented',
    source: 'jup-ag/space-station history, 2024-05-27 to 2024-07-15; protocolShareBps 2500 on chain 2025 and 2026',
  },
]

/** Base fee of minting and redeeming (with a tax of 100 bp at most, so 0 to base + 100). Documents: 0 to 200 bp, later 0 to 150. */
export const LIQUIDITY_FEE: readonly Entry<Bps>[] = [
  {
    from: INCEPTION,
    value: bps(10),
    basis: 'on-chain',
    source: 'Pool account of 2025-07-07 (earlier values not found)',
  },
  { from: day(2026, 9, 24), value: bps(20), basis: 'on-chain', source: 'Pool account at slot 450101361' },
]

/** How far a weight may leave its target, in bp of the target. */
export const WEIGHT_BUFFER: readonly Entry<Bps>[] = [
  { from: INCEPTION, value: bps(2000), basis: 'documented', source: 'documents; Pool account of 2025-07-07' },
  {
    from: day(2026, 9, 24),
    value: bps(1000),
    basis: 'on-chain',
    source: 'Pool account at slot 450101361, and of 2026-10-02',
  },
]

export const TARGET_WEIGHTS: readonly Entry<PerToken<Bps>>[] = [
  {
    from: day(2024, 7, 1),
    value: weights(4400, 1000, 1100, 2600, 900),
    basis: 'reported',
    source: 'jupresear.ch t/17725, t/21885 (mid-2024, rounded)',
  },
  {
    from: day(2024, 11, 1),
    value: weights(4700, 1000, 1100, 2600, 600),
    basis: 'recommended',
    source: 'jupresear.ch t/27819 (November 2024: 47/10/11, USDT less 3)',
  },
  {
    from: day(2025, 5, 4),
    value: weights(4700, 800, 1300, 3200, 0),
    basis: 'on-chain',
    source: 'jupresear.ch t/37883; custody accounts of 2025-07-07 and 2026-02-27',
  },
]

export const AUM_CAP: readonly Entry<UsdX6>[] = [
  {
    from: day(2024, 8, 1),
    value: millions(700),
    basis: 'reported',
    source: 'documents of August 2024 as cited by defirisk.co; pptfa.com/4514, September 2024',
  },
  {
    from: day(2025, 4, 30),
    value: millions(1750),
    basis: 'on-chain',
    source: 'Pool account of 2025-07-07; undated posts of spring 2025',
  },
  {
    from: day(2026, 2, 27),
    value: millions(3000),
    basis: 'on-chain',
    source: 'seen on 2026-02-27; Pool accounts of 2026-09-24 and 2026-10-02',
  },
]

const DUAL_SLOPE: BorrowTerms = {
  mode: 'jump',
  kinkBps: same(bps(8000)),
  yearlyBps: {
    SOL: curve(1000, 6000, 23_000),
    ETH: curve(1000, 2300, 9000),
    BTC: curve(1000, 2000, 8000),
    USDC: curve(1000, 1000, 2500),
    USDT: curve(1000, 1000, 2500),
  },
}

export const BORROW: readonly Entry<BorrowTerms>[] = [
  {
    from: INCEPTION,
    value: linear(10, 10),
    basis: 'documented',
    source: 'documents of 2023 and 2024: 0.01 % an hour times utilisation',
  },
  {
    from: day(2024, 8, 2),
    value: linear(8, 8, 10),
    basis: 'recommended',
    source: 'jupresear.ch t/21091 (SOL 0.010 %, others 0.008 %)',
  },
  {
    from: day(2024, 8, 8),
    value: linear(8, 10),
    basis: 'documented',
    source: 'documents after August 2024: SOL, ETH, BTC 0.008 %, USDC and USDT 0.01 %',
  },
  { from: day(2024, 11, 26), value: linear(12, 12), basis: 'documented', source: 'documents of 2024-11-26: 0.012 %' },
  {
    from: day(2025, 1, 16),
    value: DUAL_SLOPE,
    basis: 'on-chain',
    source:
      'documents of 2025-01-16 (dual slope); values: OpenJUP/jlp-fee-model-250213 and custody accounts of 2025-07-07',
  },
  // Of September 2026 only SOL and USDC were seen; the others are carried over.
  {
    from: day(2026, 9, 24),
    value: {
      mode: 'jump',
      kinkBps: { ...same(bps(8000)), USDC: bps(9000) },
      yearlyBps: { ...DUAL_SLOPE.yearlyBps, SOL: curve(1000, 3500, 15_000), USDC: curve(0, 850, 1500) },
    },
    basis: 'on-chain',
    source: 'custody accounts of SOL and USDC at slot 450101361',
  },
]

export interface Era {
  readonly positionFee: Entry<Bps>
  readonly poolShare: Entry<Bps>
  readonly liquidityFee: Entry<Bps>
  readonly weightBuffer: Entry<Bps>
  readonly borrow: Entry<BorrowTerms>
  /** Unknown before the first report of them. */
  readonly targetWeights: Entry<PerToken<Bps>> | undefined
  readonly aumCap: Entry<UsdX6> | undefined
}

const lastBefore = <T>(entries: readonly Entry<T>[], at: UnixSeconds): Entry<T> | undefined =>
  entries.findLast(entry => entry.from <= at)

/** The parameters that held at an instant, as far as they are known. */
export const eraAt = (at: UnixSeconds): Era => {
  if (at < INCEPTION) throw new JlpError('no-era', 'The pool began on 2023-07-18', { at })
  return {
    positionFee: lastBefore(POSITION_FEE, at)!,
    poolShare: lastBefore(POOL_SHARE, at)!,
    liquidityFee: lastBefore(LIQUIDITY_FEE, at)!,
    weightBuffer: lastBefore(WEIGHT_BUFFER, at)!,
    borrow: lastBefore(BORROW, at)!,
    targetWeights: lastBefore(TARGET_WEIGHTS, at),
    aumCap: lastBefore(AUM_CAP, at),
  }
}
