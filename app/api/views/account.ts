/** Margin accounts and liquidity positions as their owners see them: the engine's own figures, as text. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { apyFromRate, type RateQ64 } from '../../../amm/index.ts'
import type { AccountView, LpView } from '../../../src/exchange/index.ts'
import { Atoms, Nullable, named, Q64, q64, q64OrNull, said } from '../schemas.ts'

export const Account = named(
  'Account',
  Type.Object({
    sub: Type.Integer(),
    margin: Atoms,
    st: said(Atoms, 'ST leg in JLP atoms: below 0 it is owed'),
    yt: said(Atoms, 'YT atoms: below 0 they are owed'),
    netDeposits: Atoms,
    equity: said(Atoms, 'JLP atoms at the spot'),
    gap: said(Atoms, 'The most that one coupon can cost, JLP atoms'),
    spot: Type.Boolean({ description: 'It owes nothing that it does not hold: it cannot be liquidated' }),
    healthy: Type.Boolean({ description: 'Not to be liquidated now' }),
    ratio: Nullable(said(Q64, 'Assets per liabilities at the spot')),
    ratioAtTwap: Nullable(said(Q64, 'The same at the time-weighted rate, which liquidations go by')),
    entryPrice: Nullable(said(Q64, 'ST per YT so far, coupons taken off')),
    breakEvenApy: Nullable(said(Q64, 'What JLP must yield on average until maturity for the YT to come out even')),
    leverage: Nullable(said(Q64, 'ST leg per margin')),
    mostLeverage: Q64,
    liquidationRate: Nullable(Q64),
    liquidationApy: Nullable(said(Q64, 'Implied APY at which it would be liquidated; null: at none')),
    liquidationPrice: Nullable(said(Q64, 'The same as the price of YT, ST')),
    profit: Type.Object(
      { total: Atoms, coupons: Atoms, decay: Atoms, rateMove: Atoms },
      {
        description: 'Of what is held now, JLP atoms. Without the index, all of it is in `rateMove`',
      },
    ),
  }),
)

export const accountJson = (view: AccountView): Static<typeof Account> => {
  const { margin, st, yt, netDeposits, equity, gap, spot, healthy, liquidationRate, profit } = view
  return {
    sub: view.ref.sub,
    margin: String(margin),
    st: String(st),
    yt: String(yt),
    netDeposits: String(netDeposits),
    equity: String(equity),
    gap: String(gap),
    spot,
    healthy,
    ratio: q64OrNull(view.ratio),
    ratioAtTwap: q64OrNull(view.ratioAtTwap),
    entryPrice: q64OrNull(view.entryPrice),
    breakEvenApy: q64OrNull(view.entryApy),
    leverage: q64OrNull(view.leverage),
    mostLeverage: q64(view.mostLeverage),
    liquidationRate: q64OrNull(liquidationRate),
    liquidationApy: q64OrNull(liquidationRate === undefined ? undefined : apyFromRate(liquidationRate as RateQ64)),
    liquidationPrice: q64OrNull(view.liquidationPrice),
    profit: {
      total: String(profit.total),
      coupons: String(profit.coupons),
      decay: String(profit.decay),
      rateMove: String(profit.rateMove),
    },
  }
}

export const Lp = named(
  'LpPosition',
  Type.Object({
    lower: Type.Integer({ description: 'Tick: bp of the rate' }),
    upper: Type.Integer(),
    liquidity: Type.String({ description: 'YT atoms per unit of the rate' }),
    inRange: Type.Boolean(),
    inventory: said(Atoms, 'YT'),
    st: said(Atoms, 'ST beside them, JLP atoms'),
    issued: said(Atoms, 'YT issued, against as many ST in reserve'),
    netSold: said(Atoms, 'PT (positive) or YT (negative) that a removal would pay'),
    value: said(Atoms, 'JLP atoms at the spot'),
    uncollected: Atoms,
    earned: Type.Object({ accrued: Atoms, fees: Atoms }, { description: 'Since it was last touched, JLP atoms' }),
  }),
)

export const lpJson = (view: LpView): Static<typeof Lp> => ({
  lower: view.lower,
  upper: view.upper,
  liquidity: String(view.liquidity),
  inRange: view.inRange,
  inventory: String(view.inventory),
  st: String(view.st),
  issued: String(view.issued),
  netSold: String(view.netSold),
  value: String(view.value),
  uncollected: String(view.uncollected),
  earned: { accrued: String(view.earned.accrued), fees: String(view.earned.fees) },
})
