/**
 * What the on-chain program can be asked, described once: its instructions with every account and argument, its events and its
 * errors. From here `npm run generate` writes the program's own reading and checking of them (Rust), the client's (TypeScript) and
 * the IDL, so that no two of them can disagree, and the tests make their attacks: a wrong account of every sort in every place.
 */
import { createHash } from 'node:crypto'
import { Keypair, PublicKey } from '@solana/web3.js'
import type { AccountName } from '../../src/client/codecs.ts'
import { JLP_MINT, PERPETUALS_PROGRAM, POOL_ADDRESS } from '../../src/jupiter/addresses.ts'
import type { Leaf } from './layouts.ts'

/**
 * Where the program is. The key of this address is derived from a public text, so that local chains and tests have it and nobody can
 * mistake it for a live one: docs/deploy.md says how to replace it by one's own before a deployment.
 */
export const PROGRAM_KEY_TEXT = 'sunder: the program on a local chain'
export const PROGRAM_ID = Keypair.fromSeed(createHash('sha256').update(PROGRAM_KEY_TEXT).digest()).publicKey.toBase58()

const derived = (...seeds: (string | number)[]): readonly [string, number] => {
  const bytes = seeds.map(seed => (typeof seed === 'string' ? Buffer.from(seed) : Buffer.from([seed])))
  const [address, bump] = PublicKey.findProgramAddressSync(bytes, new PublicKey(PROGRAM_ID))
  return [address.toBase58(), bump]
}
export const [EVENT_AUTHORITY, EVENT_AUTHORITY_BUMP] = derived('__event_authority')
const [CONFIG] = derived('config')

/** Addresses that the program knows. */
export const ADDRESSES = {
  program: PROGRAM_ID,
  event_authority: EVENT_AUTHORITY,
  config: CONFIG,
  jlp_mint: JLP_MINT,
  jupiter_pool: POOL_ADDRESS,
  jupiter_program: PERPETUALS_PROGRAM,
  system_program: '11111111111111111111111111111111',
  token_program: 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA',
  token_2022_program: 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb',
} as const
export type Fixed = keyof typeof ADDRESSES

// ---- errors -----------------------------------------------------------------------------------------------------------

/** In order, from 6000. The names in kebab-case are the reference engine's where it refuses the same. `way` is what to do. */
// biome-ignore format: a table
export const ERRORS: readonly (readonly [name: string, what: string])[] = [
  ['UnknownInstruction', 'No instruction of the program begins with these 8 bytes: use the builders of this version.'],
  ['BadArguments', 'The arguments are too short, too long, or hold a number that names nothing: use the builders of this version.'],
  ['MissingAccount', 'Fewer accounts than the instruction names: give all of them, in the order of the IDL.'],
  ['MissingSigner', 'An account that must sign did not: sign with its key.'],
  ['NotWritable', 'An account that is written was given to be read only: mark it writable.'],
  ['WrongOwner', 'An account belongs to another program than it should: give the account of that name.'],
  ['WrongAddress', 'An account is not at the address that it must have: derive it from its seeds, or read it from the account that names it.'],
  ['WrongDiscriminator', 'An account of the program, but of another kind: give the account of that name.'],
  ['WrongVersion', 'An account with a layout that this version of the program does not know: use the program that wrote it.'],
  ['WrongLength', 'An account of another size than it must have: give the account of that name.'],
  ['Uninitialised', 'There is nothing there yet, or no longer: open the account first.'],
  ['AlreadyInitialised', 'Something is there already: it can be opened only once.'],
  ['Malformed', 'An account holds what the program never writes.'],
  ['WrongMarket', 'An account belongs to another market: give the one of this market.'],
  ['WrongMint', 'A token account of another token: give one of the right mint.'],
  ['WrongTokenOwner', 'A token account of another owner: give one that belongs to whoever pays or is paid.'],
  ['Frozen', 'The token account is frozen by the authority of its mint: use another one.'],
  ['TransferMismatch', 'A transfer moved another amount than it was told to: nothing is booked.'],
  ['MissingTickArray', 'The trade needs a tick array that was not brought: bring the arrays on its way, and the next with an initialised tick.'],
  ['NotActive', 'The market has not all its tick arrays yet: create them first.'],
  ['SameAccount', 'One account was given for two roles that must not be the same; an owner trades and does not fill his own order.'],
  ['StaleSource', "Jupiter's AUM is too old: let somebody touch the pool first, then accrue."],
  ['Arithmetic', 'A number does not fit its width: no state of the market leads here.'],
  ['MarketExists', 'This maturity has a market already: use it.'],
  ['NotEmpty', 'Only what is empty can be closed: take everything out first.'],
  ['BadAmount', 'An amount beyond what an account can hold.'],
  ['BadParameter', 'A parameter outside its bounds: docs/protocol.md section 12 has them.'],
  ['InsufficientBalance', 'The wallet has less than that.'],
  ['InsufficientMargin', 'The account has less margin than that.'],
  ['InsufficientYt', 'The account has fewer YT than that.'],
  ['BelowMinimum', 'Less than the minimum would be filled or paid: lower it, or ask for less.'],
  ['AboveMaximum', 'More than the maximum would be charged: raise it, or ask for less.'],
  ['DeadlinePassed', 'The deadline is over: quote again and set a later one.'],
  ['TimeBackwards', 'Older than what is known already.'],
  ['CouponDue', 'A coupon is due: put `accrue` in front.'],
  ['ReduceOnly', 'No data of the pool for too long: only exits are open until the next accrual.'],
  ['Paused', 'New risk is paused for at most 72 hours: exits are open.'],
  ['NotMatured', 'Only after maturity.'],
  ['Matured', 'Only before maturity: settle, redeem or withdraw instead.'],
  ['TooEarly', 'Not yet: the time that it becomes possible lies ahead.'],
  ['BadSource', "Jupiter's pool account is not what it was, or says what cannot be: nothing is paid on it."],
  ['OppositePosition', 'An order never turns a position: reduce or close it first.'],
  ['ExceedsPosition', 'More than the position has.'],
  ['NoPosition', 'There is no position.'],
  ['NotSpot', 'The account would owe, and the order said spot: pay in full, or trade on margin.'],
  ['HistoryShort', 'The rate oracle has not seen a whole window yet: wait for it.'],
  ['Undercollateralised', 'Below the initial condition afterwards: add margin, or ask for less.'],
  ['NotBetter', 'A reduction must leave the account better off: reduce more, or add margin.'],
  ['OpenInterest', 'The cap on open interest would be exceeded.'],
  ['Backing', 'The reserves of LPs would no longer cover the worst coupons: ask for less.'],
  ['TooYoung', 'Liquidity stays at least 300 seconds.'],
  ['Healthy', 'The account is not to be liquidated or taken over.'],
  ['WrongAmount', 'More or less is closed than is needed: ask for the amount anew.'],
  ['NoImprovement', 'A partial close that would not raise the collateral ratio.'],
  ['FundShort', 'The insurance fund cannot take the account over now, and the market cannot close it: try again as the TWAP follows.'],
  ['AwaitingSettlement', 'Profits wait until every debtor is settled: settle them first.'],
  ['VaultShort', 'The vault has less than is owed: must never be seen.'],
  ['Unauthorised', 'The signer is not the one who may.'],
  ['PauseLimit', 'A pause runs already, or ended less than 24 hours ago, or there is none to end.'],
  ['ZeroAmount', 'Nothing is asked for, or there is nothing.'],
  ['LimitReached', 'The rate is at or past the limit: set another one.'],
  ['CrossingsReached', 'No liquidity before as many ticks as may be crossed.'],
  ['NoLiquidity', 'None in that direction.'],
  ['AmountTooSmall', 'The amount does not pay for one atom.'],
  ['DeficitStands', 'Losses are not yet covered: adding liquidity is closed.'],
  ['LiquidityLimit', "The market's liquidity would exceed its bound."],
  ['DepositTooSmall', 'Below 1 JLP.'],
  ['ShareOutOfRange', 'A share is num/den with 0 < num <= den <= 2^32, of at least one unit of liquidity.'],
  ['PositionEmpty', 'Nothing to remove or collect.'],
  ['WrongMarginAccount', 'The order waits on another margin account: give that one.'],
  ['NotTriggered', 'What the order waits for has not come: watch the TWAP.'],
]

// ---- arguments and events -----------------------------------------------------------------------------------------------

/** One byte each, in order. */
export const ENUMS = {
  Action: ['Long', 'Short', 'Reduce', 'Close'],
  /** What an amount counts: YT (PT in a PT order), or JLP atoms of the ST leg, fee not included. */
  AmountUnit: ['Token', 'St'],
  /** What a resting order does; its last two trade against a position of their side alone. */
  OrderAction: ['Long', 'Short', 'ReduceLong', 'ReduceShort'],
  /** What it waits for, at the TWAP: a rate, or equity less net deposits. */
  Trigger: ['None', 'RateAbove', 'RateBelow', 'PnlAbove', 'PnlBelow'],
  OrderKind: ['BuyYt', 'SellYt', 'BuyPt', 'SellPt'],
} as const
export type EnumName = keyof typeof ENUMS

export type ArgumentType = Leaf | EnumName | { readonly option: 'u128' | 'ChangeableTerms' } | 'ChangeableTerms'
export interface Argument {
  readonly name: string
  readonly type: ArgumentType
  readonly means: string
}
const arg = (name: string, type: ArgumentType, means: string): Argument => ({ name, type, means })

export interface RecordField {
  readonly name: string
  readonly type: Exclude<Leaf, 'coupon_kind'> | 'coupon_kind' | EnumName
}
export interface EventRecord {
  readonly name: string
  readonly means: string
  readonly fields: readonly RecordField[]
}

const record = (name: string, means: string, ...fields: readonly (readonly [string, RecordField['type']])[]) => ({
  name,
  means,
  fields: fields.map(([field, type]) => ({ name: field, type })),
})
const LEGS = [
  ['margin', 'i64'],
  ['st', 'i64'],
  ['yt', 'i64'],
] as const
const REF = [
  ['market', 'pubkey'],
  ['owner', 'pubkey'],
  ['sub', 'u8'],
] as const

/**
 * What an instruction did, record by record, in the order of the reference engine's events (src/exchange/event.ts). The first six
 * (and `Order`) are signed differences of everything that changed, so that they account for every atom.
 */
export const RECORDS: readonly EventRecord[] = [
  record('Balance', 'Of a wallet.', ['mint', 'pubkey'], ['owner', 'pubkey'], ['change', 'i64']),
  record('StVault', 'JLP behind wrapped ST.', ['coupon', 'coupon_kind'], ['change', 'i64']),
  record(
    'Account',
    '`coupon` is what coupons since the last touch added to `st`.',
    ...REF,
    ['coupon', 'i64'],
    ...LEGS,
    ['net_deposits', 'i64'],
  ),
  record(
    'Market',
    "The market's own books.",
    ['market', 'pubkey'],
    ['vault', 'i64'],
    ['fees', 'i64'],
    ['deficit', 'i64'],
    ['pt', 'i64'],
    ['issued', 'i64'],
    ['fund_margin', 'i64'],
    ['fund_st', 'i64'],
    ['fund_yt', 'i64'],
  ),
  record(
    'Position',
    'Of an LP.',
    ['market', 'pubkey'],
    ['owner', 'pubkey'],
    ['lower', 'i32'],
    ['upper', 'i32'],
    ['liquidity', 'i64'],
    ['issued', 'i64'],
    ['uncollected', 'i64'],
  ),
  record('Created', 'A market.', ['market', 'pubkey'], ['maturity', 'u32'], ['rate', 'u128']),
  record(
    'Accrued',
    'A coupon was paid.',
    ['coupon', 'coupon_kind'],
    ['to', 'u32'],
    ['discount', 'u128'],
    ['fees_paid', 'u128'],
    ['carry', 'u128'],
  ),
  record(
    'CaughtUp',
    'A market has copied its index.',
    ['market', 'pubkey'],
    ['tau_seconds', 'u32'],
    ['discount', 'u128'],
  ),
  record(
    'Swapped',
    'A trade against the AMM; fee_total = fee_repaid + fee_lp + fee_insurance + fee_protocol.',
    ['market', 'pubkey'],
    ['order', 'OrderKind'],
    ['filled', 'u64'],
    ['amount', 'u64'],
    ['st_leg', 'u64'],
    ['fee_total', 'u64'],
    ['fee_repaid', 'u64'],
    ['fee_lp', 'u64'],
    ['fee_insurance', 'u64'],
    ['fee_protocol', 'u64'],
    ['rate_before', 'u128'],
    ['rate_after', 'u128'],
    ['complete', 'bool'],
  ),
  record(
    'Liquidated',
    'YT closed through the AMM.',
    ...REF,
    ['by', 'pubkey'],
    ['closed', 'u64'],
    ['penalty', 'u64'],
    ['reward', 'u64'],
  ),
  record('TakenOver', 'What went to the insurance fund.', ...REF, ...LEGS),
  record(
    'Loss',
    'What the fund paid of it, and what became deficit.',
    ['market', 'pubkey'],
    ['fund', 'u64'],
    ['deficit', 'u64'],
  ),
  record('Settled', 'At maturity.', ...REF, ['value', 'i64']),
  record(
    'LiquidityRemoved',
    'Paid in kind; withheld for a standing deficit.',
    ['market', 'pubkey'],
    ['owner', 'pubkey'],
    ['jlp', 'u64'],
    ['pt', 'u64'],
    ['yt', 'u64'],
    ['withheld_jlp', 'u64'],
    ['withheld_pt', 'u64'],
    ['withheld_yt', 'u64'],
  ),
  record('Paused', 'Until then new risk is stopped.', ['until', 'u32']),
  record('TermsProposed', 'They wait 24 hours.', ['market', 'pubkey']),
  record('TermsApplied', 'They are in force.', ['market', 'pubkey']),
  record('Roles', 'Who may pause, and who gets the fees.', ['pauser', 'pubkey'], ['treasury', 'pubkey']),
  record('Authority', 'All zero: nobody is proposed.', ['authority', 'pubkey'], ['proposed', 'pubkey']),
  record(
    'Order',
    'YT left of a resting order, and the fee left.',
    ...REF,
    ['id', 'u8'],
    ['amount', 'i64'],
    ['fee', 'i64'],
  ),
  record(
    'Filled',
    'YT of a resting order, and what of its fee was paid for them.',
    ...REF,
    ['id', 'u8'],
    ['by', 'pubkey'],
    ['filled', 'u64'],
    ['fee', 'u64'],
  ),
]

// ---- accounts of an instruction -----------------------------------------------------------------------------------------

/** What is checked of an account before the instruction begins. */
export type Check =
  /** Whoever signs. */
  | { readonly kind: 'signer' }
  /** An account of the program. `same`: its field must be the key of another account of the instruction. */
  | {
      readonly kind: 'account'
      readonly account: AccountName
      readonly same?: readonly { readonly field: string; readonly slot: string; readonly error: string }[]
    }
  /** To be created: the instruction itself checks its address, and creates it whatever is there. */
  | { readonly kind: 'new'; readonly account: AccountName | 'StMint' | 'StVault' | 'Vault' | 'PtMint' }
  | { readonly kind: 'fixed'; readonly address: Fixed; readonly account?: AccountName }
  /** Its address is kept in a field of another account. */
  | { readonly kind: 'stored'; readonly slot: string; readonly field: string; readonly account?: AccountName }
  /** A token account: its mint and its owner. */
  | {
      readonly kind: 'wallet'
      readonly mint: 'jlp_mint' | { readonly slot: string }
      readonly owner: { readonly slot: string } | { readonly slot: string; readonly field: string }
      readonly program: 'token_program' | 'token_2022_program'
    }
  /** Looked at by the instruction itself. */
  | { readonly kind: 'own' }

export interface Slot {
  readonly name: string
  readonly check: Check
  readonly writable: boolean
  readonly signer: boolean
  /** Given as the program's own address where there is none. */
  readonly optional: boolean
}

export interface Instruction {
  /** snake_case. */
  readonly name: string
  readonly means: string
  readonly accounts: readonly Slot[]
  readonly arguments: readonly Argument[]
  /** What may follow the accounts. */
  readonly rest?: 'tick arrays' | 'matured markets'
}

const slot = (name: string, check: Check, flags = ''): Slot => ({
  name,
  check,
  writable: flags.includes('w'),
  signer: check.kind === 'signer',
  optional: flags.includes('?'),
})
const signer = (name: string, flags = ''): Slot => slot(name, { kind: 'signer' }, flags)
const fixed = (address: Fixed): Slot => slot(address, { kind: 'fixed', address })
const fresh = (name: string, account: Extract<Check, { kind: 'new' }>['account']): Slot =>
  slot(name, { kind: 'new', account }, 'w')
const stored = (name: string, of: string, flags = 'w', account?: AccountName, field = name): Slot =>
  slot(name, { kind: 'stored', slot: of, field, ...(account === undefined ? {} : { account }) }, flags)

const CONFIG_READ = slot('config', { kind: 'fixed', address: 'config', account: 'Config' })
const CONFIG_WRITE = slot('config', { kind: 'fixed', address: 'config', account: 'Config' }, 'w')
const MARKET = slot('market', { kind: 'account', account: 'Market' }, 'w')
const INDEX = stored('index', 'market', '', 'RateIndex')
const VAULT = stored('vault', 'market')
const PT_MINT = stored('pt_mint', 'market')
const OF_MARKET = { field: 'market', slot: 'market', error: 'WrongMarket' }
const OF_OWNER = { field: 'owner', slot: 'owner', error: 'Unauthorised' }
/** An account of whoever signs, or (for cranks) of anybody. */
const ACCOUNT = slot('account', { kind: 'account', account: 'MarginAccount', same: [OF_MARKET, OF_OWNER] }, 'w')
const ANY_ACCOUNT = slot('account', { kind: 'account', account: 'MarginAccount', same: [OF_MARKET] }, 'w')
const OF_ACCOUNT = { field: 'account', slot: 'account', error: 'WrongMarginAccount' }
const ORDER = slot('order', { kind: 'account', account: 'RestingOrder', same: [OF_MARKET, OF_ACCOUNT] }, 'w')
const OWN_ORDER = slot(
  'order',
  { kind: 'account', account: 'RestingOrder', same: [OF_MARKET, OF_OWNER, OF_ACCOUNT] },
  'w',
)
const POSITION = slot('position', { kind: 'account', account: 'LpPosition', same: [OF_MARKET, OF_OWNER] }, 'w')
const jlpOf = (owner: string): Slot =>
  slot(`${owner}_jlp`, { kind: 'wallet', mint: 'jlp_mint', owner: { slot: owner }, program: 'token_program' }, 'w')
const OWNER_PT = slot(
  'owner_pt',
  { kind: 'wallet', mint: { slot: 'pt_mint' }, owner: { slot: 'owner' }, program: 'token_program' },
  'w',
)
const OWNER_ST = slot(
  'owner_st',
  { kind: 'wallet', mint: { slot: 'st_mint' }, owner: { slot: 'owner' }, program: 'token_2022_program' },
  'w',
)
const OWNER = signer('owner')
/** Pays rent, or gets it back. */
const PAYING_OWNER = signer('owner', 'w')
const PAYER = signer('payer', 'w')
const POOL = fixed('jupiter_pool')
const JLP = fixed('jlp_mint')
const TOKEN = fixed('token_program')
const TOKEN_2022 = fixed('token_2022_program')
const SYSTEM = fixed('system_program')
/** Behind all others: who signs for events, and the program that they are sent to. */
const EVENT_SLOTS = [fixed('event_authority'), fixed('program')]

const DEADLINE = arg('deadline', 'u32', 'Unix seconds; good until and at it.')
const LIMIT = arg('limit_rate', 'u128', 'Q64.64; a trade stops there.')
const MINIMUM = arg('minimum', 'u64', 'Least YT (or PT) filled; with less the order is refused as a whole.')
const UNIT = arg('unit', 'AmountUnit', 'What the amount counts.')
const AMOUNT = arg('amount', 'u64', 'YT or PT atoms, or JLP atoms of the ST leg, fee not included.')
const JLP_AMOUNT = arg('jlp', 'u64', 'JLP atoms.')
const YT_AMOUNT = arg('yt', 'u64', 'YT atoms.')
const SUB = arg('sub', 'u8', "Number among the owner's accounts in the market.")
const COUPON = arg('coupon', 'coupon_kind', 'Kind of the index.')
const ORDER_ID = arg('id', 'u8', 'Number among the orders on the account.')
const BOUNDS = [arg('lower', 'i32', 'Tick.'), arg('upper', 'i32', 'Tick.')]
const TERMS = arg('terms', 'ChangeableTerms', 'All changeable terms.')

const instruction = (
  name: string,
  means: string,
  accounts: readonly Slot[],
  args: readonly Argument[] = [],
  rest?: Instruction['rest'],
): Instruction => ({
  name,
  means,
  accounts: [...accounts, ...EVENT_SLOTS],
  arguments: args,
  ...(rest === undefined ? {} : { rest }),
})

const PT_TRADE = [
  OWNER,
  CONFIG_READ,
  INDEX,
  MARKET,
  slot('owner_jlp', jlpOf('owner').check, 'w'),
  OWNER_PT,
  VAULT,
  PT_MINT,
  POOL,
  TOKEN,
]

/** Accounts are in the order that they are checked in: a `stored` one comes after the account that names it only by position. */
// biome-ignore format: a table
export const INSTRUCTIONS: readonly Instruction[] = [
  // ---- the beginning
  instruction('init_config', 'Once, by the upgrade authority of the program.', [PAYER, fresh('config', 'Config'), slot('program_data', { kind: 'own' }), SYSTEM], [arg('authority', 'pubkey', 'May propose terms.'), arg('pauser', 'pubkey', 'May pause.'), arg('treasury', 'pubkey', "Gets the protocol's fees.")]),
  instruction('init_index', 'Once for each kind; by anyone, since nothing can be chosen.', [PAYER, fresh('index', 'RateIndex'), fresh('st_mint', 'StMint'), fresh('st_vault', 'StVault'), JLP, POOL, SYSTEM, TOKEN, TOKEN_2022], [COUPON]),
  instruction('create_market', 'By anyone from the template, by the authority with other terms. Matured markets that follow make room among the maturities of the index.', [PAYER, jlpOf('payer'), CONFIG_READ, slot('index', { kind: 'account', account: 'RateIndex' }, 'w'), fresh('market', 'Market'), fresh('vault', 'Vault'), fresh('pt_mint', 'PtMint'), JLP, SYSTEM, TOKEN], [arg('maturity', 'u32', 'Last Friday of a month, 08:00 UTC.'), arg('rate', 'u128', 'Q64.64.'), arg('terms', { option: 'ChangeableTerms' }, 'Authority only.')], 'matured markets'),
  instruction('init_tick_array', 'By anyone; with the last one the market is active.', [PAYER, MARKET, fresh('tick_array', 'TickArray'), SYSTEM], [arg('number', 'u8', '0 to the last array of the grid.')]),
  instruction('close_tick_array', 'After maturity, when no position begins or ends in it: its rent goes back to whoever paid it.', [slot('payer', { kind: 'stored', slot: 'tick_array', field: 'payer' }, 'w'), MARKET, slot('tick_array', { kind: 'account', account: 'TickArray', same: [OF_MARKET] }, 'w')]),
  // ---- time
  instruction('accrue', "Pays the coupon that Jupiter's pool account says was earned; by anyone.", [slot('index', { kind: 'account', account: 'RateIndex' }, 'w'), POOL]),
  instruction('finalise', 'Without data for 7 days after a maturity the last discount is final; by anyone.', [slot('index', { kind: 'account', account: 'RateIndex' }, 'w'), POOL], [arg('maturity', 'u32', 'Unix seconds.')]),
  instruction('sync_st', 'Writes the index into the mint of wrapped ST, so that wallets show it rebase; by anyone.', [slot('index', { kind: 'account', account: 'RateIndex' }, 'w'), stored('st_mint', 'index'), TOKEN_2022]),
  // ---- tokens
  instruction('wrap', 'JLP for ST, 1 for 1 in the JLP that ST stands for.', [OWNER, slot('index', { kind: 'account', account: 'RateIndex' }, 'w'), jlpOf('owner'), OWNER_ST, stored('st_mint', 'index'), stored('st_vault', 'index'), TOKEN, TOKEN_2022], [JLP_AMOUNT]),
  instruction('unwrap', 'ST for JLP.', [OWNER, slot('index', { kind: 'account', account: 'RateIndex' }, 'w'), jlpOf('owner'), OWNER_ST, stored('st_mint', 'index'), stored('st_vault', 'index'), TOKEN, TOKEN_2022], [JLP_AMOUNT]),
  instruction('split', 'Pays `ceil(D * yt)` JLP, gets PT in the wallet and YT in the account.', [OWNER, CONFIG_READ, INDEX, MARKET, ACCOUNT, jlpOf('owner'), OWNER_PT, VAULT, PT_MINT, JLP, POOL, TOKEN], [YT_AMOUNT]),
  instruction('merge', 'PT and YT become ST again and pay `floor(D * yt)` JLP.', [OWNER, INDEX, MARKET, ACCOUNT, jlpOf('owner'), OWNER_PT, VAULT, PT_MINT, POOL, TOKEN], [YT_AMOUNT]),
  instruction('redeem_pt', 'PT at maturity pay `floor(D_T * pt)` JLP.', [OWNER, INDEX, MARKET, jlpOf('owner'), OWNER_PT, VAULT, PT_MINT, TOKEN], [arg('pt', 'u64', 'PT atoms.')]),
  instruction('buy_pt', 'Pays JLP for PT: ST is split and the YT sold.', PT_TRADE, [UNIT, AMOUNT, LIMIT, MINIMUM, DEADLINE], 'tick arrays'),
  instruction('sell_pt', 'PT for JLP: YT is bought and merged.', PT_TRADE, [UNIT, AMOUNT, LIMIT, MINIMUM, DEADLINE], 'tick arrays'),
  // ---- margin
  instruction('open_account', "Opens an owner's isolated account in a market.", [PAYING_OWNER, INDEX, MARKET, fresh('account', 'MarginAccount'), SYSTEM], [SUB]),
  instruction('close_account', 'An empty one; its rent goes back to the owner.', [PAYING_OWNER, INDEX, MARKET, ACCOUNT]),
  instruction('deposit', 'Margin.', [OWNER, INDEX, MARKET, ACCOUNT, jlpOf('owner'), VAULT, TOKEN], [JLP_AMOUNT]),
  instruction('withdraw', 'Margin; after maturity what the settled account holds.', [OWNER, INDEX, MARKET, ACCOUNT, jlpOf('owner'), VAULT, POOL, TOKEN], [JLP_AMOUNT]),
  instruction('transfer', 'Margin and YT to another account of the market.', [OWNER, INDEX, MARKET, ACCOUNT, slot('to', { kind: 'account', account: 'MarginAccount', same: [OF_MARKET] }, 'w'), POOL], [arg('margin', 'u64', 'JLP atoms.'), YT_AMOUNT]),
  instruction('trade', 'Long, short, reduce or close.', [OWNER, CONFIG_READ, INDEX, MARKET, ACCOUNT, JLP, POOL], [arg('action', 'Action', ''), UNIT, AMOUNT, arg('spot', 'bool', 'Long and short: the account must not owe afterwards, and the guards do not apply.'), LIMIT, MINIMUM, DEADLINE], 'tick arrays'),
  instruction('roll', 'Closes an account, moves its margin to one of a later market and opens there on the same side.', [OWNER, CONFIG_READ, INDEX, MARKET, ACCOUNT, VAULT, stored('to_index', 'to_market', '', 'RateIndex', 'index'), slot('to_market', { kind: 'account', account: 'Market' }, 'w'), slot('to_account', { kind: 'account', account: 'MarginAccount', same: [{ field: 'market', slot: 'to_market', error: 'WrongMarket' }, OF_OWNER] }, 'w'), stored('to_vault', 'to_market', 'w', undefined, 'vault'), JLP, POOL, TOKEN], [UNIT, AMOUNT, arg('close_limit_rate', 'u128', 'Q64.64, for the close.'), LIMIT, MINIMUM, DEADLINE], 'tick arrays'),
  // ---- resting orders
  instruction('place_order', 'Leaves an order on a margin account for anyone to fill.', [PAYING_OWNER, INDEX, MARKET, ACCOUNT, fresh('order', 'RestingOrder'), SYSTEM], [ORDER_ID, arg('action', 'OrderAction', ''), arg('amount', 'u64', 'YT atoms; of a reduction at most.'), arg('spot', 'bool', 'Long and short: the account must not owe afterwards.'), LIMIT, arg('minimum', 'u64', 'Least YT of a fill; all that is left is always enough.'), arg('trigger', 'Trigger', 'Reductions only.'), arg('level', 'i128', 'Q64.64 of a rate, or JLP atoms; 0 without a trigger.'), arg('fee', 'u64', 'JLP atoms from margin for filling all of it; a part pays for a part.'), arg('expires_at', 'u32', 'Unix seconds; good until and at it.')]),
  instruction('cancel_order', 'The owner takes an order back; its rent goes back too.', [PAYING_OWNER, MARKET, ACCOUNT, OWN_ORDER]),
  instruction('fill_order', 'Trades what the AMM fills of an order within its limit, for its fee; by anyone but the owner.', [signer('by'), jlpOf('by'), CONFIG_READ, INDEX, MARKET, ANY_ACCOUNT, ORDER, stored('owner', 'order'), VAULT, JLP, POOL, TOKEN], [], 'tick arrays'),
  instruction('expire_order', 'Removes an order past its time, or in a matured market; its rent goes back to the owner. By anyone.', [INDEX, MARKET, ANY_ACCOUNT, ORDER, stored('owner', 'order')]),
  // ---- liquidity
  instruction('open_position', 'An empty liquidity position over a range of ticks.', [PAYING_OWNER, INDEX, MARKET, fresh('position', 'LpPosition'), SYSTEM], BOUNDS),
  instruction('close_position', 'An empty one; its rent goes back to the owner.', [PAYING_OWNER, MARKET, POSITION]),
  instruction('add_liquidity', 'At most `maximum` JLP, while the rate lies between two bounds.', [OWNER, CONFIG_READ, INDEX, MARKET, POSITION, jlpOf('owner'), VAULT, POOL, TOKEN], [arg('liquidity', 'u64', 'YT atoms per unit of the rate.'), arg('maximum', 'u64', 'JLP atoms.'), arg('min_rate', 'u128', 'Q64.64.'), arg('max_rate', 'u128', 'Q64.64.'), DEADLINE], 'tick arrays'),
  instruction('remove_liquidity', 'A share, paid in kind: JLP and PT to the wallet, YT to an account of the owner.', [OWNER, INDEX, MARKET, POSITION, slot('account', ACCOUNT.check, 'w?'), jlpOf('owner'), OWNER_PT, VAULT, PT_MINT, POOL, TOKEN], [arg('num', 'u64', 'Of the share.'), arg('den', 'u64', 'Of the share.'), arg('minimum', 'u64', 'Least JLP paid in the end.'), DEADLINE, arg('zap', { option: 'u128' }, 'Sells the PT or YT received through the AMM, to this rate (Q64.64).')], 'tick arrays'),
  instruction('collect', 'Pays what a position has earned.', [OWNER, INDEX, MARKET, POSITION, jlpOf('owner'), VAULT, TOKEN], [], 'tick arrays'),
  // ---- for anyone to call
  instruction('liquidate', 'Closes `yt` of an account below maintenance, which must be what is needed.', [signer('by'), jlpOf('by'), INDEX, MARKET, ANY_ACCOUNT, VAULT, POOL, TOKEN], [YT_AMOUNT], 'tick arrays'),
  instruction('take_over', 'An account whose equity is gone goes to the insurance fund.', [INDEX, MARKET, ANY_ACCOUNT, POOL], [], 'tick arrays'),
  instruction('reduce_fund', "Trades the insurance fund's position down.", [INDEX, MARKET, POOL], [YT_AMOUNT], 'tick arrays'),
  instruction('settle', 'An account after maturity.', [INDEX, MARKET, ANY_ACCOUNT]),
  instruction('collect_fees', "Pays the protocol's fees to the treasury.", [CONFIG_READ, INDEX, MARKET, slot('treasury_jlp', { kind: 'wallet', mint: 'jlp_mint', owner: { slot: 'config', field: 'treasury' }, program: 'token_program' }, 'w'), VAULT, TOKEN]),
  instruction('apply_terms', 'Terms that have waited 24 hours.', [INDEX, MARKET]),
  instruction('catch_up', 'Copies the index into a market that nobody else has reason to touch.', [INDEX, MARKET]),
  // ---- for other programs
  { name: 'pt_price', means: 'Answers the price of PT at the time-weighted rate, for other programs to lend on: 60 bytes of return data, JLP per PT, the rate and JLP per ST (each Q64.64, u128), seconds to maturity (u32), the deficit (u64). Refused while a coupon is due, without a window of history or liquidity in range, before the market is active, and from maturity on. Writes nothing.', accounts: [INDEX, slot('market', { kind: 'account', account: 'Market' }), POOL], arguments: [] },
  // ---- authority
  instruction('propose_terms', 'Queues terms for 24 hours.', [signer('by'), CONFIG_READ, INDEX, MARKET], [TERMS]),
  instruction('pause', 'Stops new risk for 72 hours.', [signer('by'), CONFIG_WRITE]),
  instruction('unpause', 'Ends a pause early.', [signer('by'), CONFIG_WRITE]),
  instruction('appoint', 'Who may pause, and who gets the fees.', [signer('by'), CONFIG_WRITE], [arg('pauser', 'pubkey', 'May pause.'), arg('treasury', 'pubkey', "Gets the protocol's fees.")]),
  instruction('propose_authority', 'The first of two steps.', [signer('by'), CONFIG_WRITE], [arg('next', 'pubkey', 'May accept.')]),
  instruction('accept_authority', 'The second.', [signer('by'), CONFIG_WRITE]),
]
