/** What a replay writes down: prices, volumes, who made what, liquidations, and whether the books held. */

import { apyFromRate, marketName, ytPrice } from '../../../amm/index.ts'
import { YEAR_SECONDS } from '../../../amm/units.ts'
import {
  type Applied,
  type Audit,
  accountId,
  accountLegs,
  type Instruction,
  lpView,
  marketView,
  ptView,
  type Refused,
  SEED_DUST,
} from '../../exchange/index.ts'
import { DAY, real } from '../figures.ts'
import { ACTOR_KINDS, type Actor, type ActorKind, type Scene } from './actors.ts'
import type { ReplayOptions } from './run.ts'

/** JLP atoms by kind of user. */
export type ByKind = Readonly<Record<ActorKind, bigint>>

/** One line a day. APYs and prices are plain numbers for charts; amounts are atoms. */
export interface DayRow {
  readonly time: number
  readonly impliedApy: number
  /** Of the coupons paid in the last seven days, or since the beginning. */
  readonly realisedApy: number | undefined
  readonly leadingApy: number
  readonly ytPrice: number
  readonly ptPrice: number
  readonly depthPerBp: bigint
  readonly longYt: bigint
  readonly shortYt: bigint
  readonly tvl: bigint
  readonly lpEquity: bigint
  readonly fund: bigint
  readonly deficit: bigint
  /** Since the last row. */
  readonly trades: number
  readonly volumeJlp: bigint
  readonly coupon: number
  /** Profit so far, open positions at the market. */
  readonly profit: ByKind
}

export interface Liquidation {
  readonly time: number
  readonly owner: string
  readonly kind: 'liquidated' | 'taken-over'
  /** YT closed through the AMM, or taken over by the fund. */
  readonly yt: bigint
  readonly penalty: bigint
}

export interface Report {
  readonly market: string
  readonly coupons: 'hourly' | 'weekly'
  readonly from: number
  readonly to: number
  readonly maturity: number
  readonly seed: bigint
  readonly history: string
  /** What is recorded and what is not. */
  readonly sources: { readonly coupons: string; readonly flow: string }
  readonly prices: {
    readonly impliedApy: {
      readonly first: number
      readonly last: number
      readonly least: number
      readonly most: number
    }
    readonly ytPrice: { readonly first: number; readonly last: number; readonly least: number; readonly most: number }
    /** Yield that the coupons paid over the whole window, a year. */
    readonly realisedApy: number
    readonly finalDiscount: bigint
  }
  readonly volume: {
    readonly trades: number
    readonly instructions: number
    readonly refused: Readonly<Record<string, number>>
    readonly yt: bigint
    readonly jlp: bigint
    readonly fees: bigint
    readonly byInstruction: Readonly<Partial<Record<Instruction['kind'], number>>>
  }
  readonly users: Readonly<
    Record<
      ActorKind,
      {
        readonly accounts: number
        readonly trades: number
        readonly capital: bigint
        readonly profit: bigint
        readonly best: bigint
        readonly worst: bigint
      }
    >
  >
  readonly keeper: bigint
  readonly treasury: bigint
  readonly fund: bigint
  readonly deficit: bigint
  readonly liquidations: readonly Liquidation[]
  readonly losses: { readonly fund: bigint; readonly deficit: bigint }
  /** What LPs made, by source; the three add up to `profit`. JLP atoms. */
  readonly liquidity: {
    /** Their part of the trading fees. */
    readonly fees: bigint
    /** Coupons on the YT they hold net of what they issued, less what these lost by time passing at a rate standing still. */
    readonly carry: bigint
    /** What moves of the rate made of the YT they sold and bought on the way, and their part of losses: the rest. */
    readonly price: bigint
    readonly profit: bigint
    /** Average of all LPs' equity over the days, and what the profit is of it a year. */
    readonly averageEquity: bigint
    readonly apr: number | undefined
  }
  readonly identity: {
    readonly checked: number
    readonly violations: number
    /** Largest rounding left over in the vault, without the 1,000 atoms that a market begins with. */
    readonly maxDustAtoms: number
    readonly firstViolation?: string
  }
  readonly days: readonly DayRow[]
}

const TRADES = new Set(['trade', 'buy-pt', 'sell-pt', 'roll'])

export class Recorder {
  trades = 0
  private readonly scene: Scene
  private readonly actors: readonly Actor[]
  private readonly options: ReplayOptions
  private instructions = 0
  private readonly refused: Record<string, number> = {}
  private readonly byInstruction: Record<string, number> = {}
  private readonly tradesOf = new Map<string, number>()
  private yt = 0n
  private jlp = 0n
  private fees = 0n
  private readonly liquidations: Liquidation[] = []
  private losses = { fund: 0n, deficit: 0n }
  private readonly days: DayRow[] = []
  /** The index's discount after each step, and at the start. */
  private readonly discounts: { time: number; discount: bigint }[]
  private lpFees = 0n
  private lpCarry = 0n
  private lpBefore = 0n
  private identity = { checked: 0, violations: 0, maxDust: 0n, first: '' }
  private sinceDay = { trades: 0, jlp: 0n, coupon: 0 }
  private extremes = { apy: [Infinity, -Infinity], yt: [Infinity, -Infinity] }

  constructor(scene: Scene, actors: readonly Actor[], options: ReplayOptions) {
    this.scene = scene
    this.actors = actors
    this.options = options
    const { lastStep, discount } = scene.ledger.indices[options.kind]
    this.discounts = [{ time: lastStep, discount }]
  }

  /** Writes down an instruction's result. */
  took(instruction: Instruction, result: Applied | Refused): void {
    if (result.kind === 'refused') {
      this.refused[result.code] = (this.refused[result.code] ?? 0) + 1
      return
    }
    this.instructions += 1
    this.byInstruction[instruction.kind] = (this.byInstruction[instruction.kind] ?? 0) + 1
    if (TRADES.has(instruction.kind) && 'owner' in instruction) {
      this.trades += 1
      this.sinceDay.trades += 1
      this.tradesOf.set(instruction.owner, (this.tradesOf.get(instruction.owner) ?? 0) + 1)
    }
    for (const event of result.events) {
      if (event.type === 'swapped') {
        this.yt += event.filled
        this.jlp += event.stLeg
        this.fees += event.fee.total
        this.lpFees += event.fee.lp
        this.sinceDay.jlp += event.stLeg
      } else if (event.type === 'liquidated') {
        const { owner, closed, penalty } = event
        this.liquidations.push({ time: this.scene.world.now, owner, kind: 'liquidated', yt: closed, penalty })
      } else if (event.type === 'taken-over') {
        const { owner, yt } = event
        this.liquidations.push({ time: this.scene.world.now, owner, kind: 'taken-over', yt, penalty: 0n })
      } else if (event.type === 'loss') {
        this.losses = { fund: this.losses.fund + event.fund, deficit: this.losses.deficit + event.deficit }
      } else if (event.type === 'accrued') {
        const before = this.discounts.at(-1)!.discount
        this.sinceDay.coupon += Number(before - event.discount) / Number(event.discount)
        this.discounts.push({ time: event.to, discount: event.discount })
      }
    }
  }

  /** Call these right before and after a coupon: the rate stands still, so what LPs' equity moves by is carry. */
  beforeCoupon(): void {
    this.lpBefore = this.lpEquity()
  }

  afterCoupon(): void {
    this.lpCarry += this.lpEquity() - this.lpBefore
  }

  private lpEquity(): bigint {
    const { ledger, market, world } = this.scene
    return marketView(ledger, market, world).lpEquity
  }

  checked({ violations, dust }: Audit): void {
    this.identity.checked += 1
    this.identity.violations += violations.length
    if (violations.length > 0) this.identity.first ||= `${violations[0]!.id}: ${violations[0]!.detail}`
    for (const { jlp } of dust.values()) {
      const atoms = (jlp >> 64n) - SEED_DUST
      if (atoms > this.identity.maxDust) this.identity.maxDust = atoms
    }
  }

  hour(): void {
    const { pool } = this.scene.ledger.markets.get(this.scene.market)!
    const apy = real(apyFromRate(pool.rate))
    const yt = real(ytPrice(pool.rate, pool.tauSeconds))
    this.extremes = {
      apy: [Math.min(this.extremes.apy[0]!, apy), Math.max(this.extremes.apy[1]!, apy)],
      yt: [Math.min(this.extremes.yt[0]!, yt), Math.max(this.extremes.yt[1]!, yt)],
    }
  }

  /** Yield of the coupons since `from`, a year, from the index alone. */
  private realised(from: number): number | undefined {
    const last = this.discounts.at(-1)!
    const first = this.discounts.findLast(({ time }) => time <= from) ?? {
      time: this.options.from,
      discount: 1n << 64n,
    }
    const years = (last.time - first.time) / YEAR_SECONDS
    return years <= 0 ? undefined : (Number(first.discount) / Number(last.discount)) ** (1 / years) - 1
  }

  /** All that an actor has, open positions at the market; JLP atoms. */
  private wealth(actor: Actor): bigint {
    const { scene } = this
    const { ledger, market, world } = scene
    const ref = { market, owner: actor.name, sub: 0 }
    const account = ledger.accounts.has(accountId(ref)) ? accountLegs(ledger, ref, world).equity : 0n
    const pt = ptView(ledger, market, scene.balance(`pt/${market}`, actor.name), world).value
    let lp = 0n
    if (actor.kind === 'lp') {
      for (const held of ledger.positions.values()) {
        if (held.owner === actor.name) lp += lpView(ledger, held, world).value
      }
    }
    return scene.balance('jlp', actor.name) + account + pt + lp
  }

  private profits(): ByKind {
    const profit = Object.fromEntries(ACTOR_KINDS.map(kind => [kind, 0n])) as Record<ActorKind, bigint>
    for (const actor of this.actors) profit[actor.kind] += this.wealth(actor) - actor.capital
    return profit
  }

  day(): void {
    const { ledger, market, world, outlook } = this.scene
    const view = marketView(ledger, market, world)
    this.days.push({
      time: world.now,
      impliedApy: real(view.impliedApy),
      realisedApy: this.realised(world.now - 7 * DAY),
      leadingApy: outlook.leading,
      ytPrice: real(view.ytPrice),
      ptPrice: real(view.ptPrice),
      depthPerBp: view.depthPerBp,
      longYt: view.longYt,
      shortYt: view.shortYt,
      tvl: view.tvl,
      lpEquity: view.lpEquity,
      fund: view.fund,
      deficit: view.deficit,
      trades: this.sinceDay.trades,
      volumeJlp: this.sinceDay.jlp,
      coupon: this.sinceDay.coupon,
      profit: this.profits(),
    })
    this.sinceDay = { trades: 0, jlp: 0n, coupon: 0 }
    this.hour()
  }

  report(): Report {
    const { ledger, market: id } = this.scene
    const { kind, history, from, to, maturity, seed } = this.options
    const market = ledger.markets.get(id)!
    const first = this.days[0]!
    const last = this.days.at(-1)!
    const users = Object.fromEntries(
      ACTOR_KINDS.map(kind => {
        const own = this.actors.filter(actor => actor.kind === kind)
        const profits = own.map(actor => this.wealth(actor) - actor.capital).sort((a, b) => (a < b ? -1 : 1))
        return [
          kind,
          {
            accounts: own.length,
            trades: own.reduce((sum, { name }) => sum + (this.tradesOf.get(name) ?? 0), 0),
            capital: own.reduce((sum, { capital }) => sum + capital, 0n),
            profit: profits.reduce((sum, profit) => sum + profit, 0n),
            best: profits.at(-1) ?? 0n,
            worst: profits[0] ?? 0n,
          },
        ]
      }),
    ) as Report['users']
    const averageEquity = this.days.reduce((sum, row) => sum + row.lpEquity, 0n) / BigInt(this.days.length)
    const profit = users.lp.profit
    return {
      market: marketName(maturity, kind),
      coupons: kind,
      from,
      to,
      maturity,
      seed,
      history: history.name,
      sources: { coupons: 'recorded fees, hours as modelled within a day', flow: 'simulated' },
      prices: {
        impliedApy: spread(first.impliedApy, last.impliedApy, this.extremes.apy),
        ytPrice: spread(first.ytPrice, last.ytPrice, this.extremes.yt),
        realisedApy: this.realised(from) ?? 0,
        finalDiscount: market.pool.discount,
      },
      volume: {
        trades: this.trades,
        instructions: this.instructions,
        refused: sorted(this.refused),
        yt: this.yt,
        jlp: this.jlp,
        fees: this.fees,
        byInstruction: sorted(this.byInstruction),
      },
      users,
      keeper: this.scene.balance('jlp', 'keeper'),
      treasury: this.scene.balance('jlp', 'operator'),
      fund: last.fund,
      deficit: market.pool.deficit,
      liquidations: this.liquidations,
      losses: this.losses,
      liquidity: {
        fees: this.lpFees,
        carry: this.lpCarry,
        price: profit - this.lpFees - this.lpCarry,
        profit,
        averageEquity,
        apr: averageEquity > 0n ? ((Number(profit) / Number(averageEquity)) * YEAR_SECONDS) / (to - from) : undefined,
      },
      identity: {
        checked: this.identity.checked,
        violations: this.identity.violations,
        maxDustAtoms: Number(this.identity.maxDust),
        ...(this.identity.first === '' ? {} : { firstViolation: this.identity.first }),
      },
      days: this.days,
    }
  }
}

const spread = (first: number, last: number, [least, most]: number[]) => ({ first, last, least: least!, most: most! })
const sorted = (counts: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
