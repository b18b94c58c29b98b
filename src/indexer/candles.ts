/** Candles of a minute, an hour and a day. They open with what stood when they began, so that they hang together. */
import { type Queries, toJson } from './database.ts'
import type { Candle, MarketState } from './rows.ts'

export const WIDTHS = [60, 3600, 86_400] as const
export type Width = (typeof WIDTHS)[number]

const most = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

const begun = (width: number, start: number, of: MarketState): Candle => {
  const { market, sequence, apyOpen, apyHigh, apyLow, apy, priceOpen, priceHigh, priceLow, price } = of
  const { volume, volumeYt, volumeFees, trades, vault, longYt, shortYt } = of
  return {
    ...{ market, width, start, first: sequence, last: sequence },
    ...{ apyOpen, apyHigh, apyLow, apyClose: apy, priceOpen, priceHigh, priceLow, priceClose: price },
    ...{ volume, volumeYt, volumeFees, trades, vault, longYt, shortYt },
  }
}

/** Two parts of one candle, the first of them the earlier one. */
const joined = (a: Candle, b: Candle): Candle => ({
  ...b,
  first: a.first,
  apyOpen: a.apyOpen,
  apyHigh: most(a.apyHigh, b.apyHigh),
  apyLow: least(a.apyLow, b.apyLow),
  priceOpen: a.priceOpen,
  priceHigh: most(a.priceHigh, b.priceHigh),
  priceLow: least(a.priceLow, b.priceLow),
  volume: a.volume + b.volume,
  volumeYt: a.volumeYt + b.volumeYt,
  volumeFees: a.volumeFees + b.volumeFees,
  trades: a.trades + b.trades,
})

/** The parts of candles that states add, in the order of their sequences. */
export const candlesOf = (states: readonly MarketState[]): Candle[] => {
  const found = new Map<string, Candle>()
  for (const state of states) {
    for (const width of WIDTHS) {
      const start = state.time - (state.time % width)
      const key = `${state.market}/${width}/${start}`
      const part = begun(width, start, state)
      const before = found.get(key)
      found.set(key, before === undefined ? part : joined(before, part))
    }
  }
  return [...found.values()]
}

/** Adds what came later to the candles that there are. */
export const addCandles = async (on: Queries, states: readonly MarketState[]): Promise<void> => {
  if (states.length === 0) return
  await on.query(
    `INSERT INTO candles AS c SELECT * FROM jsonb_populate_recordset(NULL::candles, $1::jsonb)
    ON CONFLICT (market, width, start) DO UPDATE SET
      last = excluded.last,
      apy_high = GREATEST(c.apy_high, excluded.apy_high), apy_low = LEAST(c.apy_low, excluded.apy_low),
      apy_close = excluded.apy_close,
      price_high = GREATEST(c.price_high, excluded.price_high), price_low = LEAST(c.price_low, excluded.price_low),
      price_close = excluded.price_close,
      volume = c.volume + excluded.volume, volume_yt = c.volume_yt + excluded.volume_yt,
      volume_fees = c.volume_fees + excluded.volume_fees, trades = c.trades + excluded.trades,
      vault = excluded.vault, long_yt = excluded.long_yt, short_yt = excluded.short_yt`,
    [toJson(candlesOf(states))],
  )
}

/** Takes the states after a slot out of the candles: those that had some are made anew. To be called before the states go. */
export const cutCandles = async (on: Queries, slot: number): Promise<void> => {
  const cut = await on.query<MarketState & { readonly width: number; readonly start: number }>(
    `WITH cut AS (
      SELECT DISTINCT s.market, w.width, s.time - s.time % w.width AS start
      FROM market_states s CROSS JOIN jsonb_to_recordset($2::jsonb) AS w(width INT) WHERE s.slot > $1
    ), gone AS (
      DELETE FROM candles c USING cut WHERE c.market = cut.market AND c.width = cut.width AND c.start = cut.start
    )
    SELECT s.* FROM (SELECT market, MIN(start) AS since FROM cut GROUP BY market) c
    JOIN market_states s ON s.market = c.market AND s.time >= c.since AND s.slot <= $1 ORDER BY s.market, s.sequence`,
    [slot, JSON.stringify(WIDTHS.map(width => ({ width })))],
  )
  // Of the candles that the states left give, those that are there already are whole.
  await on.query(
    `INSERT INTO candles SELECT * FROM jsonb_populate_recordset(NULL::candles, $1::jsonb) ON CONFLICT DO NOTHING`,
    [toJson(candlesOf(cut))],
  )
}
