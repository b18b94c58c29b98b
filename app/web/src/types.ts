/** What the API answers, by the schemas of its routes. */
import type { Static } from '@fastify/type-provider-typebox'
import type { Candle as CandleSchema, Trade as TradeSchema } from '../../api/routes/history.ts'
import type { Account as AccountSchema, Lp as LpSchema } from '../../api/views/account.ts'
import type { JlpView } from '../../api/views/jlp.ts'
import type { Market as MarketSchema, TermPoint as TermPointSchema } from '../../api/views/market.ts'
import type {
  OracleDay as OracleDaySchema,
  OracleShape,
  OracleWeek as OracleWeekSchema,
} from '../../api/views/oracle.ts'
import type { Owner as OwnerSchema } from '../../api/views/owner.ts'

export interface Q64 {
  readonly q64: string
  readonly decimal: string
}

export interface Freshness {
  readonly slot: number
  readonly time: number
  readonly age: number
  readonly stale: boolean
}

export type Market = Static<typeof MarketSchema>
export type Markets = { readonly markets: readonly Market[] } & Freshness
export type TermStructure = { readonly points: readonly Static<typeof TermPointSchema>[] } & Freshness
export type Account = Static<typeof AccountSchema>
export type Lp = Static<typeof LpSchema>
export type Owner = Static<typeof OwnerSchema>
export type Jlp = JlpView & Freshness
export type Oracle = Static<typeof OracleShape>
export type OracleDay = Static<typeof OracleDaySchema>
export type OracleWeek = Static<typeof OracleWeekSchema>
export interface OracleHistory extends Freshness {
  readonly days: readonly OracleDay[]
  readonly weeks: readonly OracleWeek[]
  readonly next: string | null
}
export type Candle = Static<typeof CandleSchema>
export type Trade = Static<typeof TradeSchema>
/** A page of the index. */
export interface Page<T> {
  readonly rows: readonly T[]
  readonly next: string | null
}

/** The exact value of a figure. */
export const exact = (figure: Q64): bigint => BigInt(figure.q64)
