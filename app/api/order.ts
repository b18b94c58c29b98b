/** An order as people give it: by an amount, or by a margin and its leverage. */
import { Type } from '@fastify/type-provider-typebox'
import { SECONDS, TOLERANCE_BPS } from '../../src/client/requests.ts'
import type { Context } from './context.ts'
import { badRequest } from './errors.ts'
import type { LiveMarket } from './feed.ts'
import { AtomsIn, addressIn, atomsOf, oneOf, RateIn, rateIn } from './schemas.ts'
import { type Asked, legFor } from './views/quote.ts'

export const Unit = oneOf(['st', 'token'], {
  description: 'What `amount` counts: JLP of the price (st, by default), or YT or PT (token)',
})
export const ToleranceIn = Type.Integer({
  minimum: 0,
  maximum: 5000,
  description: 'How far the rate may have moved beyond the quote, and the fill fall below it; bp, 50 by default',
})
export const LeverageIn = Type.String({
  pattern: '^(0|[1-9][0-9]?)(\\.[0-9]{1,2})?$',
  description: 'ST leg per margin after the fee, such as 9.5; with `margin` and instead of `amount`',
})

export const Order = {
  unit: Type.Optional(Unit),
  amount: Type.Optional(AtomsIn),
  margin: Type.Optional(AtomsIn),
  leverage: Type.Optional(LeverageIn),
  limitRate: Type.Optional(RateIn),
  minimum: Type.Optional(
    Type.String({ ...AtomsIn, description: 'Least YT or PT filled, atoms; less the tolerance by default' }),
  ),
  toleranceBps: Type.Optional(ToleranceIn),
  spot: Type.Optional(Type.Boolean({ description: 'On the own money: the account must not owe afterwards' })),
}

interface OrderGiven {
  readonly action: Asked['action']
  readonly unit?: 'st' | 'token'
  readonly amount?: string
  readonly margin?: string
  readonly leverage?: string
  readonly limitRate?: string
  readonly minimum?: string
  readonly toleranceBps?: number
  readonly spot?: boolean
}

/** "9.5" is 950. */
const hundredths = (text: string): number => Math.round(Number(text) * 100)

/** Size and margin of an order: by an amount, or by a leverage of the margin. */
export const sizeOf = (live: LiveMarket, { action, unit = 'st', amount, margin, leverage }: OrderGiven) => {
  const deposit = margin === undefined ? 0n : atomsOf(margin, 'margin')
  if (action === 'close') return { unit, amount: 0n, margin: deposit }
  if (leverage === undefined) {
    if (amount === undefined) badRequest('An amount is missing', 'Give `amount`, or `margin` and `leverage`.')
    return { unit, amount: atomsOf(amount!, 'amount'), margin: deposit }
  }
  if (amount !== undefined || deposit === 0n || (action !== 'long' && action !== 'short')) {
    badRequest('A leverage goes with a margin, of a long or a short', 'Give `margin` and `leverage`, and no `amount`.')
  }
  return { unit: 'st' as const, amount: legFor(live, deposit, hundredths(leverage)), margin: deposit }
}

/** An order as it was asked for, with the account that it is for. */
export const askedOf = async (
  { chain, holdings }: Pick<Context, 'chain' | 'holdings'>,
  live: LiveMarket,
  given: OrderGiven & { readonly owner?: string; readonly sub?: number },
): Promise<Asked> => {
  const { action, toleranceBps = TOLERANCE_BPS, spot = false, owner, sub = 0 } = given
  const held = owner === undefined ? undefined : await holdings.account(live, addressIn(owner, 'owner'), sub)
  const limitRate = given.limitRate === undefined ? undefined : rateIn(given.limitRate, 'limitRate')
  const minimum = given.minimum === undefined ? undefined : atomsOf(given.minimum, 'minimum')
  const seconds = Math.ceil(SECONDS * chain.speed)
  return { action, ...sizeOf(live, given), spot, toleranceBps, limitRate, minimum, seconds, held, sub }
}
