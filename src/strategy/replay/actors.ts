/**
 * The simulated people of a replay: what each kind wants and the instruction it would give next. Behaviour is in floats; every
 * amount that changes hands is decided by the engine. Nobody here has seen the future: beliefs come from what was published.
 */
import { type JlpAtoms, liquidityForDeposit, type RateQ64, rateFromApy, tickAtRate } from '../../../amm/index.ts'
import {
  accountId,
  accountLegs,
  balanceId,
  type Instruction,
  type Ledger,
  marketView,
  positionId,
  type World,
} from '../../exchange/index.ts'
import type { Dice } from './dice.ts'

export const ACTOR_KINDS = ['lp', 'saver', 'long', 'short', 'spot', 'arbitrageur'] as const
export type ActorKind = (typeof ACTOR_KINDS)[number]

export interface Actor {
  readonly name: string
  readonly kind: ActorKind
  /** What the actor brings, JLP atoms. */
  readonly capital: bigint
  /** How far its belief lies from everybody's, as a factor. */
  readonly bias: number
  /** How much of what is allowed it dares: 0 to 1. */
  readonly nerve: number
  /** An LP's range, once it has one. */
  range?: { readonly lower: number; readonly upper: number }
}

/** What actors can see. APYs are fractions. */
export interface Outlook {
  /** What people think the yield to maturity will be. */
  readonly belief: number
  /** What the running week will print, by the oracle's leading APR, as an APY. */
  readonly leading: number
  readonly implied: number
}

/** What an actor holds in its account. */
type Held = ReturnType<typeof accountLegs>

const JLP = 1_000_000
const CAPITAL: Readonly<Record<ActorKind, readonly [number, number]>> = {
  lp: [10_000, 100_000],
  saver: [1_000, 30_000],
  long: [20, 300],
  short: [20, 300],
  spot: [500, 10_000],
  arbitrageur: [100, 600],
}

export const populate = (perKind: number, dice: Dice): Actor[] =>
  ACTOR_KINDS.flatMap(kind =>
    Array.from({ length: perKind }, (_, i) => ({
      name: `${kind}-${i + 1}`,
      kind,
      capital: BigInt(Math.round(dice.uniform(...CAPITAL[kind]) * JLP)),
      bias: 1 + 0.12 * dice.normal(),
      nerve: dice.uniform(0.15, 1),
    })),
  )

export class Scene {
  readonly ledger: Ledger
  readonly market: string
  readonly dice: Dice
  world: World
  outlook: Outlook

  constructor(ledger: Ledger, market: string, dice: Dice, world: World, outlook: Outlook) {
    this.ledger = ledger
    this.market = market
    this.dice = dice
    this.world = world
    this.outlook = outlook
  }

  balance(token: 'jlp' | `pt/${string}`, owner: string): bigint {
    return this.ledger.balances.get(balanceId(token, owner)) ?? 0n
  }

  account(owner: string): Held | undefined {
    const ref = { market: this.market, owner, sub: 0 }
    return this.ledger.accounts.has(accountId(ref)) ? accountLegs(this.ledger, ref, this.world) : undefined
  }

  get rate(): bigint {
    return this.ledger.markets.get(this.market)!.pool.rate
  }
}

const part = (amount: bigint, share: number): bigint => (amount * BigInt(Math.round(share * 10_000))) / 10_000n

/** What an actor does when its turn comes; nothing, most of the time. Several instructions are given one after the other. */
export const decide = (actor: Actor, scene: Scene): Instruction[] => DECISIONS[actor.kind](actor, scene)

const bounds = (scene: Scene, up: boolean, tolerance = 0.08) => {
  const factor = BigInt(Math.round((up ? 1 + tolerance : 1 - tolerance) * 10_000))
  return { limitRate: (scene.rate * factor) / 10_000n, minimum: 0n, deadline: scene.world.now }
}

const refOf = (actor: Actor, scene: Scene) => ({ market: scene.market, owner: actor.name, sub: 0 })

/** Opens an account and brings margin up to `wanted`, as far as the wallet has it. */
const funded = (actor: Actor, scene: Scene, account: Held | undefined, wanted: bigint): Instruction[] => {
  const ref = refOf(actor, scene)
  const has = account?.margin ?? 0n
  const wallet = scene.balance('jlp', actor.name)
  const missing = wanted - has < wallet ? wanted - has : wallet
  return [
    ...(account === undefined ? [{ kind: 'open-account', ...ref } as const] : []),
    ...(missing > 0n ? [{ kind: 'deposit', ...ref, jlp: missing } as const] : []),
  ]
}

const close = (actor: Actor, scene: Scene, account: Held): Instruction => ({
  kind: 'trade',
  action: 'close',
  ...refOf(actor, scene),
  ...bounds(scene, account.yt < 0n, 0.15),
})

/** Opens at most what the market allows, a little less, on one side. */
const open = (
  actor: Actor,
  scene: Scene,
  account: Held | undefined,
  action: 'long' | 'short',
  leverage: number,
): Instruction[] => {
  const has = (account?.margin ?? 0n) + scene.balance('jlp', actor.name)
  const wanted = part(actor.capital, 0.35)
  const margin = has < wanted ? has : wanted
  const st = part(margin, leverage)
  if (st < BigInt(JLP)) return []
  return [
    ...funded(actor, scene, account, margin),
    { kind: 'trade', action, ...refOf(actor, scene), amount: { st }, ...bounds(scene, action === 'long') },
  ]
}

/** How far the implied APY lies below what an actor believes: positive speaks for YT. */
const edgeOf = (actor: Actor, { outlook }: Scene): number => (outlook.belief * actor.bias) / outlook.implied - 1

/** Leverage that an actor dares on a side: some of the most there is, so that price impact and fee still fit. */
const dared = (actor: Actor, scene: Scene, side: 'long' | 'short'): number => {
  const { mostLeverage } = marketView(scene.ledger, scene.market, scene.world)
  return Math.min(9.2, 0.85 * (Number(mostLeverage[side]) / 2 ** 64)) * (0.2 + 0.8 * actor.nerve)
}

const directional =
  (action: 'long' | 'short') =>
  (actor: Actor, scene: Scene): Instruction[] => {
    const { dice } = scene
    const account = scene.account(actor.name)
    const edge = edgeOf(actor, scene) * (action === 'long' ? 1 : -1)
    if (account === undefined || account.yt === 0n) {
      return edge > 0.03 || dice.chance(0.03) ? open(actor, scene, account, action, dared(actor, scene, action)) : []
    }
    // Out when the edge is gone, when it hurts too much, or when something better came along.
    const hurt = account.equity * 100n < account.netDeposits * 35n
    if (edge < -0.02 || (hurt && dice.chance(0.3)) || dice.chance(0.06)) return [close(actor, scene, account)]
    if (edge > 0.1 && account.margin !== 0n && dice.chance(0.3)) {
      const st = part(account.margin, 0.5 * actor.nerve)
      return [{ kind: 'trade', action, ...refOf(actor, scene), amount: { st }, ...bounds(scene, action === 'long') }]
    }
    return []
  }

/** Follows the leading APR: long when the running week will print well above the implied yield, short when well below. */
const arbitrageur = (actor: Actor, scene: Scene): Instruction[] => {
  const { leading, implied } = scene.outlook
  const account = scene.account(actor.name)
  const edge = leading / implied - 1
  const wanted = edge > 0.05 / actor.nerve ? 'long' : edge < -0.05 / actor.nerve ? 'short' : undefined
  if (account === undefined || account.yt === 0n) {
    return wanted === undefined ? [] : open(actor, scene, account, wanted, Math.min(4, dared(actor, scene, wanted)))
  }
  const side = account.yt > 0n ? 'long' : 'short'
  const gone = side === 'long' ? edge < 0 : edge > 0
  return gone || scene.dice.chance(0.05) ? [close(actor, scene, account)] : []
}

/** Buys YT outright when it looks cheap, in large pieces that no guard holds back, and sells them when it looks dear. */
const spot = (actor: Actor, scene: Scene): Instruction[] => {
  const { dice } = scene
  const account = scene.account(actor.name)
  const edge = edgeOf(actor, scene)
  const ref = refOf(actor, scene)
  const held = account?.yt ?? 0n
  if (held > 0n && (edge < -0.03 || dice.chance(0.06))) {
    const yt = dice.chance(0.5) ? held : part(held, dice.uniform(0.2, 0.8))
    if (yt === 0n) return []
    return [{ kind: 'trade', action: 'reduce', ...ref, amount: { yt }, ...bounds(scene, false, 0.3) }]
  }
  if (edge < 0.04 && !dice.chance(0.05)) return []
  const margin = part(actor.capital, 0.95)
  const spent = account === undefined || account.st > 0n ? 0n : -account.st
  const st = part(margin - spent, dice.uniform(0.1, 0.6) * actor.nerve)
  if (st <= 0n) return []
  return [
    ...funded(actor, scene, account, margin),
    { kind: 'trade', action: 'long', spot: true, ...ref, amount: { st }, ...bounds(scene, true, 0.3) },
  ]
}

/** Buys PT to hold; now and then somebody needs the money early. */
const saver = (actor: Actor, scene: Scene): Instruction[] => {
  const { dice, market } = scene
  const pt = scene.balance(`pt/${market}`, actor.name)
  const jlp = scene.balance('jlp', actor.name)
  const order = { market, owner: actor.name }
  if (pt > 0n && dice.chance(0.04)) {
    const amount = { pt: part(pt, dice.uniform(0.2, 1)) }
    return [{ kind: 'sell-pt', ...order, amount, ...bounds(scene, true, 0.2) }]
  }
  if (jlp > 10n * BigInt(JLP) && dice.chance(0.15)) {
    const amount = { st: part(jlp, dice.uniform(0.1, 0.5)) }
    return [{ kind: 'buy-pt', ...order, amount, ...bounds(scene, false, 0.2) }]
  }
  return []
}

/** The rate of an APY, to 10^-9 of it. */
export const rateOf = (apy: number): RateQ64 =>
  rateFromApy(BigInt(Math.round(apy * 1e9)) * ((1n << 64n) / 1_000_000_000n))

/** Provides liquidity around the rate, collects, and moves the range along when the rate has left it. */
const lp = (actor: Actor, scene: Scene): Instruction[] => {
  const { dice, market, ledger, world } = scene
  const { pool } = ledger.markets.get(market)!
  const { range } = actor
  const pt = scene.balance(`pt/${market}`, actor.name)
  if (pt > 0n && dice.chance(0.2)) {
    return [{ kind: 'sell-pt', market, owner: actor.name, amount: { pt }, ...bounds(scene, true, 0.05) }]
  }
  if (range === undefined) {
    const width = dice.uniform(0.15, 0.5)
    const { grid } = pool
    const clamp = (tick: number): number => Math.min(grid.maxTick, Math.max(grid.minTick, tick))
    const lower = clamp(tickAtRate(rateOf(scene.outlook.implied * (1 - width)), grid))
    const upper = clamp(tickAtRate(rateOf(scene.outlook.implied * (1 + 1.3 * width)), grid) + grid.spacing)
    if (lower >= upper) return []
    const jlp = part(scene.balance('jlp', actor.name), 0.98)
    if (jlp < BigInt(JLP)) return []
    const liquidity = liquidityForDeposit(pool, lower, upper, jlp as JlpAtoms)
    const ref = { market, owner: actor.name, lower, upper }
    actor.range = { lower, upper }
    const [minRate, maxRate] = [(pool.rate * 98n) / 100n, (pool.rate * 102n) / 100n]
    return [
      ...(scene.account(actor.name) === undefined ? [{ kind: 'open-account', ...refOf(actor, scene) } as const] : []),
      ...(ledger.positions.has(positionId(market, actor.name, lower, upper))
        ? []
        : [{ kind: 'open-position', ...ref } as const]),
      { kind: 'add-liquidity', ...ref, liquidity, maximum: jlp, minRate, maxRate, deadline: world.now },
    ]
  }
  const ref = { market, owner: actor.name, ...range }
  const inRange = range.lower <= pool.tick && pool.tick < range.upper
  if (dice.chance(inRange ? 0.004 : 0.3)) {
    const zap = { limitRate: bounds(scene, true, 0.1).limitRate }
    delete actor.range
    return [
      {
        kind: 'remove-liquidity',
        ...ref,
        share: { num: 1n, den: 1n },
        sub: 0,
        minimum: 0n,
        deadline: world.now,
        ...(dice.chance(0.8) ? { zap } : {}),
      },
    ]
  }
  return dice.chance(0.02) ? [{ kind: 'collect', ...ref }] : []
}

const DECISIONS: Readonly<Record<ActorKind, (actor: Actor, scene: Scene) => Instruction[]>> = {
  lp,
  saver,
  long: directional('long'),
  short: directional('short'),
  spot,
  arbitrageur,
}
