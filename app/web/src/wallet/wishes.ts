/** The transactions of the pages beside Trade, as `POST /v1/transactions/:action` takes them. Amounts are atoms. */
import { amount } from '../format.ts'
import type { Wish } from './send.ts'

interface Place {
  readonly market: string
}
type AccountPlace = Place & { readonly sub: number }
type RangePlace = Place & { readonly lower: number; readonly upper: number }

// ---- PT -----------------------------------------------------------------------------------------------------------------

/** `st`: JLP for the PT, fee not included. */
export const buyPt = ({ st, ...rest }: Place & { readonly st: bigint; readonly toleranceBps: number }): Wish => ({
  title: `Buy PT of ${rest.market}`,
  action: 'trade-pt',
  body: { ...rest, action: 'buy-pt', unit: 'st', amount: st },
})

export const sellPt = ({ pt, ...rest }: Place & { readonly pt: bigint; readonly toleranceBps: number }): Wish => ({
  title: `Sell PT of ${rest.market}`,
  action: 'trade-pt',
  body: { ...rest, action: 'sell-pt', unit: 'token', amount: pt },
})

export const redeemPt = (body: Place & { readonly pt: bigint }): Wish => ({
  title: `Redeem PT of ${body.market}`,
  action: 'redeem-pt',
  body,
  says: () => `${amount(body.pt)} PT were paid 1 ST each, in JLP: they are in the wallet.`,
})

// ---- liquidity ----------------------------------------------------------------------------------------------------------

export const addLiquidity = (body: RangePlace & { readonly jlp: bigint; readonly toleranceBps: number }): Wish => ({
  title: `Add liquidity to ${body.market}`,
  action: 'add-liquidity',
  body,
  says: () => 'Your liquidity is in the market: it earns fees while the rate is in its range.',
})

export const removeLiquidity = (
  body: RangePlace & { readonly shareBps: number; readonly sell: boolean; readonly toleranceBps: number },
): Wish => ({
  title: `Take liquidity out of ${body.market}`,
  action: 'remove-liquidity',
  body,
  // Of ticks and units of liquidity nobody needs to hear.
  says: lines => `${lines.filter(line => !line.startsWith('Liquidity of')).join(' ')}`,
})

export const collect = (body: RangePlace): Wish => ({
  title: `Collect from ${body.market}`,
  action: 'collect',
  body,
  says: () => 'What it had earned is in the wallet.',
})

export const closeRange = (body: RangePlace): Wish => ({
  title: `Close the empty range in ${body.market}`,
  action: 'close-position',
  body,
})

// ---- margin accounts ----------------------------------------------------------------------------------------------------

export const deposit = (body: AccountPlace & { readonly jlp: bigint }): Wish => ({
  title: `Deposit into ${body.market}`,
  action: 'deposit',
  body,
})

export const withdraw = (body: AccountPlace & { readonly jlp: bigint }): Wish => ({
  title: `Withdraw from ${body.market}`,
  action: 'withdraw',
  body,
})

export const closePosition = (body: AccountPlace & { readonly toleranceBps: number }): Wish => ({
  title: `Close the position in ${body.market}`,
  action: 'trade',
  body: { ...body, action: 'close' },
})

export const closeAccount = (body: AccountPlace): Wish => ({
  title: `Close the account in ${body.market}`,
  action: 'close-account',
  body,
})

export const settle = (body: AccountPlace): Wish => ({
  title: `Settle the account in ${body.market}`,
  action: 'settle',
  body,
})

export const cancelOrder = (body: AccountPlace & { readonly id: number }): Wish => ({
  title: `Cancel order ${body.id} in ${body.market}`,
  action: 'cancel-order',
  body,
})

// ---- tokens -------------------------------------------------------------------------------------------------------------

export const unwrap = (body: { readonly kind: 'hourly' | 'weekly'; readonly jlp: bigint }): Wish => ({
  title: 'Turn ST back into JLP',
  action: 'unwrap',
  body,
})
