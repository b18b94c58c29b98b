/** What a local chain begins with: the program set up, and markets with some liquidity. By the client's instructions alone. */
import { parseMarketName } from '../../amm/display.ts'
import type { CouponKind } from '../../amm/index.ts'
import type { LocalChain } from '../chain/local.ts'
import { ADDRESSES, arrayStarts, build, type SunderClient, walletOf } from '../client/index.ts'

const DAY = 86_400
/** Instructions for tick arrays that fit into a transaction. */
const ARRAYS = 8
/** A market begins at 15 % continuous yield a year, Q64.64. */
const FIRST_RATE = (15n << 64n) / 100n
/** The whole grid, and around the first rate. */
const RANGES = [
  { lower: 50, upper: 13_860 },
  { lower: 700, upper: 3000 },
]
/** Markets have at least so much time before them. */
const LEAST_AHEAD = 14 * DAY

export interface LocalMarket {
  readonly name: string
  readonly kind: CouponKind
  readonly maturity: number
}

/** Config and both indices, if they are not there yet. */
export const setUp = async (client: SunderClient, { operator }: LocalChain): Promise<void> => {
  const [payer, wallet] = [operator.publicKey.toBase58(), walletOf(operator)]
  if ((await client.fetch('Config', [ADDRESSES.config]))[0] === undefined) {
    await client.execute('initConfig', { payer, authority: payer, pauser: payer, treasury: payer }, wallet)
  }
  for (const coupon of ['hourly', 'weekly'] as const) {
    const isThere = await client.index(coupon).then(
      () => true,
      () => false,
    )
    if (!isThere) await client.execute('initIndex', { payer, coupon }, wallet)
  }
}

/** The next maturity that is at least two weeks away. */
export const nextMarket = (now: number, kind: CouponKind): LocalMarket => {
  const month = new Date(now * 1000)
  for (month.setUTCDate(1); ; month.setUTCMonth(month.getUTCMonth() + 1)) {
    const [, year, number] = /^\d\d(\d\d)-(\d\d)/.exec(month.toISOString())!
    const name = `JLP-${year}${number}${kind === 'weekly' ? '-W' : ''}`
    const { maturity } = parseMarketName(name)
    if (maturity >= now + LEAST_AHEAD) return { name, kind, maturity }
  }
}

/** Opens a market with `jlp` atoms of liquidity, which `fund` gives the operator, as far as it is not open yet. */
export const openMarket = async (
  client: SunderClient,
  { operator }: LocalChain,
  market: LocalMarket,
  jlp: bigint,
  fund: () => unknown,
): Promise<void> => {
  const [payer, wallet] = [operator.publicKey.toBase58(), walletOf(operator)]
  const isThere = await client.market(market).then(
    () => true,
    () => false,
  )
  if (!isThere) {
    const { kind: coupon, maturity } = market
    fund()
    await client.execute('createMarket', { payer, coupon, maturity, rate: FIRST_RATE }, wallet)
  }
  const { data, pool } = await client.market(market)
  if (!data.active) {
    const arrays = arrayStarts(data).map((start, number) => build.initTickArray({ payer, market, start, number }))
    for (let at = 0; at < arrays.length; at += ARRAYS) {
      await client.send(arrays.slice(at, at + ARRAYS), wallet)
    }
  }
  if (pool.ticks.length > 0) return
  for (const range of RANGES) {
    await client.addLiquidity(
      { market, owner: payer, ...range, jlp: (jlp * 9n) / 10n / BigInt(RANGES.length), seconds: DAY },
      wallet,
    )
  }
}
