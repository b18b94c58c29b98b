/** What a strategy cannot do: the exchange's own refusal with its numbers, in words, or a question that makes no sense. */
import { CodedError } from '../../amm/errors.ts'
import { formatAtoms, formatPercent, ONE_Q64 } from '../../amm/index.ts'
import type { Context, RefusalCode, Refused } from '../exchange/index.ts'

export class StrategyError extends CodedError<RefusalCode> {
  override readonly name = 'StrategyError'
}

type Value = Context[string] | undefined
const jlp = (value: Value): string => `${formatAtoms(BigInt(value ?? 0))} JLP`
const ratio = (assets: Value, liabilities: Value): string =>
  formatPercent((BigInt(assets ?? 0) * ONE_Q64) / BigInt(liabilities || 1))

/** Refusals that a question can run into, with the numbers that fix them; amounts in the contexts are atoms. */
const WORDS: Partial<Record<RefusalCode, (context: Context) => string>> = {
  undercollateralised: ({ assets, liabilities, assetsAtTwap, liabilitiesAtTwap }) =>
    `The collateral ratio would be ${ratio(assets, liabilities)} at the spot and ` +
    `${ratio(assetsAtTwap, liabilitiesAtTwap)} at the TWAP; opening needs 110 %, 106.05 % and 1.2 times the worst loss of ` +
    'one coupon',
  backing: ({ reserve, owed }) =>
    `The pool’s reserve of ${jlp(reserve)} would not cover the ${jlp(owed)} that could be owed at the worst coupons: less ` +
    'leverage, or more liquidity',
  'open-interest': ({ openInterest, cap }) => `Open interest would be ${jlp(openInterest)}; the cap is ${jlp(cap)}`,
  'limit-reached': () => 'The rate is at the order’s limit, or there is no liquidity before it',
  'no-liquidity': () => 'There is no liquidity on that side of the rate: choose a range around it',
  'amount-too-small': () => 'The amount does not pay for one atom and its fee',
  'deposit-too-small': () => 'Liquidity is at least 1 JLP',
  'zero-amount': () => 'The amount is zero',
  'insufficient-balance': ({ available, wanted }) => `The wallet has ${jlp(available)} and ${jlp(wanted)} is needed`,
  'coupon-due': () => 'A coupon is due: pay it first',
  matured: () => 'The market has matured',
}

export const wordsFor = ({ code, context }: Pick<Refused, 'code' | 'context'>): string =>
  WORDS[code]?.(context) ??
  `The exchange refuses: ${Object.entries(context)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}`

export const refused = (refusal: Refused): StrategyError =>
  new StrategyError(refusal.code, wordsFor(refusal), refusal.context)

/** Throws `bad-parameter` unless a question's parameter is sensible. */
export const check = (ok: boolean, message: string): void => {
  if (!ok) throw new StrategyError('bad-parameter', message)
}
