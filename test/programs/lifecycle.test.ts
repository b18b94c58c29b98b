/**
 * Whole markets of both kinds in the program beside the engine, from creation to the last redemption: the people of the replay trade on
 * recorded accruals, keepers liquidate and take over, and at the end everybody leaves. Nothing stays in the vault but the dust, the
 * insurance fund's margin and what it was opened with, to the atom.
 */
import { expect, test } from 'vitest'
import { mulDiv } from '../../amm/fixed.ts'
import { type CouponKind, parseMarketName } from '../../amm/index.ts'
import {
  accountId,
  balanceId,
  belowMaintenance,
  type Instruction,
  liquidationOf,
  SEED_DUST,
  type World,
} from '../../src/exchange/index.ts'
import { updateApr } from '../../src/jlp/apr.ts'
import type { PoolFacts } from '../../src/jupiter/index.ts'
import {
  apyOf,
  HOUR_SECONDS,
  hourlyFees,
  leadingApr,
  projectHistory,
  SOURCE_TERMS,
  WEEK_SECONDS,
} from '../../src/oracle/index.ts'
import { type Actor, decide, populate, rateOf, Scene } from '../../src/strategy/replay/actors.ts'
import { Dice } from '../../src/strategy/replay/dice.ts'
import { Twin } from '../campaigns/program-twin.ts'

const DAY = 86_400
const SATURDAY = 2 * DAY
/** The protocol's part of all fees, bp; the rest goes to the pool. */
const PROTOCOL_SHARE_BPS = 2500n
const JLP_SUPPLY = 4n * 10n ** 14n
const OPERATOR = 'operator'
const KEEPER = 'keeper'

const HISTORY = projectHistory()
const HOURS = new Map(hourlyFees(HISTORY).map(hour => [hour.from, hour]))

class Life {
  readonly twin: Twin
  readonly scene: Scene
  readonly actors: readonly Actor[]
  readonly done = new Map<string, number>()
  readonly #market: string
  readonly #kind: CouponKind

  constructor(market: string, from: number, seed: bigint) {
    const { kind } = parseMarketName(market)
    this.#market = market
    this.#kind = kind
    const dice = new Dice(seed)
    this.actors = populate(4, dice)
    const wallets = [
      [OPERATOR, SEED_DUST] as const,
      ...this.actors.map(({ name, capital }) => [name, capital] as const),
    ]
    const config = { authority: OPERATOR, pauser: OPERATOR, treasury: OPERATOR }
    const balances = wallets.map(([name, jlp]) => [balanceId('jlp', name), jlp] as const)
    this.twin = new Twin({ config, lastStep: from, balances }, JLP_SUPPLY)
    const belief = this.published(from)
    const world = { now: from, jlpSupply: JLP_SUPPLY, weeklyUpdatedAt: from }
    this.scene = new Scene(this.twin.ledger, market, dice, world, { belief, leading: belief, implied: belief })
    this.twin.chain.at(world)
    this.distribute(from)
  }

  /** The APY that the oracle leads with. */
  published(at: number): number {
    return apyOf(leadingApr({ history: HISTORY, asOf: at }).aprPercent)
  }

  /** Jupiter's distribution at a full hour, out of the recorded fees of the hour before. */
  distribute(at: number): void {
    const { feesUsdX6, aumUsdX6 } = HOURS.get(at - HOUR_SECONDS)!
    const { chain } = this.twin.chain
    this.twin.chain.at({ ...this.scene.world, now: at })
    chain.distribute(feesUsdX6 - mulDiv(feesUsdX6, PROTOCOL_SHARE_BPS, 10_000n, 'down'), aumUsdX6)
    const facts: PoolFacts = chain.pool()
    const { print } = updateApr(facts, { aumUsd: facts.aumUsd, now: facts.aumUsdUpdatedAt })
    if (print !== undefined) chain.publish(print.aprBps)
    this.at(at)
  }

  at(now: number): World {
    const weeklyUpdatedAt = Number(this.twin.chain.chain.pool().poolApr.lastUpdated)
    this.scene.world = { now, jlpSupply: JLP_SUPPLY, weeklyUpdatedAt }
    return this.scene.world
  }

  give(instruction: Instruction): boolean {
    const { kind } = this.twin.run(instruction, this.scene.world)
    if (kind === 'applied') this.done.set(instruction.kind, (this.done.get(instruction.kind) ?? 0) + 1)
    return kind === 'applied'
  }

  giveAll(instructions: readonly Instruction[]): void {
    for (const instruction of instructions) if (!this.give(instruction)) return
  }

  /** Pays the coupon that is due, if there is one. */
  pay(): void {
    const { chain, ledger } = this.twin
    chain.at(this.scene.world)
    const due = chain.coupon(ledger.indices[this.#kind])
    if (typeof due !== 'string') this.give(due)
  }

  /** Liquidates and takes over whoever is below maintenance, and trades the fund's position down. */
  keep(): void {
    const { ledger } = this.twin
    const { world } = this.scene
    if (ledger.markets.get(this.#market)!.pool.tauSeconds === 0) return
    for (const ref of belowMaintenance(ledger, this.#market, world)) {
      const due = liquidationOf(ledger, ref, world)
      if (due === 'take-over') this.give({ kind: 'take-over', ...ref })
      else if (due !== undefined) this.give({ kind: 'liquidate', ...ref, by: KEEPER, yt: due.liquidate })
    }
    const { yt } = ledger.markets.get(this.#market)!.fund
    if (yt !== 0n) this.give({ kind: 'reduce-fund', market: this.#market, yt: yt < 0n ? -yt : yt })
  }

  /** An hour: a few people look at the market and act, the fees are distributed, the coupon is paid. */
  hour(from: number): void {
    const { scene } = this
    const { dice } = scene
    if (from % DAY === 0) scene.outlook = { ...scene.outlook, leading: this.published(from) }
    const { leading, belief } = scene.outlook
    const news = dice.chance(0.03) ? 0.3 * dice.normal() : 0
    scene.outlook = { ...scene.outlook, belief: Math.max(0.02, belief * (1 + 0.01 * (leading / belief - 1) + news)) }
    const { settlingDelay } = SOURCE_TERMS[this.#kind]
    const looks = Array.from({ length: dice.int(0, 6) }, () => dice.int(settlingDelay + 1, HOUR_SECONDS - 1))
    for (const seconds of looks.sort((a, b) => a - b)) {
      this.at(from + seconds)
      const { rate } = this.twin.ledger.markets.get(this.#market)!.pool
      scene.outlook = { ...scene.outlook, implied: Math.expm1(Number(rate) / 2 ** 64) }
      this.giveAll(decide(dice.pick(this.actors), scene))
      this.keep()
    }
    this.distribute(from + HOUR_SECONDS)
    this.at(from + HOUR_SECONDS + settlingDelay)
    this.pay()
  }

  /** Everybody settles, redeems, removes, withdraws and closes. */
  leave(): void {
    const { ledger } = this.twin
    const market = this.#market
    const { now } = this.scene.world
    for (const { owner, sub } of [...ledger.accounts.values()]) this.give({ kind: 'settle', market, owner, sub })
    for (const { owner, position } of [...ledger.positions.values()]) {
      const ref = { market, owner, lower: position.lower, upper: position.upper }
      const all = { share: { num: 1n, den: 1n }, sub: 0, minimum: 0n, deadline: now }
      if (position.liquidity > 0n) this.give({ kind: 'remove-liquidity', ...ref, ...all })
      else if (position.uncollected > 0n) this.give({ kind: 'collect', ...ref })
      this.give({ kind: 'close-position', ...ref })
    }
    for (const { name: owner } of this.actors) {
      const pt = this.scene.balance(`pt/${market}`, owner)
      if (pt > 0n) this.give({ kind: 'redeem-pt', market, owner, pt })
      const ref = { market, owner, sub: 0 }
      const margin = ledger.accounts.get(accountId(ref))?.margin ?? 0n
      if (margin > 0n) this.give({ kind: 'withdraw', ...ref, jlp: margin })
      this.give({ kind: 'close-account', ...ref })
    }
    this.give({ kind: 'collect-fees', market })
  }
}

const LIVES = [
  ['JLP-2411', 21, 7n],
  ['JLP-2410', 14, 11n],
  ['JLP-2411-W', 49, 3n],
  ['JLP-2502-W', 35, 5n],
] as const

const seen = new Map<string, number>()

test.each(LIVES)('%s: %i days on recorded accruals, to the last atom', (market, days, seed) => {
  const { maturity, kind } = parseMarketName(market)
  // A weekly index begins with a week of Jupiter's.
  const start = maturity - days * DAY
  const from = kind === 'hourly' ? start - (start % HOUR_SECONDS) : start - ((start - SATURDAY) % WEEK_SECONDS)
  const life = new Life(market, from, seed)
  const { twin, scene, actors } = life
  const rate = rateOf(scene.outlook.belief)
  life.give({ kind: 'create-market', by: OPERATOR, coupon: kind, maturity, rate })
  for (const actor of actors.filter(one => one.kind === 'lp')) life.giveAll(decide(actor, scene))
  for (let hour = from; hour < maturity; hour += HOUR_SECONDS) life.hour(hour)
  for (let hour = maturity; twin.ledger.indices[kind].lastStep < maturity; hour += HOUR_SECONDS) {
    life.distribute(hour + HOUR_SECONDS)
    life.at(hour + HOUR_SECONDS + SOURCE_TERMS[kind].settlingDelay)
    life.pay()
  }
  life.leave()
  twin.compareAll()

  const { accounts, positions, balances, markets } = twin.chain.exchange(twin.ledger)
  expect([accounts.size, positions.size]).toEqual([0, 0])
  const { vault, fees, fund, pool, totals } = markets.get(market)!
  expect([fees, fund.st, fund.yt, totals.pt, totals.issued, totals.open, pool.deficit]).toEqual([
    0n,
    0n,
    0n,
    0n,
    0n,
    0,
    0n,
  ])
  const dust = vault - fund.margin
  expect(dust).toBeGreaterThanOrEqual(0n)
  expect(dust).toBeLessThan(10_000n)
  // Every atom that anybody brought is in a wallet or in what is left of the vault.
  const brought = actors.reduce((sum, { capital }) => sum + capital, SEED_DUST)
  const held = [...balances].filter(([id]) => id.startsWith('jlp:')).reduce((sum, [, jlp]) => sum + jlp, 0n)
  expect(held + vault).toBe(brought)
  for (const [what, n] of life.done) seen.set(what, (seen.get(what) ?? 0) + n)
})

test('with trades, PT, liquidations and take-overs', () => {
  for (const what of [
    'trade',
    'buy-pt',
    'sell-pt',
    'redeem-pt',
    'liquidate',
    'take-over',
    'reduce-fund',
    'settle',
    'accrue',
  ]) {
    expect([what, (seen.get(what) ?? 0) > 0]).toEqual([what, true])
  }
})
