/**
 * A market replayed over recorded history: coupons from the recorded fees, order flow simulated by actors.ts, the books summed
 * afresh after every instruction. The same options give the same report, byte by byte.
 */
import { type CouponKind, marketName } from '../../../amm/index.ts'
import {
  accountId,
  audit,
  balanceId,
  belowMaintenance,
  createLedger,
  execute,
  type Instruction,
  type Ledger,
  liquidationOf,
  SEED_DUST,
  type World,
} from '../../exchange/index.ts'
import {
  apyOf,
  type Earned,
  type History,
  HOUR_SECONDS,
  leadingApr,
  OracleError,
  officialFromHistory,
  projectHistory,
  SOURCE_TERMS,
} from '../../oracle/index.ts'
import { DAY } from '../figures.ts'
import { type Actor, decide, populate, rateOf, Scene } from './actors.ts'
import { Dice } from './dice.ts'
import { Recorder, type Report } from './report.ts'
import { RecordedPool } from './source.ts'

export interface ReplayOptions {
  readonly history: History
  /** A full hour, Unix seconds. */
  readonly from: number
  /** The market's maturity. */
  readonly maturity: number
  /** When to stop, at most the maturity; positions still open are valued at the market. */
  readonly to: number
  readonly kind: CouponKind
  readonly seed: bigint
  readonly accountsPerKind: number
  /** How often somebody looks at the market, an hour. Most looks lead to nothing. */
  readonly looksPerHour: number
  /** Whether the books are summed after every instruction, or once an hour. */
  readonly checked: 'every instruction' | 'hourly'
}

export interface Progress {
  readonly done: number
  readonly of: number
  readonly trades: number
}

const OPERATOR = 'operator'
const KEEPER = 'keeper'

/** Runs the market to its end; yields once a simulated day and returns the report. Throws `no-data` outside the history. */
export function* replay(options: ReplayOptions): Generator<Progress, Report> {
  const { history, from, to, maturity, kind, seed } = options
  const dice = new Dice(seed)
  const pool = new RecordedPool(history, from)
  const actors = populate(options.accountsPerKind, dice)
  const ledger = createLedger({
    config: { authority: OPERATOR, pauser: OPERATOR, treasury: OPERATOR },
    lastStep: from,
    weeklyLastStep: pool.lastUpdated,
    balances: [
      [balanceId('jlp', OPERATOR), SEED_DUST] as const,
      ...actors.map(({ name, capital }) => [balanceId('jlp', name), capital] as const),
    ],
  })
  const market = marketName(maturity, kind)
  const worldAt = (now: number): World => ({ now, jlpSupply: pool.jlpSupply, weeklyUpdatedAt: pool.lastUpdated })
  const start = outlookFrom(history, from)
  const scene = new Scene(ledger, market, dice, worldAt(from), { ...start, implied: start.belief })
  const recorder = new Recorder(scene, actors, options)

  /** Gives an instruction and writes down what came of it; true if it was applied. */
  const give = (instruction: Instruction): boolean => {
    const result = execute(ledger, instruction, scene.world)
    recorder.took(instruction, result)
    if (result.kind === 'applied' && options.checked === 'every instruction') recorder.checked(audit(ledger))
    return result.kind === 'applied'
  }
  const giveAll = (instructions: readonly Instruction[]): void => {
    for (const instruction of instructions) if (!give(instruction)) return
  }

  const pay = (earned: Earned): void => {
    recorder.beforeCoupon()
    give({ kind: 'accrue', coupon: kind, earned })
    recorder.afterCoupon()
  }

  give({ kind: 'create-market', by: OPERATOR, coupon: kind, maturity, rate: rateOf(start.belief) })
  const lps = actors.filter(actor => actor.kind === 'lp')
  for (const lp of lps) giveAll(decide(lp, scene))
  recorder.day()

  let target = start.belief
  for (let hour = from; hour < to; hour += HOUR_SECONDS) {
    if (hour === from || hour % DAY === 0) target = outlookFrom(history, hour - (hour % DAY)).belief
    if ((hour - from) % DAY === 0) {
      scene.outlook = { ...outlookFrom(history, hour), implied: scene.outlook.implied, belief: scene.outlook.belief }
    }
    // Minds move towards what was published, in small steps, and now and then all at once.
    const drift = 0.01 * (target / scene.outlook.belief - 1) + 0.006 * dice.normal()
    const news = dice.chance(0.012) ? 0.14 * dice.normal() : 0
    scene.outlook = { ...scene.outlook, belief: Math.max(0.02, scene.outlook.belief * (1 + drift + news)) }

    const looks = dice.int(0, 2 * options.looksPerHour)
    const settling = SOURCE_TERMS[kind].settlingDelay
    const times = Array.from({ length: looks }, () => hour + settling + dice.int(1, HOUR_SECONDS - settling - 1))
    for (const now of times.sort((a, b) => a - b)) {
      scene.world = worldAt(now)
      scene.outlook = { ...scene.outlook, implied: impliedApy(ledger, market) }
      giveAll(decide(dice.pick(actors), scene))
      if (dice.chance(0.5)) keep(scene, give)
    }

    const next = hour + HOUR_SECONDS
    scene.world = worldAt(next)
    pool.distribute(next)
    scene.world = worldAt(next + settling)
    const earned = pool.due(ledger.indices[kind], scene.world.now)
    if (earned !== undefined) pay(earned)
    keep(scene, give)
    recorder.hour()
    if (options.checked === 'hourly') recorder.checked(audit(ledger))
    if ((next - from) % DAY === 0) {
      recorder.day()
      yield { done: next - from, of: to - from, trades: recorder.trades }
    }
  }

  if (to >= maturity) {
    // The coupon that crosses the maturity may come later: a weekly one does.
    for (let hour = to; ledger.indices[kind].lastStep < maturity; ) {
      hour += HOUR_SECONDS
      pool.distribute(hour)
      scene.world = worldAt(hour + SOURCE_TERMS[kind].settlingDelay)
      const earned = pool.due(ledger.indices[kind], scene.world.now)
      if (earned !== undefined) pay(earned)
    }
    leave(scene, actors, give)
  }
  recorder.day()
  yield { done: to - from, of: to - from, trades: recorder.trades }
  return recorder.report()
}

const outlookFrom = (history: History, at: number): { belief: number; leading: number } => {
  const training = history === projectHistory() ? {} : { training: projectHistory() }
  const leading = apyOf(leadingApr({ history, asOf: at, ...training }).aprPercent)
  let official = leading
  try {
    official = officialFromHistory(history, at).apyPercent / 100
  } catch (error) {
    if (!(error instanceof OracleError)) throw error // no full week before: the leading APR alone
  }
  return { leading, belief: (leading + official) / 2 }
}

const impliedApy = (ledger: Ledger, market: string): number =>
  Math.exp(Number(ledger.markets.get(market)!.pool.rate) / 2 ** 64) - 1

/** The keeper's round: liquidates what can be, takes over what must be, and trades the insurance fund down when it can. */
const keep = (scene: Scene, give: (instruction: Instruction) => boolean): void => {
  const { ledger, market, world } = scene
  if (ledger.markets.get(market)!.pool.tauSeconds === 0) return
  for (const ref of belowMaintenance(ledger, market, world)) {
    const due = liquidationOf(ledger, ref, world)
    if (due === 'take-over') give({ kind: 'take-over', ...ref })
    else if (due !== undefined) give({ kind: 'liquidate', ...ref, by: KEEPER, yt: due.liquidate })
  }
  const { fund } = ledger.markets.get(market)!
  const yt = fund.yt < 0n ? -fund.yt : fund.yt
  if (yt > 0n) give({ kind: 'reduce-fund', market, yt })
}

/** After maturity everybody settles and leaves. */
const leave = (scene: Scene, actors: readonly Actor[], give: (instruction: Instruction) => boolean): void => {
  const { ledger, market, world } = scene
  for (const ref of [...ledger.accounts.values()]) {
    give({ kind: 'settle', market, owner: ref.owner, sub: ref.sub })
  }
  for (const { owner, position } of [...ledger.positions.values()]) {
    const { lower, upper, liquidity, uncollected } = position
    const ref = { market, owner, lower, upper }
    const share = { num: 1n, den: 1n }
    if (liquidity > 0n) {
      give({ kind: 'remove-liquidity', ...ref, share, sub: 0, minimum: 0n, deadline: world.now })
    } else if (uncollected > 0n) give({ kind: 'collect', ...ref })
  }
  for (const { name } of actors) {
    const pt = scene.balance(`pt/${market}`, name)
    if (pt > 0n) give({ kind: 'redeem-pt', market, owner: name, pt })
    const ref = { market, owner: name, sub: 0 }
    const margin = ledger.accounts.get(accountId(ref))?.margin ?? 0n
    if (margin > 0n) give({ kind: 'withdraw', ...ref, jlp: margin })
  }
  give({ kind: 'collect-fees', market })
}
