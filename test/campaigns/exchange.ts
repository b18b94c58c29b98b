/**
 * Campaign: whole lives of an exchange. Two hourly maturities and a weekly one share a ledger; many kinds of actor trade, provide,
 * save, attack, liquidate and administer them; coupons of every size are paid; all of it to maturity and past it, until everything is
 * withdrawn. After every applied operation every law of exchange-*.ts is checked.
 */
import { createHash } from 'node:crypto'
import { parseMarketName, tickRate } from '../../amm/index.ts'
import type { Random } from '../generate/random.ts'
import { ensure } from './ensure.ts'
import {
  type Actor,
  addLiquidity,
  arbitrageur,
  filler,
  leave,
  longer,
  patient,
  provide,
  type Scene,
  saver,
  shorter,
  spotTrader,
} from './exchange-actors.ts'
import {
  dustLooper,
  fundSandwicher,
  justInTime,
  pairTrader,
  roller,
  sandwicher,
  selfLiquidator,
} from './exchange-adversaries.ts'
import { Desk, type ExchangeStats, type Init, newStats, type Operation } from './exchange-desk.ts'
import {
  audit,
  balanceId,
  createLedger,
  does,
  type Exchange,
  execute,
  fork,
  type Ledger,
  min,
  type World,
} from './exchange-engine.ts'
import { administrator, donor, liquidator, nonsense, payHourly, payWeekly } from './exchange-keepers.ts'

/** Who acts how often. */
const CAST: readonly (readonly [Actor, readonly string[], number])[] = [
  [provide, ['lp0', 'lp1', 'lp2', 'lp3'], 9],
  [leave, ['lp0', 'lp1', 'lp2', 'lp3'], 7],
  [longer, ['long0', 'long1', 'long2'], 13],
  [shorter, ['short0', 'short1', 'short2'], 13],
  [patient, ['long0', 'short0', 'spot0', 'long1', 'short1'], 9],
  [filler, ['filler'], 7],
  [spotTrader, ['spot0', 'spot1'], 9],
  [saver, ['saver0', 'saver1'], 7],
  [arbitrageur, ['arb'], 9],
  [liquidator, ['liquidator'], 12],
  [administrator, [''], 2],
  [pairTrader, ['pair'], 2],
  [sandwicher(longer), ['sandwich'], 2],
  [fundSandwicher, ['sandwich'], 2],
  [dustLooper, ['dust'], 3],
  [selfLiquidator, ['self'], 4],
  [justInTime(longer), ['jit'], 1],
  [donor, ['donor', 'long0', 'spot0', 'self'], 3],
  [roller, ['roller'], 4],
  [nonsense, ['spot0', 'lp0', 'long0'], 4],
]
const WEIGHT = CAST.reduce((sum, [, , weight]) => sum + weight, 0)
const OWNERS = [...new Set([...CAST.flatMap(([, names]) => names), 'victim', 'self-friend', 'creator'])].filter(
  n => n !== '',
)

const drawActor = (random: Random): readonly [Actor, string] => {
  let at = random.int(1, WEIGHT)
  for (const [actor, names, weight] of CAST) {
    at -= weight
    if (at <= 0) return [actor, random.pick(names)]
  }
  throw new Error('the weights do not add up')
}

const MONTHS = ['2409', '2410', '2411', '2412', '2501', '2502', '2503'] as const

/** Whose desk a life is lived at. */
export type OpenDesk = (init: Init, random: Random, stats: ExchangeStats, jlpSupply: bigint) => Desk
const checked: OpenDesk = (...given) => new Desk(...given)
const unchecked: OpenDesk = (...given) => new Desk(...given, false)

/** A new exchange shortly before the first of its three maturities, thin or thick. */
const begin = (random: Random, stats: ExchangeStats, open: OpenDesk): { scene: Scene; end: number } => {
  const month = random.int(0, 4)
  const [near, far] = [MONTHS[month]!, MONTHS[month + random.int(1, 2)]!]
  const first = parseMarketName(`JLP-${near}`).maturity
  const hours = random.pick([6, 30, 100, 24 * 14, 24 * 40])
  const lastStep = Math.floor(first / 3600) * 3600 - hours * 3600
  const size = random.pick([1_000_000n, 30_000_000n, 10n ** 9n, 10n ** 10n, 10n ** 12n, 1n << 54n])
  const wallet = size * 200n + 10n ** 7n
  const balances = OWNERS.map(owner => [balanceId('jlp', owner), wallet] as const)
  const init: Init = { config: { authority: 'admin', pauser: 'pauser', treasury: 'treasury' }, lastStep, balances }
  const desk = open(init, random, stats, size * random.pick([30n, 1000n, 10_000n, 10_000n]))
  const rate = random.big(tickRate(300), tickRate(random.pick([4000, 4000, 13_000])))
  const last = parseMarketName(`JLP-${far}`).maturity
  const weekly = random.pick([first, last])
  for (const [coupon, maturity] of [
    ['hourly', first],
    ['hourly', last],
    ['weekly', weekly],
  ] as const) {
    desk.run({ kind: 'create-market', by: 'creator', coupon, maturity, rate })
  }
  const scene: Scene = { desk, size, fair: rate }
  for (const market of desk.live()) {
    for (const owner of ['lp0', 'lp1']) addLiquidity(scene, owner, market, undefined, size)
    const [low, high] = [market.pool.tick - 300, market.pool.tick + 300].map(t => Math.min(13_850, Math.max(50, t)))
    if (desk.chance(80)) addLiquidity(scene, 'lp3', market, { lower: 50, upper: 13_860 }, size)
    addLiquidity(scene, 'lp2', market, { lower: low!, upper: high! + 10 - ((high! - low!) % 10) }, size)
  }
  longer(scene, 'long0') // mostly too early: the average has no history yet
  desk.now += random.pick([0, 300, 320])
  return { scene, end: last }
}

/** Some seconds or hours go by; what people think a fair rate is drifts, and at times jumps. */
const pass = (scene: Scene, end: number, left: number): void => {
  const { desk } = scene
  const { random } = desk
  const { lastStep } = desk.ledger.indices.hourly
  const hoursLeft = Math.max(1, Math.ceil((end - lastStep) / 3600))
  const mean = Math.max(1, Math.ceil(hoursLeft / Math.max(1, left)))
  const hours = random.pick([1, 1, mean, mean, 2 * mean, random.int(1, 3 * mean)])
  desk.now = Math.max(desk.now, lastStep + hours * 3600 + 300 + random.int(0, 900))
  if (desk.now - desk.weeklyUpdatedAt >= random.int(6, 8) * 86_400 && desk.chance(80)) {
    desk.weeklyUpdatedAt = desk.now - random.int(0, 300)
  }
  const jump = desk.chance(12)
  const factor = jump ? random.big(40n, 250n) : random.big(93n, 108n)
  const moved = (scene.fair * factor) / 100n
  scene.fair = moved < tickRate(60) ? tickRate(60) : moved > tickRate(13_000) ? tickRate(13_000) : moved
  if (!jump && !desk.chance(20)) return
  // News: the coupon is paid, the arbitrageur trades on it, the average follows within minutes, and accounts fall below.
  payHourly(scene)
  for (let i = 0; i < 3; i++) arbitrageur(scene, 'arb')
  desk.now += random.int(60, 300)
  for (let i = 0; i < 4; i++) liquidator(scene, 'liquidator')
}

const turn = (scene: Scene, end: number, left: number): void => {
  const { desk } = scene
  const { random } = desk
  desk.now += random.pick([0, 0, 1, 7, 30, 90])
  const stale = desk.freshness('hourly')
  // While data are missing people act for a while; then the keeper catches up.
  if (desk.now < desk.ledger.config.pausedUntil && desk.chance(8)) administrator(scene, '')
  else if (stale === 'coupon-due' && desk.chance(88)) payHourly(scene)
  else if (stale === 'reduce-only' && desk.chance(35)) payHourly(scene)
  else if (desk.freshness('weekly') === 'coupon-due' && desk.chance(80)) payWeekly(scene)
  else if (stale === 'fresh' && desk.chance(8)) pass(scene, end, left)
  else if (stale === 'fresh') {
    const [actor, who] = drawActor(random)
    actor(scene, who)
  } else {
    const [actor, names] = random.pick(CAST.filter(([a]) => [leave, longer, shorter, liquidator, saver].includes(a)))
    actor(scene, random.pick(names))
  }
}

// ---- the end ---------------------------------------------------------------------------------------------------------------

/** Pays everybody out of a matured ledger in an order; what each wallet has then. */
const payOut = (state: Exchange, world: World, reversed: boolean): Ledger => {
  const ledger = fork(state)
  const refs = [...ledger.accounts.values()].map(({ market, owner, sub }) => ({ market, owner, sub }))
  if (reversed) refs.reverse()
  for (const ref of refs) does(ledger, { kind: 'settle', ...ref }, world)
  for (const ref of refs) withdrawAll(i => execute(ledger, i, world), ledger, ref)
  return ledger
}

const withdrawAll = (
  run: (instruction: Parameters<typeof execute>[1]) => ReturnType<typeof execute>,
  ledger: Exchange,
  ref: { market: string; owner: string; sub: number },
): void => {
  const margin = ledger.accounts.get(`${ref.market}/${ref.owner}/${ref.sub}`)!.margin
  for (let jlp = margin, tries = 0; jlp > 0n && tries < 3; tries++) {
    const answer = run({ kind: 'withdraw', ...ref, jlp })
    if (answer.kind === 'applied') return
    const { available } = answer.context
    jlp = typeof available === 'bigint' ? available : 0n
  }
}

/** I23: what accounts are paid after maturity does not depend on the order of claims, and a second settlement pays nothing. */
const orderOfClaims = (desk: Desk): void => {
  const { ledger, world } = desk
  const [one, other] = [payOut(ledger, world, false), payOut(ledger, world, true)]
  for (const [id, amount] of one.balances) {
    const off = amount - (other.balances.get(id) ?? 0n)
    ensure(off <= 8n && off >= -8n, 'I23: payouts do not depend on the order of claims', { id, off })
  }
  for (const { market, owner, sub } of ledger.accounts.values()) {
    const twice = fork(ledger)
    does(twice, { kind: 'settle', market, owner, sub }, world)
    const once = twice.markets.get(market)!
    const account = twice.accounts.get(`${market}/${owner}/${sub}`)
    does(twice, { kind: 'settle', market, owner, sub }, world)
    const again = twice.markets.get(market)!
    const same =
      again.vault === once.vault && again.pool.deficit === once.pool.deficit && again.fund.margin === once.fund.margin
    const now = twice.accounts.get(`${market}/${owner}/${sub}`)
    ensure(same && account?.margin === now?.margin && account?.st === now?.st, 'I23: settled twice is settled once', {
      account,
      now,
    })
  }
}

/** After the last maturity: settles, redeems, removes, withdraws and closes everything. */
const windUp = (scene: Scene): void => {
  const { desk } = scene
  const { ledger, random } = desk
  for (let tries = 0; desk.live().length > 0 && tries < 60; tries++) {
    const index = desk.live()[0]!
    desk.now = Math.max(desk.now, index.maturity + 3900)
    if (index.kind === 'hourly') payHourly(scene)
    else if (random.int(0, 2) === 0) {
      desk.now = Math.max(desk.now, index.maturity + 604_800)
      desk.run({ kind: 'finalise', coupon: 'weekly', maturity: index.maturity })
    } else {
      desk.weeklyUpdatedAt = Math.max(
        desk.weeklyUpdatedAt + 1,
        Math.min(desk.now, index.maturity + random.int(0, 6) * 86_400),
      )
      payWeekly(scene)
    }
  }
  for (const { id } of desk.matured()) if (desk.chance(50)) liquidator(scene, id)
  orderOfClaims(desk)
  const accounts = [...ledger.accounts.values()].map(({ market, owner, sub }) => ({ market, owner, sub }))
  // Profits wait until every debtor is settled.
  for (const { margin, market, owner, sub } of [...ledger.accounts.values()]) {
    if (margin > 0n && desk.chance(15)) desk.run({ kind: 'withdraw', market, owner, sub, jlp: margin })
  }
  for (const ref of accounts) desk.run({ kind: 'settle', ...ref })
  for (const { market, owner, sub, id } of [...ledger.orders.values()]) {
    desk.run({ kind: desk.chance(50) ? 'expire-order' : 'cancel-order', market, owner, sub, id })
  }
  for (const ref of accounts) withdrawAll(i => desk.run(i), ledger, ref)
  for (const { market, owner, position } of [...ledger.positions.values()]) {
    const ref = { market, owner, lower: position.lower, upper: position.upper }
    const all = { share: { num: 1n, den: 1n }, sub: 0, minimum: 0n, deadline: desk.now } as const
    if (position.liquidity > 0n) desk.run({ kind: 'remove-liquidity', ...ref, ...all })
    else if (position.uncollected > 0n) desk.run({ kind: 'collect', ...ref })
    desk.run({ kind: 'close-position', ...ref })
  }
  for (const [id, amount] of [...ledger.balances]) {
    const [token, owner] = id.split(':') as [string, string]
    if (amount > 0n && token.startsWith('pt/'))
      desk.run({ kind: 'redeem-pt', market: token.slice(3), owner, pt: amount })
    if (amount > 0n && token.startsWith('st-')) {
      desk.run({ kind: 'unwrap', owner, coupon: token === 'st-hourly' ? 'hourly' : 'weekly', jlp: amount })
    }
  }
  for (const ref of accounts) desk.run({ kind: 'close-account', ...ref })
  for (const [id, { fees }] of ledger.markets) if (fees > 0n) desk.run({ kind: 'collect-fees', market: id })

  // Nothing is claimed any more: what is left is the fund's, or dust, or profit that was cut.
  ensure(ledger.positions.size === 0, 'at the end no position is left', [...ledger.positions.keys()])
  ensure(ledger.orders.size === 0, 'at the end no order is left', [...ledger.orders.keys()])
  for (const { id, totals, pool, vault, fund, haircut } of ledger.markets.values()) {
    const kept = [...ledger.accounts.values()].filter(a => a.market === id).reduce((sum, a) => sum + a.margin, 0n)
    ensure(totals.pt === 0n && totals.issued === 0n && pool.grossLiquidity === 0n, 'at the end no claim is left', {
      totals,
    })
    ensure(kept === 0n || (haircut?.uncovered ?? 0n) > 0n, 'at the end no account is left unless it was cut', {
      id,
      kept,
    })
    ensure(vault + pool.deficit >= fund.margin + kept, 'at the end the vault has what is left', {
      id,
      vault,
      pool,
      kept,
    })
  }
  const jlp = min(...[...audit(ledger).dust.values()].map(dust => dust.jlp))
  ensure(jlp >= 0n, 'at the end dust is not negative', { jlp })
}

/** A hash of everything that a ledger holds. */
export const hashOf = (state: Exchange): string => {
  const plain = (value: unknown): unknown =>
    value instanceof Map
      ? [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, plain(item)])
      : typeof value === 'bigint'
        ? `${value}n`
        : Array.isArray(value)
          ? value.map(plain)
          : typeof value === 'object' && value !== null
            ? Object.entries(value)
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .map(([key, item]) => [key, plain(item)])
            : (value ?? null)
  return createHash('sha256')
    .update(JSON.stringify(plain(state)))
    .digest('hex')
}

const replay = (init: Init, log: readonly Operation[]): Ledger => {
  const ledger = createLedger(init)
  for (const { instruction, world } of log) {
    ensure(does(ledger, instruction, world), 'I27: what was applied once is applied again', { instruction })
  }
  return ledger
}

/** One life of about `operations` applied operations, to its end. */
export const lifeAt = (random: Random, stats: ExchangeStats, operations: number, open: OpenDesk): Desk => {
  const { scene, end } = begin(random, stats, open)
  const { desk } = scene
  const passes = Math.ceil(operations / 12)
  for (let turns = 0; desk.log.length < operations && turns < operations * 4; turns++) {
    const left = passes * (1 - desk.log.length / operations)
    turn(scene, end, Math.max(1, Math.round(left)))
    if (desk.live().length === 0) break
  }
  windUp(scene)
  stats.lives++
  return desk
}

/** The same with every law checked. Returns the hash of what it ended with. */
export const life = (random: Random, stats: ExchangeStats, operations: number): string => {
  const desk = lifeAt(random, stats, operations, checked)
  const hash = hashOf(desk.ledger)
  ensure(hashOf(replay(desk.init, desk.log)) === hash, 'I27: the log replayed gives the same state', {})
  return hash
}

/** A market somewhere in its life, for other campaigns to begin from; its laws are not checked again. */
export const liveScene = (random: Random, turns: number): Scene => {
  const { scene, end } = begin(random, newStats(), unchecked)
  for (let left = turns; left > 0; left--) turn(scene, end, left + 40)
  return scene
}

/** Lives until `applied` operations have been applied. */
export const exchangeLives = (random: Random, applied: number, stats: ExchangeStats = newStats()): ExchangeStats => {
  while (stats.applied < applied) life(random, stats, Math.min(1000, Math.max(150, applied)))
  return stats
}

/** The figures of a run, flat. */
export const figures = (stats: ExchangeStats): Record<string, number> => ({
  applied: stats.applied,
  refused: stats.refused,
  lives: stats.lives,
  ...Object.fromEntries([...stats.events].map(([what, n]) => [what, n])),
  maxKinds: stats.kinds.size,
  maxCodes: stats.codes.size,
  maxDustAtoms: stats.maxDustAtoms,
})
