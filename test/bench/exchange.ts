/**
 * The engine: instructions a second by kind, and a year of hourly coupons with 1,000 accounts and 100,000 trades. Rows work on one
 * market with 100 accounts and 20 positions; each piece of work applies an instruction to the same state, which stays as it is.
 */
import { parseMarketName, type RateQ64, rateFromApy, tickRate } from '../../amm/index.ts'
import {
  apply,
  audit,
  balanceId,
  belowMaintenance,
  commit,
  createLedger,
  execute,
  type Instruction,
  type Ledger,
  liquidationOf,
  type World,
} from '../../src/exchange/index.ts'
import { Random } from '../generate/random.ts'

const JLP = 1_000_000n
const HOUR = 3600
const { maturity: MATURITY } = parseMarketName('JLP-2509')
const START = MATURITY - 365 * 86_400 - 8 * HOUR
const MARKET = 'JLP-2509'
const AUM = 10n ** 15n

const worldAt = (now: number): World => ({ now, jlpSupply: 10n ** 16n, weeklyUpdatedAt: START })

const give = (ledger: Ledger, instruction: Instruction, now: number): void => {
  const result = execute(ledger, instruction, worldAt(now))
  if (result.kind === 'refused') throw new Error(`The bench's ${instruction.kind} was refused: ${result.code}`)
}

/** A market with liquidity over seven ranges and accounts that are open on both sides. */
const openMarket = (accounts: number): { ledger: Ledger; now: number } => {
  const names = ['lp', 'creator', 'saver', ...Array.from({ length: accounts }, (_, i) => `user-${i}`)]
  const ledger = createLedger({
    config: { authority: 'a', pauser: 'a', treasury: 'a' },
    lastStep: START,
    balances: names.map(name => [balanceId('jlp', name), 10n ** 15n] as const),
  })
  let now = START + 310
  const rate = rateFromApy((34n << 64n) / 100n)
  give(ledger, { kind: 'create-market', by: 'creator', coupon: 'hourly', maturity: MATURITY, rate }, now)
  for (let i = 0; i < 20; i++) {
    const range = { market: MARKET, owner: 'lp', lower: 50 + 120 * i, upper: 13_860 - 450 * i }
    give(ledger, { kind: 'open-position', ...range }, now)
    const amount = { liquidity: 30_000_000_000_000n, maximum: 10n ** 15n, minRate: 0n, maxRate: tickRate(13_860) }
    give(ledger, { kind: 'add-liquidity', ...range, ...amount, deadline: now }, now)
  }
  give(ledger, { kind: 'open-account', market: MARKET, owner: 'lp', sub: 0 }, now)
  now += 600
  for (let i = 0; i < accounts; i++) {
    const ref = { market: MARKET, owner: `user-${i}`, sub: 0 }
    give(ledger, { kind: 'open-account', ...ref }, now)
    give(ledger, { kind: 'deposit', ...ref, jlp: 100n * JLP }, now)
    give(ledger, trade(i, i % 2 === 0 ? 'long' : 'short', 400n * JLP, now), now)
  }
  give(
    ledger,
    { kind: 'buy-pt', market: MARKET, owner: 'saver', amount: { pt: 1000n * JLP }, ...bounds(false, now) },
    now,
  )
  return { ledger, now }
}

const bounds = (up: boolean, now: number) => ({
  limitRate: (up ? tickRate(13_860) : tickRate(50)) as RateQ64,
  minimum: 0n,
  deadline: now,
})

const trade = (user: number, action: 'long' | 'short', st: bigint, now: number): Instruction => ({
  kind: 'trade',
  action,
  market: MARKET,
  owner: `user-${user}`,
  sub: 0,
  amount: { st },
  ...bounds(action === 'long', now),
})

/** Rows for the runner: a name and one piece of work. */
export const exchangeRows = (): { readonly name: string; readonly work: (i: number) => number }[] => {
  const { ledger, now } = openMarket(100)
  const world = worldAt(now)
  const user = (i: number) => ({ market: MARKET, owner: `user-${i % 100}`, sub: 0 })
  const range = { market: MARKET, owner: 'lp', lower: 50, upper: 13_860 }
  const share = { num: 1n, den: 100n }
  const earned = { to: START + HOUR, fees: 30_000_000_000n, aum: AUM }
  const making: Record<string, (i: number) => Instruction> = {
    'trade-long': i => trade(2 * (i % 50), 'long', 10n * JLP, now),
    'trade-short': i => trade(2 * (i % 50) + 1, 'short', 10n * JLP, now),
    'trade-close': i => ({ kind: 'trade', action: 'close', ...user(i), ...bounds(i % 2 === 1, now) }),
    'buy-pt': i => ({
      kind: 'buy-pt',
      market: MARKET,
      owner: 'saver',
      amount: { st: BigInt(i + 1) * JLP },
      ...bounds(false, now),
    }),
    'sell-pt': () => ({ kind: 'sell-pt', market: MARKET, owner: 'saver', amount: { pt: JLP }, ...bounds(true, now) }),
    split: i => ({ kind: 'split', ...user(i), yt: JLP }),
    deposit: i => ({ kind: 'deposit', ...user(i), jlp: JLP }),
    withdraw: i => ({ kind: 'withdraw', ...user(i), jlp: JLP }),
    'add-liquidity': () => ({
      kind: 'add-liquidity',
      ...range,
      liquidity: 10_000_000_000n,
      maximum: 10n ** 15n,
      minRate: 0n,
      maxRate: tickRate(13_860),
      deadline: now,
    }),
    'remove-liquidity': () => ({ kind: 'remove-liquidity', ...range, share, sub: 0, minimum: 0n, deadline: now }),
    accrue: () => ({ kind: 'accrue', coupon: 'hourly', earned }),
  }
  const later = worldAt(START + HOUR + 310)
  return Object.entries(making).map(([name, make]) => ({
    name: `engine-${name}`,
    work: i => {
      const result = apply(ledger, make(i), name === 'accrue' ? later : world)
      if (result.kind === 'refused') throw new Error(`The bench's ${name} was refused: ${result.code}`)
      return result.events.length
    },
  }))
}

export interface Year {
  readonly seconds: number
  readonly accounts: number
  readonly trades: number
  readonly instructions: number
  readonly refused: number
  readonly liquidations: number
  /** MiB in use after each quarter, measured after a collection where node allows one. */
  readonly heapMiB: readonly number[]
  readonly violations: number
}

/**
 * A year of hourly coupons in which 1,000 accounts make 100,000 trades; liquidations are looked for every six hours, and the books
 * are summed afresh every thirty days.
 */
export const runYear = (accounts = 1000, trades = 100_000): Year => {
  const { ledger } = openMarket(accounts)
  const random = new Random(365n)
  const start = performance.now()
  const heapMiB: number[] = []
  let [done, refused, instructions, liquidations, violations] = [0, 0, 0, 0, 0]
  const run = (instruction: Instruction, now: number): boolean => {
    const result = apply(ledger, instruction, worldAt(now))
    if (result.kind === 'refused') {
      refused += 1
      return false
    }
    commit(ledger, result.changes)
    instructions += 1
    return true
  }
  const hours = 365 * 24 - 24
  for (let hour = 1; hour <= hours; hour++) {
    const now = START + hour * HOUR + 310
    run(
      {
        kind: 'accrue',
        coupon: 'hourly',
        earned: { to: START + hour * HOUR, fees: random.big(0n, 60_000_000_000n), aum: AUM },
      },
      now,
    )
    for (const due = Math.ceil((trades * hour) / hours); done < due; ) {
      const i = random.int(0, accounts - 1)
      const instruction = nextTrade(ledger, i, random, now + 2500)
      if (run(instruction, now + 2500) && instruction.kind === 'trade') done += 1
    }
    if (hour % 6 === 0) {
      const world = worldAt(now + 2500)
      for (const ref of belowMaintenance(ledger, MARKET, world)) {
        const what = liquidationOf(ledger, ref, world)
        if (what === undefined) continue
        const how: Instruction =
          what === 'take-over'
            ? { kind: 'take-over', ...ref }
            : { kind: 'liquidate', ...ref, by: 'keeper', yt: what.liquidate }
        if (run(how, world.now)) liquidations += 1
      }
    }
    if (hour % 720 === 0) violations += audit(ledger).violations.length
    if (hour % Math.floor(hours / 4) === 0) {
      globalThis.gc?.()
      heapMiB.push(Math.round(process.memoryUsage().heapUsed / 2 ** 20))
    }
  }
  const seconds = (performance.now() - start) / 1000
  return { seconds, accounts, trades: done, instructions, refused, liquidations, heapMiB, violations }
}

/** Closes what is open, half of the time; else opens, on a side by chance. */
const nextTrade = (ledger: Ledger, i: number, random: Random, now: number): Instruction => {
  const ref = { market: MARKET, owner: `user-${i}`, sub: 0 }
  const account = ledger.accounts.get(`${MARKET}/user-${i}/0`)!
  if (account.yt !== 0n && random.int(0, 1) === 0) {
    return { kind: 'trade', action: 'close', ...ref, ...bounds(account.yt < 0n, now) }
  }
  if (account.margin < 20n * JLP) return { kind: 'deposit', ...ref, jlp: 100n * JLP }
  const side = account.yt > 0n ? 'long' : account.yt < 0n ? 'short' : random.pick(['long', 'short'] as const)
  return trade(i, side, (account.margin * BigInt(random.int(1, 30))) / 10n, now)
}
