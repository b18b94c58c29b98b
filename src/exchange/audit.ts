/**
 * The ledger's identities (docs/protocol.md section 3), summed afresh from every account, position and wallet, never from a
 * market's own totals. Linear in their number: for tests, replays and whoever wants to check the books.
 */
import { composition, earnedSince, tickRate } from '../../amm/index.ts'
import { EMPTY_LEGS, NO_TOTALS, positive, recount, touch } from './account.ts'
import { equity, ytInJlp } from './margin.ts'
import { accountId, type Exchange, type Legs, type Market, type Totals } from './state.ts'

/** What does not add up; `id` names the identity. */
export interface Violation {
  readonly id: 'JLP' | 'YT' | 'TOTALS' | 'SOLVENCY' | 'SUPPLY' | 'SIGN' | 'ORDERS'
  readonly market: string
  readonly detail: string
}

/** What belongs to nobody: roundings in the protocol's favour. Q64.64 atoms. */
export interface Dust {
  readonly jlp: bigint
  readonly yt: bigint
}

export interface Audit {
  readonly violations: readonly Violation[]
  readonly dust: ReadonlyMap<string, Dust>
}

/** What is claimed of a market by its positions (Q64.64, but for `issued` and `liquidity`), its accounts and PT holders. */
interface Claims {
  readonly accounts: Legs[]
  lp: bigint
  inventory: bigint
  issued: bigint
  liquidity: bigint
  pt: bigint
}

const claimsOf = (state: Exchange): ReadonlyMap<string, Claims> => {
  const claims = new Map<string, Claims>()
  for (const id of state.markets.keys()) {
    claims.set(id, { accounts: [], lp: 0n, inventory: 0n, issued: 0n, liquidity: 0n, pt: 0n })
  }
  for (const account of state.accounts.values()) claims.get(account.market)!.accounts.push(account)
  for (const { market, position } of state.positions.values()) {
    const { pool } = state.markets.get(market)!
    const claim = claims.get(market)!
    const { accrued, fees } = earnedSince(pool, position)
    const { inventory, reserve } = composition(pool, position.lower, position.upper, position.liquidity)
    claim.lp += position.issued * pool.discount + reserve + accrued + fees + (position.uncollected << 64n)
    claim.inventory += inventory
    claim.issued += position.issued
    claim.liquidity += position.liquidity
  }
  for (const [id, amount] of state.balances) {
    if (id.startsWith('pt/')) claims.get(id.slice(3, id.indexOf(':')))!.pt += amount
  }
  return claims
}

/** Recomputes every figure of every market and names what does not add up. */
export const audit = (state: Exchange): Audit => {
  const violations: Violation[] = []
  const dust = new Map<string, Dust>()
  const st = { hourly: 0n, weekly: 0n }
  for (const [id, amount] of state.balances) {
    if (amount < 0n) violations.push({ id: 'SIGN', market: id, detail: `a balance of ${amount}` })
    if (id.startsWith('st-hourly:')) st.hourly += amount
    if (id.startsWith('st-weekly:')) st.weekly += amount
  }
  for (const kind of ['hourly', 'weekly'] as const) {
    if (st[kind] !== state.stVaults[kind]) {
      violations.push({ id: 'SUPPLY', market: `st-${kind}`, detail: `${st[kind]} on ${state.stVaults[kind]} JLP` })
    }
  }
  for (const [id, detail] of auditOrders(state)) violations.push({ id: 'ORDERS', market: id, detail })
  for (const [id, claim] of claimsOf(state)) {
    const market = state.markets.get(id)!
    for (const [code, detail] of auditTotals(market, claim)) violations.push({ id: code, market: id, detail })
    const { found, left } = auditValue(market, claim)
    for (const [code, detail] of found) violations.push({ id: code, market: id, detail })
    dust.set(id, left)
  }
  return { violations, dust }
}

/** An order holds nothing; every one waits on an account that counts it. */
const auditOrders = ({ orders, accounts }: Exchange): [string, string][] => {
  const counts = new Map<string, number>()
  for (const order of orders.values()) counts.set(accountId(order), (counts.get(accountId(order)) ?? 0) + 1)
  const odd = [...accounts].filter(([id, account]) => account.orders !== (counts.get(id) ?? 0))
  const lost = [...counts.keys()].filter(id => !accounts.has(id))
  return [
    ...odd.map(([id, account]): [string, string] => [id, `counts ${account.orders}, there are ${counts.get(id) ?? 0}`]),
    ...lost.map((id): [string, string] => [id, 'orders on an account that is not there']),
  ]
}

type Found = readonly (readonly [Violation['id'], string])[]

/** The totals that the market keeps are what its accounts and positions say. */
const auditTotals = ({ fund, totals, pool }: Market, claim: Claims): Found => {
  const funded = recount({ ...NO_TOTALS, pt: claim.pt, issued: claim.issued }, EMPTY_LEGS, fund, true)
  const summed = claim.accounts.reduce((sum, legs) => recount(sum, EMPTY_LEGS, legs), funded)
  const keys = Object.keys(summed) as (keyof Totals)[]
  const found = keys
    .filter(key => summed[key] !== totals[key])
    .map(key => ['TOTALS', `${key} is ${totals[key]}, summed ${summed[key]}`] as const)
  if (claim.liquidity === pool.grossLiquidity) return found
  return [...found, ['TOTALS', `liquidity is ${pool.grossLiquidity}, summed ${claim.liquidity}`]]
}

/** The vault is what everybody may claim, less what is missing, plus dust; and every YT has its other side. */
const auditValue = (market: Market, claim: Claims): { found: Found; left: Dust } => {
  const { pool, fund, vault, fees, retired } = market
  const found: [Violation['id'], string][] = []
  const legs = [fund, ...claim.accounts].map(account => touch(account, pool.discount))
  const sum = (of: (account: Legs) => bigint): bigint => legs.reduce((total, account) => total + of(account), 0n)

  const yt = ((claim.issued + claim.pt - sum(account => account.yt) - retired) << 64n) - claim.inventory
  if (yt < 0n) found.push(['YT', `${-yt} / 2^64 YT have no other side`])
  const owed = sum(account => account.margin + account.st) + fees - pool.deficit
  const jlp = ((vault - owed) << 64n) - pool.discount * claim.pt - claim.lp
  if (jlp < 0n) found.push(['JLP', `the vault is short of its claims by ${-jlp} / 2^64 atoms`])

  // Whatever the rate, what is there, what is missing and what is owed in cover all that is claimed. An atom of rounding each.
  for (const rate of [pool.rate, tickRate(pool.grid.minTick), tickRate(pool.grid.maxTick)]) {
    const price = ytInJlp(rate, pool)
    const lp = claim.lp + ((price * (claim.inventory - (claim.issued << 64n))) >> 64n)
    const claimed = sum(account => positive(equity(account, price))) + fees
    const covered = vault + pool.deficit + sum(account => positive(-equity(account, price)))
    if ((covered + BigInt(2 * legs.length)) << 64n < (claimed << 64n) + (pool.discount - price) * claim.pt + lp) {
      found.push(['SOLVENCY', `claims of ${claimed} and ${lp} / 2^64 exceed ${covered} at ${rate}`])
    }
  }
  const negative = [vault, fees, pool.deficit, claim.pt, ...legs.map(account => account.margin)].filter(v => v < 0n)
  if (negative.length > 0) found.push(['SIGN', `negative: ${negative.join(', ')}`])
  return { found, left: { jlp, yt } }
}
