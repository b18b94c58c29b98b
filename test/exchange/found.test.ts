/** What the campaigns over the engine found, kept as plain cases. */
import { expect, test } from 'vitest'
import { type DiscountQ64, MAX_RATE, parseMarketName, tickRate } from '../../amm/index.ts'
import { balanceId, createLedger, execute, type Instruction, type Ledger } from '../../src/exchange/index.ts'
import { accrueIndex, createIndex, lowestDiscount, type RateIndex } from '../../src/oracle/accrual.ts'

const MARKET = 'JLP-2411'
const START = Date.UTC(2024, 8, 5) / 1000
const JLP = 1_000_000n

/** A market at a rate with one wide LP, and who holds how much JLP. */
const marketAt = (tick: number, liquidity: bigint, owners: readonly string[]) => {
  const ledger = createLedger({
    config: { authority: 'admin', pauser: 'pauser', treasury: 'treasury' },
    lastStep: START,
    balances: ['lp', ...owners].map(owner => [balanceId('jlp', owner), 10n ** 9n * JLP] as const),
  })
  let now = START
  const run = (instruction: Instruction): boolean =>
    execute(ledger, instruction, { now, jlpSupply: 10n ** 18n, weeklyUpdatedAt: START }).kind === 'applied'
  const { maturity } = parseMarketName(MARKET)
  run({ kind: 'create-market', by: 'lp', coupon: 'hourly', maturity, rate: tickRate(tick) })
  const range = { market: MARKET, owner: 'lp', lower: 50, upper: 13_860 }
  const bounds = { maximum: 10n ** 18n, minRate: 0n, maxRate: MAX_RATE, deadline: START }
  run({ kind: 'open-position', ...range })
  expect(run({ kind: 'add-liquidity', ...range, liquidity, ...bounds })).toBe(true)
  for (const owner of owners) run({ kind: 'open-account', market: MARKET, owner, sub: 0 })
  const wait = (seconds: number): void => {
    now += seconds
  }
  const order = (up: boolean) => ({ limitRate: up ? MAX_RATE : 0n, minimum: 0n, deadline: now })
  return { ledger, run, wait, order }
}

const jlpOf = (ledger: Ledger, owner: string): bigint => ledger.balances.get(balanceId('jlp', owner)) ?? 0n

/*
 * The rate falls from 9 % to 3 % within a second; the TWAP still says 9 %. A long opened now is measured at the spot that it has itself
 * pushed up and at that TWAP, and asks for hardly any margin: it buys from 3 % up to 9.9 % on credit. A friend who bought before it sells
 * to the market behind it, and the long is left to the LPs.
 */
test('I12: after a fall of the rate nobody buys it back on credit and leaves the debt behind', () => {
  const { ledger, run, wait, order } = marketAt(900, 10n ** 12n, ['seller', 'friend', 'debtor'])
  wait(600)
  const fall = { market: MARKET, owner: 'seller', amount: { pt: 6n * 10n ** 10n } }
  expect(run({ kind: 'buy-pt', ...fall, ...order(false) })).toBe(true)
  const [friend, debtor] = ['friend', 'debtor'].map(owner => ({ market: MARKET, owner, sub: 0 }))
  const before = jlpOf(ledger, 'friend') + jlpOf(ledger, 'debtor')

  run({ kind: 'deposit', ...friend!, jlp: 1000n * JLP })
  run({ kind: 'deposit', ...debtor!, jlp: 2n * JLP })
  const spot = { action: 'long', spot: true, amount: { yt: 2n * 10n ** 10n } } as const
  expect(run({ kind: 'trade', ...friend!, ...spot, ...order(true) })).toBe(true)
  run({ kind: 'trade', ...debtor!, action: 'long', amount: { yt: 10n ** 12n }, ...order(true) })
  run({ kind: 'trade', ...friend!, action: 'close', ...order(false) })
  const { margin } = ledger.accounts.get(`${MARKET}/friend/0`)!
  run({ kind: 'withdraw', ...friend!, jlp: margin })
  const gain = jlpOf(ledger, 'friend') + jlpOf(ledger, 'debtor') - before
  expect(gain <= 0n, `gained ${gain} atoms`).toBe(true)
})

/*
 * A coupon of 4 / 10^15 lowered the lowest discount by 1 ulp of 2^-64 (2 at most in 200,000 others): the table of the exponential is
 * good to a few ulps, and such a coupon moves the exponent by fewer. It stays below an atom of backing at the most YT there can be.
 */
test('I24: a step lowers the lowest discount by no more than the last ulps of the table', () => {
  const index: RateIndex = {
    ...createIndex({ kind: 'hourly', lastStep: 1_730_073_600, discount: 18_006_846_088_593_953_956n as DiscountQ64 }),
    bucketQ64: 139_780_613_174_917_888n,
    carry: 1n,
  }
  const { next } = accrueIndex(index, { to: 1_730_077_200, fees: 3n, aum: 10n ** 15n })
  const maturity = 1_732_867_200
  expect(lowestDiscount(index, maturity) - lowestDiscount(next, maturity)).toBeLessThanOrEqual(8n)
})
