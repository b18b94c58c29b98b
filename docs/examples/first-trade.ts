/**
 * A first trade: the JLP-2411 market of September 2024 with 86 days to go, as in the article that the protocol starts
 * from. An LP provides 569 JLP over 25-45 % APY, a trader buys the yield of 148.94 ST, a week of coupons passes, a saver
 * locks a fixed yield, and the LP leaves. Everything happens in memory, in the kernel; the liquidity and the coupons are
 * made up for the example. `npm run example`, or `npm run example -- --json`.
 */
import {
  accrue,
  addLiquidity,
  apyFromRate,
  createPool,
  type DiscountQ64,
  emptyPosition,
  formatAtoms,
  formatPercent,
  formatQ64,
  formatTime,
  type JlpAtoms,
  type Liquidity,
  liquidityForDeposit,
  ONE_Q64,
  type Pool,
  parseAtoms,
  parseMarketName,
  parsePercent,
  type Quote,
  quote,
  rateFromApy,
  rateFromYtPrice,
  removeLiquidity,
  tauAt,
  tickAtRate,
  type YtAtoms,
  ytPrice,
} from '../../amm/index.ts'

if (process.argv.includes('--help')) {
  console.log('usage: npm run example [-- --json]\nA first trade in the kernel, with the figures of each step.')
  process.exit(0)
}
const lines: [string, string][] = []
const say = (what: string, figure: string): number => lines.push([what, figure])

// 1. A market: name and maturity, time to go, the rate at which 1 YT is worth 1 - e^(-s tau) ST.
const { maturity } = parseMarketName('JLP-2411')
const now = maturity - 86 * 86_400
const grid = { spacing: 10, minTick: 50, maxTick: 13_860 }
const fees = { feeBps: 10, lpShareBps: 5000, insuranceShareBps: 5000 }
const rate = rateFromApy(parsePercent('32.7%'))
const empty = createPool({ grid, fees, rate, tauSeconds: tauAt(maturity, now), discount: ONE_Q64 as DiscountQ64 })
say('market', `JLP-2411, ${formatTime(now)} to ${formatTime(maturity)}`)

// 2. Liquidity: 569 JLP over 25 % .. 45 % APY. Depth reads as YT per basis point of yield.
const tickAt = (apy: string): number => tickAtRate(rateFromApy(parsePercent(apy)), grid)
const range = emptyPosition(empty, tickAt('25%'), tickAt('45%'))
const liquidity = liquidityForDeposit(empty, range.lower, range.upper, parseAtoms('569') as JlpAtoms) as Liquidity
const added = addLiquidity(empty, range, liquidity)
if (added.kind === 'rejected') throw new Error(`liquidity refused: ${added.code}`)
say('an LP deposits', `${formatAtoms(added.jlp, 2)} JLP over 25-45 %: ${formatAtoms(liquidity / 10_000n, 3)} YT per bp`)

// 3. The trade: 10 JLP (1 of margin, 9 borrowed) for YT. Fee on top.
const must = (answer: ReturnType<typeof quote>): Quote => {
  if (answer.kind === 'rejected') throw new Error(`refused: ${answer.code}`)
  return answer
}
const bought = must(quote(added.next, { kind: 'buy-yt', yt: parseAtoms('148.94') as YtAtoms }))
const averageApy = apyFromRate(rateFromYtPrice(bought.averagePrice, added.next.tauSeconds))
say(
  'a trader buys',
  `${formatAtoms(bought.filled, 2)} YT for ${formatAtoms(bought.amount)} JLP, fee ${formatAtoms(bought.fee.total)}`,
)
say('average price', `${formatQ64(bought.averagePrice, 6)} ST, ${formatPercent(averageApy, 1)} implied`)
say(
  'implied APY',
  `${formatPercent(bought.apyBefore, 1)} -> ${formatPercent(bought.apyAfter, 1)}, price impact ${bought.impactBp} bp`,
)

// 4. A week of coupons at 50 % APY: the discount falls, YT are paid the difference, the rate stands still.
const week = 7 * 86_400
const discount = ((ONE_Q64 * 99_225n) / 100_000n) as DiscountQ64
const later: Pool = accrue(bought.next, { tauSeconds: bought.next.tauSeconds - week, discount })
const coupon = (bought.filled * (ONE_Q64 - discount)) >> 64n
say('a week at 50 % APY pays', `${formatAtoms(coupon)} JLP on the trader's YT`)
say(
  'YT price',
  `${formatQ64(ytPrice(bought.next.rate, bought.next.tauSeconds), 6)} -> ${formatQ64(ytPrice(later.rate, later.tauSeconds), 6)} ST, at an unchanged rate`,
)

// 5. A saver locks a fixed yield with PT; the YT inside are sold to the pool.
const saved = must(quote(later, { kind: 'buy-pt', st: parseAtoms('50') as JlpAtoms }))
const fixed = (saved.filled * discount * 10_000n) / (saved.amount << 64n) - 10_000n
say(
  'a saver pays',
  `${formatAtoms(saved.amount, 2)} JLP for ${formatAtoms(saved.filled, 2)} PT: ${Number(fixed) / 100} % more ST in 79 days, fixed`,
)

// 6. The LP leaves: in kind, with what it has earned.
const left = removeLiquidity(saved.next, added.position, { num: 1n, den: 1n })
if (left.kind === 'rejected') throw new Error(`removal refused: ${left.code}`)
say(
  'the LP leaves with',
  `${formatAtoms(left.jlp, 2)} JLP, ${formatAtoms(left.pt, 2)} PT and ${formatAtoms(left.yt, 2)} YT`,
)

if (process.argv.includes('--json')) console.log(JSON.stringify(Object.fromEntries(lines)))
else for (const [what, figure] of lines) console.log(`${what.padEnd(24)}${figure}`)
