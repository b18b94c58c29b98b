/**
 * Instructions from names that a user knows: `build.deposit({ market, owner, sub, jlp })`. Every account follows from them; what is
 * elsewhere, such as another token account than the associated one, is given by its name in `accounts`.
 */
import { PublicKey, TransactionInstruction } from '@solana/web3.js'
import type { CouponKind } from '../../amm/display.ts'
import { addressOf } from './addresses.ts'
import { fail } from './errors.ts'
import { ADDRESSES, INSTRUCTIONS, PROGRAM_ID } from './generated/interface.ts'
import {
  accountsOf,
  encodeInstruction,
  INSTRUCTION_NAMES,
  type InstructionAccounts,
  type InstructionArguments,
  type InstructionName,
} from './instructions.ts'
import { type WalletAccount, walletAddress } from './wallets.ts'

/** By its maturity, or by its address. */
export type MarketRef = { readonly kind: CouponKind } & (
  | { readonly maturity: number; readonly address?: undefined }
  | { readonly address: string }
)

export const marketAddress = (ref: MarketRef): string =>
  ref.address ?? addressOf('Market', { maturity: ref.maturity, kind: ref.kind })

interface OfMarket {
  readonly market: MarketRef
}
interface OfOwner extends OfMarket {
  readonly owner: string
}
/** A margin account: number `sub` of an owner's. */
interface OfAccount extends OfOwner {
  readonly sub: number
}
/** An order: number `id` of those on a margin account. */
interface OfOrder extends OfAccount {
  readonly id: number
}
interface OfPosition extends OfOwner {
  /** Ticks. */
  readonly lower: number
  readonly upper: number
}
interface OfCoupon {
  readonly coupon: CouponKind
}
/** Whoever signs and is not the owner: a liquidator, or an authority. */
interface By {
  readonly by: string
}
/** Whoever signs and pays rent. */
interface Paid {
  readonly payer: string
}
/** The first ticks of tick arrays: see quotes.ts. */
interface Ticks {
  readonly tickArrays: readonly number[]
}

/** What each instruction's accounts follow from. */
export interface Where {
  readonly initConfig: Paid
  readonly initIndex: Paid & OfCoupon
  readonly createMarket: Paid & OfCoupon & { readonly matured?: readonly MarketRef[] }
  /** `start`: its first tick. */
  readonly initTickArray: Paid & OfMarket & { readonly start: number }
  /** `payer`: as the tick array names it. */
  readonly closeTickArray: Paid & OfMarket & { readonly start: number }
  readonly accrue: OfCoupon
  readonly finalise: OfCoupon
  readonly syncSt: OfCoupon
  readonly wrap: OfCoupon & { readonly owner: string }
  readonly unwrap: OfCoupon & { readonly owner: string }
  readonly split: OfAccount
  readonly merge: OfAccount
  readonly redeemPt: OfOwner
  readonly buyPt: OfOwner & Ticks
  readonly sellPt: OfOwner & Ticks
  readonly openAccount: OfAccount
  readonly closeAccount: OfAccount
  readonly deposit: OfAccount
  readonly withdraw: OfAccount
  readonly transfer: OfAccount & { readonly to: { readonly owner: string; readonly sub: number } }
  readonly trade: OfAccount & Ticks
  readonly placeOrder: OfAccount
  readonly cancelOrder: OfOrder
  /** `owner`: of the account; `by` gets the fee. */
  readonly fillOrder: OfOrder & By & Ticks
  readonly expireOrder: OfOrder
  /** `to`: an account of the same owner. */
  readonly roll: OfAccount &
    Ticks & { readonly to: { readonly market: MarketRef; readonly sub: number } & Partial<Ticks> }
  readonly openPosition: OfPosition
  readonly closePosition: OfPosition
  readonly addLiquidity: OfPosition & Ticks
  /** `sub`: the account that YT are paid into. */
  readonly removeLiquidity: OfPosition & Ticks & { readonly sub?: number | undefined }
  readonly collect: OfPosition & Ticks
  readonly liquidate: OfAccount & By & Ticks
  readonly takeOver: OfAccount & Ticks
  readonly reduceFund: OfMarket & Ticks
  readonly settle: OfAccount
  readonly collectFees: OfMarket & { readonly treasury: string }
  readonly applyTerms: OfMarket
  readonly catchUp: OfMarket
  readonly ptPrice: OfMarket
  readonly proposeTerms: OfMarket & By
  readonly pause: By
  readonly unpause: By
  readonly appoint: By
  readonly proposeAuthority: By
  readonly acceptAuthority: By
}

/** All that an instruction is made of. */
export type Given<N extends InstructionName> = Where[N] &
  InstructionArguments[N] & { readonly accounts?: Partial<InstructionAccounts[N]> }

/** Whatever of it there is, for the table below. */
interface Bag {
  readonly market?: MarketRef
  readonly coupon?: CouponKind
  readonly maturity?: number
  readonly owner?: string
  readonly payer?: string
  readonly by?: string
  readonly treasury?: string
  readonly sub?: number
  readonly lower?: number
  readonly upper?: number
  readonly start?: number
  readonly id?: number
  readonly to?: {
    readonly market?: MarketRef
    readonly owner?: string
    readonly sub: number
    readonly tickArrays?: readonly number[]
  }
  readonly matured?: readonly MarketRef[]
  readonly tickArrays?: readonly number[]
  readonly accounts?: Readonly<Record<string, string | undefined>>
}

const need = <K extends keyof Bag>(bag: Bag, key: K): NonNullable<Bag[K]> =>
  bag[key] ?? fail('missing-account', `Say the ${key}: an account follows from it`, { key })

/** The market of an instruction; of one that creates it, the one to be. */
const marketIn = (bag: Bag): MarketRef => bag.market ?? { kind: need(bag, 'coupon'), maturity: need(bag, 'maturity') }
const market = (bag: Bag): string => marketAddress(marketIn(bag))
const kind = (bag: Bag): CouponKind => bag.coupon ?? need(bag, 'market').kind
const toMarket = (bag: Bag): MarketRef => need(bag, 'to').market ?? need(bag, 'market')

const JLP = { mint: ADDRESSES.jlpMint, program: ADDRESSES.tokenProgram }
const jlpOf =
  (role: 'owner' | 'payer' | 'by' | 'treasury') =>
  (bag: Bag): WalletAccount => ({ owner: need(bag, role), ...JLP })

/** Token accounts of wallets, by their slots. */
const WALLETS: Readonly<Record<string, (bag: Bag) => WalletAccount>> = {
  ownerJlp: jlpOf('owner'),
  payerJlp: jlpOf('payer'),
  byJlp: jlpOf('by'),
  treasuryJlp: jlpOf('treasury'),
  ownerPt: bag => ({
    owner: need(bag, 'owner'),
    mint: addressOf('PtMint', { market: market(bag) }),
    program: ADDRESSES.tokenProgram,
  }),
  ownerSt: bag => ({
    owner: need(bag, 'owner'),
    mint: addressOf('StMint', { kind: kind(bag) }),
    program: ADDRESSES.token2022Program,
  }),
}

/** Where the account of a slot is; undefined where none is meant. */
const SLOTS: Readonly<Record<string, (bag: Bag) => string | undefined>> = {
  ...Object.fromEntries((['owner', 'payer', 'by'] as const).map(role => [role, (bag: Bag) => need(bag, role)])),
  ...Object.fromEntries(
    Object.entries(WALLETS).map(([slot, wallet]) => [slot, (bag: Bag) => walletAddress(wallet(bag))]),
  ),
  index: bag => addressOf('RateIndex', { kind: kind(bag) }),
  stMint: bag => addressOf('StMint', { kind: kind(bag) }),
  stVault: bag => addressOf('StVault', { kind: kind(bag) }),
  market,
  vault: bag => addressOf('Vault', { market: market(bag) }),
  ptMint: bag => addressOf('PtMint', { market: market(bag) }),
  tickArray: bag => addressOf('TickArray', { market: market(bag), start: need(bag, 'start') }),
  account: bag => (bag.sub === undefined ? undefined : marginAccount(bag)),
  order: bag => addressOf('RestingOrder', { account: marginAccount(bag), id: need(bag, 'id') }),
  position: bag =>
    addressOf('LpPosition', {
      market: market(bag),
      owner: need(bag, 'owner'),
      lower: need(bag, 'lower'),
      upper: need(bag, 'upper'),
    }),
  to: bag => toAccount(bag),
  toAccount: bag => toAccount(bag),
  toMarket: bag => marketAddress(toMarket(bag)),
  toIndex: bag => addressOf('RateIndex', { kind: toMarket(bag).kind }),
  toVault: bag => addressOf('Vault', { market: marketAddress(toMarket(bag)) }),
  programData: () =>
    PublicKey.findProgramAddressSync(
      [new PublicKey(PROGRAM_ID).toBytes()],
      new PublicKey('BPFLoaderUpgradeab1e11111111111111111111111'),
    )[0].toBase58(),
}

const marginAccount = (bag: Bag): string =>
  addressOf('MarginAccount', { market: market(bag), owner: need(bag, 'owner'), sub: need(bag, 'sub') })

const toAccount = (bag: Bag): string => {
  const { owner = need(bag, 'owner'), sub } = need(bag, 'to')
  return addressOf('MarginAccount', { market: marketAddress(toMarket(bag)), owner, sub })
}

const arraysAt = (of: string, starts: readonly number[] = []): string[] =>
  starts.map(start => addressOf('TickArray', { market: of, start }))

/** The addresses of an instruction's accounts by their slots; those of the program itself are not among them. */
export const addressesOf = <N extends InstructionName>(name: N, given: Given<N>): InstructionAccounts[N] => {
  const bag = given as Bag
  const known = INSTRUCTIONS[name].accounts.filter(slot => !(slot.name in ADDRESSES))
  return Object.fromEntries(
    known.map(({ name: slot }) => [slot, bag.accounts?.[slot] ?? SLOTS[slot]!(bag)]),
  ) as unknown as InstructionAccounts[N]
}

/** The wallets' associated token accounts that an instruction uses, as far as they were not given. */
export const walletsOf = <N extends InstructionName>(name: N, given: Given<N>): WalletAccount[] => {
  const bag = given as Bag
  return INSTRUCTIONS[name].accounts.flatMap(({ name: slot }) =>
    slot in WALLETS && bag.accounts?.[slot] === undefined ? [WALLETS[slot]!(bag)] : [],
  )
}

const buildOne = <N extends InstructionName>(name: N, given: Given<N>): TransactionInstruction => {
  const bag = given as Bag
  const rest = [
    ...(bag.tickArrays === undefined ? [] : arraysAt(market(bag), bag.tickArrays)),
    ...(bag.to?.tickArrays === undefined ? [] : arraysAt(marketAddress(toMarket(bag)), bag.to.tickArrays)),
    ...(bag.matured ?? []).map(marketAddress),
  ]
  return new TransactionInstruction({
    programId: new PublicKey(PROGRAM_ID),
    keys: accountsOf(name, addressesOf(name, given), rest).map(role => ({
      pubkey: new PublicKey(role.address),
      isWritable: role.writable,
      isSigner: role.signer,
    })),
    data: Buffer.from(encodeInstruction(name, given)),
  })
}

type Builders = { readonly [N in InstructionName]: (given: Given<N>) => TransactionInstruction }

/** One function for each instruction. `out-of-range` names a wrong argument, `wrong-address` and `missing-account` an account. */
export const build = Object.fromEntries(
  INSTRUCTION_NAMES.map(name => [name, (given: Given<typeof name>) => buildOne(name, given)]),
) as unknown as Builders
