/** Margin accounts and tokens: open, close, deposit, withdraw, transfer, wrap, split, merge, redeem, settle. */
import { shiftQ64 } from '../../amm/fixed.ts'
import { U64_MAX } from '../../amm/units.ts'
import { EMPTY_LEGS, isEmpty, isOpen, netted, positive } from './account.ts'
import type { Draft } from './draft.ts'
import { refuse } from './errors.ts'
import type { Of } from './instruction.ts'
import { isSpot, meetsInitial } from './margin.ts'
import { bookLossOf, cutOf, expired, withDeficit, withHaircut } from './maturity.ts'
import { type AccountRef, accountId, type MarginAccount, type Market } from './state.ts'
import { checkHistory, checkOpenInterest, twapOf, valueAt } from './swap.ts'

/** Refuses anything but 1 atom to 2^64 - 1. */
export const checkAmount = (amount: bigint): void => {
  if (typeof amount !== 'bigint') refuse('bad-amount', { amount: String(amount) })
  if (amount === 0n) refuse('zero-amount')
  if (amount < 0n || amount > U64_MAX) refuse('bad-amount', { amount })
}

const refOf = ({ market, owner, sub }: AccountRef): AccountRef => ({ market, owner, sub })

// ---- ST --------------------------------------------------------------------------------------------------------------

/** JLP in, ST out (or back): 1 for 1 in the JLP that ST stands for, so it rebases by itself. */
export const wrap = (draft: Draft, { kind, owner, coupon, jlp }: Of<'wrap' | 'unwrap'>): void => {
  checkAmount(jlp)
  const change = kind === 'wrap' ? jlp : -jlp
  draft.move('jlp', owner, -change)
  draft.move(`st-${coupon}`, owner, change)
  draft.moveStVault(coupon, change)
}

// ---- PT and YT -------------------------------------------------------------------------------------------------------

/** `yt` ST become as many PT, in the wallet, and YT, in the owner's account; costs `ceil(D * yt)` JLP. */
export const split = (draft: Draft, { yt, ...ref }: Of<'split'>): void => {
  checkAmount(yt)
  const market = draft.market(ref.market)
  draft.checkOpen(market)
  const account = draft.account(ref, market)
  const paid = draft.pay(market, ref.owner, shiftQ64(yt * market.pool.discount, 'up'))
  draft.move(`pt/${ref.market}`, ref.owner, yt)
  const minted = { ...paid, totals: { ...paid.totals, pt: paid.totals.pt + yt } }
  const next = draft.saveAccount(minted, netted({ ...account, yt: account.yt + yt }))
  checkOpenInterest(draft, next)
  draft.saveMarket(next)
}

/** As many PT and YT become ST again and pay `floor(D * yt)` JLP. */
export const merge = (draft: Draft, { yt, ...ref }: Of<'merge'>): void => {
  checkAmount(yt)
  const market = draft.market(ref.market)
  if (market.pool.tauSeconds === 0) refuse('matured', { maturity: market.maturity, now: draft.world.now })
  const account = draft.account(ref, market)
  if (account.yt < yt) refuse('insufficient-yt', { wanted: yt, available: positive(account.yt) })
  draft.move(`pt/${ref.market}`, ref.owner, -yt)
  const burnt = { ...market, totals: { ...market.totals, pt: market.totals.pt - yt } }
  const paid = draft.pay(burnt, ref.owner, -shiftQ64(yt * market.pool.discount, 'down'))
  draft.saveMarket(takeOut(draft, paid, netted({ ...account, yt: account.yt - yt })))
}

/** PT at maturity: 1 ST of principal each, `floor(D_T * pt)` JLP. */
export const redeemPt = (draft: Draft, { market: id, owner, pt }: Of<'redeem-pt'>): void => {
  checkAmount(pt)
  const market = draft.market(id)
  if (market.pool.tauSeconds > 0) refuse('not-matured', { maturity: market.maturity, now: draft.world.now })
  draft.move(`pt/${id}`, owner, -pt)
  const burnt = {
    ...market,
    retired: market.retired - pt,
    totals: { ...market.totals, pt: market.totals.pt - pt },
  }
  draft.saveMarket(draft.pay(burnt, owner, -shiftQ64(pt * market.pool.discount, 'down')))
}

// ---- margin ----------------------------------------------------------------------------------------------------------

export const openAccount = (draft: Draft, ref: Of<'open-account'>): void => {
  const market = draft.market(ref.market)
  if (!Number.isInteger(ref.sub) || ref.sub < 0 || ref.sub > 255)
    refuse('bad-parameter', { name: 'sub', value: ref.sub })
  if (draft.hasAccount(ref)) refuse('account-exists', { account: accountId(ref) })
  if (market.pool.tauSeconds === 0) refuse('matured', { maturity: market.maturity, now: draft.world.now })
  draft.saveMarket(
    draft.saveAccount(market, { ...refOf(ref), ...EMPTY_LEGS, discount: market.pool.discount, orders: 0 }),
  )
}

export const closeAccount = (draft: Draft, ref: Of<'close-account'>): void => {
  const account = draft.account(ref, draft.market(ref.market))
  const { margin, st, yt, orders } = account
  // What waits on an account must not wait on the next one in its place.
  if (!isEmpty(account) || orders > 0) refuse('not-empty', { margin, st, yt, orders })
  draft.removeAccount(ref)
}

export const deposit = (draft: Draft, { jlp, ...ref }: Of<'deposit'>): void => {
  checkAmount(jlp)
  const market = draft.market(ref.market)
  if (market.pool.tauSeconds === 0) refuse('matured', { maturity: market.maturity, now: draft.world.now })
  const account = draft.account(ref, market)
  const after = { ...account, margin: account.margin + jlp, netDeposits: account.netDeposits + jlp }
  draft.saveMarket(draft.saveAccount(draft.pay(market, ref.owner, jlp), netted(after)))
}

const withdrawn = (account: MarginAccount, jlp: bigint): MarginAccount => {
  if (jlp > account.margin) refuse('insufficient-margin', { wanted: jlp, available: account.margin })
  return { ...account, margin: account.margin - jlp, netDeposits: positive(account.netDeposits - jlp) }
}

/**
 * Saves an account that value was taken out of. One that owes must meet the initial condition at a price that no coupon is due
 * on, and leave the market backed.
 */
const takeOut = (draft: Draft, market: Market, account: MarginAccount): Market => {
  const next = draft.saveAccount(market, account)
  if (isSpot(account, market.pool.discount)) return next
  draft.checkFresh(market)
  checkHistory(draft, market)
  const at = valueAt(draft, next, twapOf(draft, next))
  if (!meetsInitial(account, at, market.terms)) {
    refuse('undercollateralised', { margin: account.margin, st: account.st, yt: account.yt })
  }
  draft.checkBacking(next)
  return next
}

/** Before maturity from margin; after it, of what the settled account holds: profit once every debtor is settled. */
export const withdraw = (draft: Draft, { jlp, ...ref }: Of<'withdraw'>): void => {
  checkAmount(jlp)
  const market = draft.market(ref.market)
  if (market.pool.tauSeconds > 0) {
    const next = takeOut(draft, market, withdrawn(draft.account(ref, market), jlp))
    draft.saveMarket(draft.pay(next, ref.owner, -jlp))
    return
  }
  const settled = withHaircut(settleAccount(draft, market, ref))
  const account = draft.account(ref, settled)
  if (jlp > account.margin) refuse('insufficient-margin', { wanted: jlp, available: account.margin })
  if (settled.haircut === undefined) {
    const available = account.margin < account.netDeposits ? account.margin : account.netDeposits
    if (jlp > available) {
      refuse('awaiting-settlement', {
        wanted: jlp,
        available,
        debtors: settled.totals.debtors,
        open: settled.totals.open,
      })
    }
    const paid = draft.saveAccount(settled, withdrawn(account, jlp))
    draft.saveMarket(draft.pay(paid, ref.owner, -jlp))
    return
  }
  const cut = cutOf(settled.haircut, positive(account.margin - account.netDeposits))
  const left = account.margin - cut
  // What has been cut once is no longer profit.
  const after = withdrawn({ ...account, margin: left, netDeposits: cut === 0n ? account.netDeposits : left }, jlp)
  const { deficit } = settled.pool
  const repaid = withDeficit(settled, cut < deficit ? -cut : -deficit)
  draft.saveMarket(draft.pay(draft.saveAccount(repaid, after), ref.owner, -jlp))
}

/** Moves margin and YT to another account: YT to another owner only where there are some. */
export const transfer = (draft: Draft, { to, margin, yt, ...from }: Of<'transfer'>): void => {
  if (margin === 0n && yt === 0n) refuse('zero-amount')
  for (const amount of [margin, yt]) if (amount !== 0n) checkAmount(amount)
  if (to.market !== from.market) refuse('bad-parameter', { name: 'to', value: to.market })
  if (accountId(to) === accountId(from)) refuse('same-account', { account: accountId(to) })
  const market = draft.market(from.market)
  if (market.pool.tauSeconds === 0) refuse('matured', { maturity: market.maturity, now: draft.world.now })
  const giver = draft.account(from, market)
  const taker = draft.account(to, market)
  if (yt > 0n && giver.yt < yt) refuse('insufficient-yt', { wanted: yt, available: positive(giver.yt) })
  // Nobody puts another on a side: it would keep them from opening on the other one.
  if (yt > 0n && to.owner !== from.owner && taker.yt <= 0n) refuse('opposite-position', { yt: taker.yt })
  const lighter = withdrawn(giver, margin)
  const taken = draft.saveAccount(
    market,
    netted({
      ...taker,
      margin: taker.margin + margin,
      yt: taker.yt + yt,
      netDeposits: taker.netDeposits + margin,
    }),
  )
  draft.saveMarket(takeOut(draft, taken, netted({ ...lighter, yt: lighter.yt - yt })))
}

// ---- maturity --------------------------------------------------------------------------------------------------------

/** Settles an account at the final discount: anyone may, and a second time changes nothing. */
export const settle = (draft: Draft, ref: Of<'settle'>): void => {
  const market = draft.market(ref.market)
  if (market.pool.tauSeconds > 0) refuse('not-matured', { maturity: market.maturity, now: draft.world.now })
  draft.saveMarket(withHaircut(settleAccount(draft, market, ref)))
}

const settleAccount = (draft: Draft, market: Market, ref: AccountRef): Market => {
  const account = draft.account(ref, market)
  const after = expired(account, market.pool.discount)
  const settled = draft.saveAccount({ ...market, retired: market.retired + account.yt }, { ...after, st: 0n })
  if (isOpen(account)) {
    draft.events.push({ type: 'settled', ...refOf(ref), value: after.margin + after.st })
  }
  return bookLossOf(draft, settled, -after.st)
}
