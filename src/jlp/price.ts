/** Oracle prices and the two conversions between tokens and USD. */
import { divide, type Rounding } from '../../amm/fixed.ts'
import type { PriceFacts, UsdX6 } from '../jupiter/facts.ts'
import { JlpError } from './errors.ts'
import { usdX6 } from './scale.ts'

/** USD per whole token: `price * 10^expo`, as Doves publishes it. */
export type Price = Pick<PriceFacts, 'price' | 'expo'>

const MOST_DIGITS = 18
const POWERS: readonly bigint[] = Array.from({ length: 2 * MOST_DIGITS }, (_, digits) => 10n ** BigInt(digits))
const power = (digits: number): bigint => POWERS[digits] ?? 10n ** BigInt(digits)

/** The price itself, if it is one: positive, exponent from -18 to 0. */
export const checkPrice = <P extends Price>(price: P): P => {
  const { expo } = price
  if (price.price <= 0n || !Number.isInteger(expo) || expo < -MOST_DIGITS || expo > 0) {
    throw new JlpError(
      'bad-price',
      `A price must be positive with an exponent from -18 to 0, got ${price.price}e${expo}`,
      {
        price: price.price,
        expo,
      },
    )
  }
  return price
}

/** `amount` atoms of a token of `decimals` in USD at `price`. */
export const usdOf = (amount: bigint, decimals: number, { price, expo }: Price, rounding: Rounding): UsdX6 => {
  const digits = expo + 6 - decimals
  const product = amount * price
  return usdX6(digits >= 0 ? product * power(digits) : divide(product, power(-digits), rounding))
}

/** The atoms of a token of `decimals` that `usd` buys at `price`. Not yet `TokenAtoms`: it may be more than any account holds. */
export const tokensFor = (usd: bigint, decimals: number, { price, expo }: Price, rounding: Rounding): bigint => {
  const digits = decimals - 6 - expo
  return digits >= 0 ? divide(usd * power(digits), price, rounding) : divide(usd, price * power(-digits), rounding)
}

/** USD 10^-6 per whole token, the scale of entry prices: rounded against whoever the price favours. */
export const priceX6 = ({ price, expo }: Price, rounding: Rounding): UsdX6 =>
  usdX6(expo >= -6 ? price * power(expo + 6) : divide(price, power(-expo - 6), rounding))

const dollar = (expo: number): bigint => power(-expo)

/** `price`, or $1 if it is lower: what a stablecoin is counted at (the depeg guard of the AUM), and paid out at. */
export const atLeastDollar = (price: Price): Price =>
  price.price >= dollar(price.expo) ? price : { price: dollar(price.expo), expo: price.expo }

/** `price`, or $1 if it is higher: what a stablecoin is taken in at. */
export const atMostDollar = (price: Price): Price =>
  price.price <= dollar(price.expo) ? price : { price: dollar(price.expo), expo: price.expo }
