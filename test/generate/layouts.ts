/**
 * The accounts of the on-chain program, described once: every field with its type, its bound and its meaning. From here
 * `npm run generate` writes the offsets of the program (Rust), those of the client (TypeScript), the accounts of the IDL and
 * docs/program-accounts.md, so that no two of them can disagree.
 *
 * Fields lie in this order without padding, as Borsh would write them: any Borsh coder reads an account, and a program reads one
 * field by its offset. Every integer is the narrowest that the bounds of docs/protocol.md allow; sums over accounts, whose number is
 * unbounded, have 128 bits.
 */

export type Integer = 'u8' | 'u16' | 'u32' | 'i32' | 'u64' | 'i64' | 'u128' | 'i128'
export type Leaf = Integer | 'bool' | 'pubkey' | 'coupon_kind'
export type FieldType = Leaf | { readonly struct: Struct } | { readonly array: Leaf | Struct; readonly count: number }

export interface Bound {
  readonly least: bigint
  readonly most: bigint
  /** As people read it. */
  readonly text: string
}

export interface Field {
  /** snake_case. */
  readonly name: string
  readonly type: FieldType
  /** Of an integer, or of each in an array of them. What is outside no program wrote: clients refuse it. */
  readonly bound: Bound | undefined
  readonly means: string
}

export interface Struct {
  readonly name: string
  readonly means: string
  readonly fields: readonly Field[]
}

/** A seed: text, the public key of another account, or a value, little-endian. */
export type Seed =
  | { readonly text: string }
  | { readonly name: string; readonly type: 'pubkey' | Integer | 'coupon_kind' }

export interface Derived {
  readonly name: string
  readonly seeds: readonly Seed[]
  readonly means: string
}

export interface Account extends Derived {
  readonly version: number
  /** Bytes; what the fields leave of them is reserved, and zero. */
  readonly size: number
  readonly fields: readonly Field[]
}

// ---- bounds -----------------------------------------------------------------------------------------------------------

const within = (least: bigint, most: bigint, text: string): Bound => ({ least, most, text })
const upTo = (most: number): Bound => within(0n, BigInt(most), `0 .. ${most.toLocaleString('en')}`)

const ONE = 1n << 64n
const RATE = within(0n, 4n * ONE - 1n, '0 .. 4 * 2^64 - 1')
const DISCOUNT = within(1n << 44n, ONE, '2^44 .. 2^64')
const CAP = within(0n, ONE / 10n, '0 .. 2^64 / 10')
const LIQUIDITY = within(0n, 1n << 58n, '0 .. 2^58')
const LEG = within(-(1n << 61n), 1n << 61n, '-2^61 .. 2^61')
const AMOUNT = within(0n, 1n << 61n, '0 .. 2^61')
const GROWTH = within(0n, (1n << 127n) - 1n, '0 .. 2^127 - 1')
const LEVEL = within(-(1n << 61n), 4n * ONE - 1n, '-2^61 .. 4 * 2^64 - 1')
const TICK = within(1n, 39_999n, '1 .. 39,999')
const BPS = upTo(10_000)

/** Unix seconds and all of u64: whatever the type holds. */
const ANY = undefined

const field = (name: string, type: FieldType, bound: Bound | undefined, means: string): Field => ({
  name,
  type,
  bound,
  means,
})
const struct = (name: string, means: string, fields: readonly Field[]): Struct => ({ name, means, fields })

// ---- parts ------------------------------------------------------------------------------------------------------------

const LEGS = [
  field('margin', 'u64', AMOUNT, 'JLP atoms.'),
  field('st', 'i64', LEG, 'ST leg in JLP atoms, signed.'),
  field('yt', 'i64', LEG, 'YT atoms, signed.'),
  field('discount', 'u128', DISCOUNT, 'Discount at which coupons were last paid to it, Q64.64.'),
  field('net_deposits', 'u64', AMOUNT, 'What profit is measured against, JLP atoms.'),
]

/** Legs are checked against 2^61 when an owner's account is written; what the fund takes over may add up to more. */
const Legs = struct(
  'Legs',
  'The legs of the insurance fund.',
  LEGS.map(leg => (leg.name === 'discount' ? leg : { ...leg, bound: ANY })),
)

const Caps = struct('Caps', 'Bounds on coupons; they never change.', [
  field('rho_max_q64', 'u64', CAP, 'Most yield of a step, Q0.64.'),
  field('weekly_budget_q64', 'u64', CAP, 'Most yield of a week, Q0.64; 0 for weekly coupons.'),
])

const Cursor = struct('Cursor', "What was last read of Jupiter's pool.", [
  field('last_updated', 'u32', ANY, "Jupiter's weekly update, unix seconds."),
  field('realized_fee_usd', 'u64', ANY, 'Fees realised since then, 10^-6 USD.'),
])

const Checkpoint = struct('Checkpoint', 'A maturity whose discount the index keeps.', [
  field('maturity', 'u32', ANY, 'Unix seconds; 0: a free place.'),
  field(
    'discount',
    'u128',
    within(0n, ONE, '0, 2^44 .. 2^64'),
    'Q64.64, final; 0 until a step crosses the maturity (no discount is 0, so that no flag is needed).',
  ),
])

const Grid = struct('Grid', 'Rate range and tick spacing.', [
  field('spacing', 'u16', within(1n, 1000n, '1 .. 1,000'), 'Ticks between two of the grid.'),
  field('min_tick', 'i32', TICK, 'A multiple of the spacing.'),
  field('max_tick', 'i32', TICK, 'A multiple of the spacing.'),
])

export const CHANGEABLE_TERMS = struct('ChangeableTerms', 'Terms that may change, after 24 hours in the queue.', [
  field('fee_bps', 'u16', upTo(500), 'Trading fee, bp of the ST leg.'),
  field('lp_share_bps', 'u16', BPS, 'Share of the fee that LPs get, bp.'),
  field('insurance_share_bps', 'u16', BPS, "Share of the protocol's part that the insurance fund gets, bp."),
  field('guard_bps', 'u16', BPS, 'How far a margined trade may leave the TWAP, bp of the rate.'),
  field('forced_bps', 'u16', BPS, 'How far a forced close may leave it, bp of the rate.'),
  field('open_interest_bps', 'u16', BPS, "Cap on each side's YT, bp of the JLP supply."),
  field('penalty_bps', 'u16', BPS, 'Most of a liquidated leg that is charged, bp.'),
])

const MarketTerms = struct('MarketTerms', 'All terms of a market.', [
  field('grid', { struct: Grid }, ANY, ''),
  ...CHANGEABLE_TERMS.fields,
  field('initial_bps', 'u16', ANY, 'Collateral ratio for opening, at spot, bp.'),
  field('initial_twap_bps', 'u16', ANY, 'The same at the worst rate found, bp.'),
  field('maintenance_bps', 'u16', ANY, 'Below it at TWAP an account is liquidated, bp.'),
  field('whole_bps', 'u16', ANY, 'Below it wholly, bp.'),
  field('low_coupon_bps', 'u16', BPS, 'Least coupon that the long gap reckons with, bp of the implied one.'),
  field('period', 'u32', ANY, 'Seconds between two coupons.'),
  field('twap_window', 'u16', within(1n, 300n, '1 .. 300'), 'Seconds of the TWAP.'),
  field(
    'clamp_per_second',
    'u64',
    within(1n, ONE - 1n, '1 .. 2^64 - 1'),
    'Most that the observed rate moves in a second, Q0.64.',
  ),
  field('minimum_size', 'u64', ANY, 'Accounts that owe less are liquidated wholly, JLP atoms.'),
])

const Queued = struct('Queued', 'Terms that wait.', [
  field('ready_at', 'u32', ANY, 'Unix seconds; 0: none are queued.'),
  field('terms', { struct: CHANGEABLE_TERMS }, ANY, ''),
])

const Pool = struct('Pool', 'The AMM, without its ticks; grid and fees are in the terms.', [
  field('tau_seconds', 'u32', ANY, 'From the last coupon copied to maturity; 0: the market has matured.'),
  field('discount', 'u128', DISCOUNT, 'JLP per ST as last copied from the index, Q64.64.'),
  field('rate', 'u128', RATE, 'The rate in force, Q64.64 a year.'),
  field('tick', 'i32', upTo(39_999), 'The greatest tick of the grid crossed; one spacing below the grid if none is.'),
  field('liquidity', 'u64', LIQUIDITY, 'In range.'),
  field('gross_liquidity', 'u64', LIQUIDITY, 'Of all positions together.'),
  field('fall', 'i128', ANY, 'How far W at the rate in force has fallen over all coupons, Q64.64.'),
  field('fee_growth', 'i128', GROWTH, 'LP fees per unit of liquidity in range, Q64.64.'),
  field('deficit', 'u64', ANY, 'Losses not yet covered, JLP atoms.'),
])

const RateOracle = struct('RateOracle', 'The rate oracle; its clamp is in the terms.', [
  field('started_at', 'u32', ANY, 'Unix seconds.'),
  field('observed_until', 'u32', ANY, 'Unix seconds.'),
  field('observed', 'u128', RATE, 'The observed rate of the last second, Q64.64.'),
  field(
    'buckets',
    { array: 'u128', count: 16 },
    within(0n, 20n * (4n * ONE - 1n), '0 .. 20 * (4 * 2^64 - 1)'),
    "Sums of the observed rates of a bucket's 20 seconds, Q64.64; the bucket of time t is number t / 20 modulo 16.",
  ),
])

const Standing = struct('Standing', 'The lowest and highest rates found in two stretches of a TWAP window or more.', [
  field('since', 'u32', ANY, 'When the present stretch began, unix seconds.'),
  field('low', 'u128', RATE, 'Q64.64.'),
  field('high', 'u128', RATE, 'Q64.64.'),
  field('low_before', 'u128', RATE, 'Of the stretch before, Q64.64.'),
  field('high_before', 'u128', RATE, 'Of the stretch before, Q64.64.'),
])

const Totals = struct('Totals', 'Sums over the recorded legs of all accounts, the fund included.', [
  field('margin', 'i128', ANY, 'JLP atoms.'),
  field('st', 'i128', ANY, 'JLP atoms.'),
  field('debt', 'i128', GROWTH, 'Of max(0, -(margin + st)), JLP atoms.'),
  field('yt', 'i128', ANY, 'YT atoms.'),
  field('yt_at_discount', 'i128', ANY, 'Of yt times its discount, Q64.64.'),
  field('short', 'i128', GROWTH, 'Of |yt| over yt < 0.'),
  field('short_at_discount', 'i128', GROWTH, 'The same times discount, Q64.64.'),
  field('pt', 'u64', ANY, 'PT in existence, as the mint counts them.'),
  field(
    'issued',
    'u64',
    ANY,
    'YT issued by all LP positions: at most 4 for each unit of liquidity, which is below 2^61.',
  ),
  field('profit', 'i128', GROWTH, 'Of max(0, margin - net_deposits), without the fund.'),
  field('open', 'u32', ANY, 'Accounts with an ST or YT leg, without the fund.'),
  field('debtors', 'u32', ANY, 'Those of them that owe.'),
])

const Haircut = struct('Haircut', 'What is cut from profits after maturity.', [
  field('known', 'bool', ANY, 'Whether all debtors, and where losses are left all accounts, are settled.'),
  field('uncovered', 'u64', ANY, 'At most the deficit, JLP atoms.'),
  field(
    'profit',
    'u64',
    ANY,
    'All profits; no debtor is left then, so that the vault and the deficit bound them. JLP atoms.',
  ),
])

const Tick = struct('Tick', 'A tick; one whose gross is 0 is not initialised, and all 0.', [
  field('net', 'i64', within(-(1n << 58n), 1n << 58n, '-2^58 .. 2^58'), 'Liquidity that comes in upwards.'),
  field('gross', 'u64', LIQUIDITY, 'Liquidity of all positions that begin or end here.'),
  field('fall', 'i128', ANY, 'g of its cumulative fall, Q64.64.'),
  field('fee_growth_outside', 'i128', GROWTH, 'On the side where the rate is not, Q64.64.'),
])

const Position = struct('Position', 'A liquidity position.', [
  field('lower', 'i32', TICK, ''),
  field('upper', 'i32', TICK, ''),
  field('liquidity', 'u64', LIQUIDITY, ''),
  field('issued', 'u64', ANY, 'YT issued, and as many ST atoms in reserve.'),
  field('accrued_before', 'i128', ANY, 'Accrued per unit of liquidity when it was last touched, Q64.64.'),
  field('fees_before', 'i128', ANY, 'Fees per unit of liquidity when it was last touched, Q64.64.'),
  field('uncollected', 'u64', ANY, 'Earned and not paid out, JLP atoms.'),
])

// ---- accounts ---------------------------------------------------------------------------------------------------------

const COUPON: Seed = { name: 'kind', type: 'coupon_kind' }
const MARKET: Seed = { name: 'market', type: 'pubkey' }
const OWNER: Seed = { name: 'owner', type: 'pubkey' }
const text = (seed: string): Seed => ({ text: seed })

const BUMP = field('bump', 'u8', ANY, 'Of its own address.')
const EVENTS = field('event_sequence', 'u64', ANY, 'Events written about it so far: a reader sees a gap.')

/** Ticks of an array, and words of the bitmap: one bit of a word for each tick of an array. */
export const TICKS_PER_ARRAY = 64
/** The grid of docs/protocol.md section 9 has 1,382 ticks. */
export const TICK_ARRAYS = 22

export const ACCOUNTS: readonly Account[] = [
  {
    name: 'Config',
    means: 'Who may do what. The templates of markets are constants in code, as in the engine.',
    seeds: [text('config')],
    version: 1,
    size: 256,
    fields: [
      BUMP,
      field('authority', 'pubkey', ANY, 'May propose terms and the next authority.'),
      field('next_authority', 'pubkey', ANY, 'May accept; all zero: nobody is proposed.'),
      field('pauser', 'pubkey', ANY, 'May pause, as the authority may.'),
      field('treasury', 'pubkey', ANY, "Whose JLP account the protocol's fees go to."),
      field('paused_until', 'u32', ANY, 'Unix seconds; 0: never paused.'),
      EVENTS,
    ],
  },
  {
    name: 'RateIndex',
    means: 'The discount of all markets of a coupon kind.',
    seeds: [text('index'), COUPON],
    version: 1,
    size: 896,
    fields: [
      BUMP,
      field('kind', 'coupon_kind', ANY, '0 hourly, 1 weekly.'),
      field('st_mint', 'pubkey', ANY, 'The mint of wrapped ST, in JLP atoms.'),
      field('st_vault', 'pubkey', ANY, 'The JLP behind wrapped ST.'),
      field('st_mint_bump', 'u8', ANY, ''),
      field('st_vault_bump', 'u8', ANY, ''),
      field('caps', { struct: Caps }, ANY, ''),
      field('discount', 'u128', DISCOUNT, 'D, JLP per ST, Q64.64.'),
      field(
        'last_step',
        'u32',
        ANY,
        "Up to when coupons are paid: a full hour, or Jupiter's last update. Unix seconds.",
      ),
      field('bucket_q64', 'u64', CAP, "What is left of the week's budget, Q0.64."),
      field('carry', 'u128', ANY, "Fees above the caps, in the unit of a step's fees."),
      field('cursor', { struct: Cursor }, ANY, ''),
      EVENTS,
      field('checkpoints', { array: Checkpoint, count: 32 }, ANY, 'In no order.'),
    ],
  },
  {
    name: 'Market',
    means: 'A maturity: its terms, its AMM without the ticks, its sums and its insurance fund.',
    seeds: [text('market'), { name: 'maturity', type: 'u32' }, COUPON],
    version: 1,
    size: 1280,
    fields: [
      BUMP,
      field('vault_bump', 'u8', ANY, ''),
      field('pt_mint_bump', 'u8', ANY, ''),
      field('kind', 'coupon_kind', ANY, '0 hourly, 1 weekly.'),
      field('maturity', 'u32', ANY, 'Unix seconds.'),
      field('active', 'bool', ANY, 'Open for business: all tick arrays of the grid exist.'),
      field(
        'tick_arrays',
        'u32',
        within(0n, (1n << 22n) - 1n, '0 .. 2^22 - 1'),
        'Bit k: the tick array number k exists.',
      ),
      field('index', 'pubkey', ANY, 'Its RateIndex.'),
      field('vault', 'pubkey', ANY, 'Its JLP token account.'),
      field('pt_mint', 'pubkey', ANY, ''),
      field('creator', 'pubkey', ANY, 'Who paid for its accounts.'),
      EVENTS,
      field('terms', { struct: MarketTerms }, ANY, ''),
      field('queued', { struct: Queued }, ANY, ''),
      field('pool', { struct: Pool }, ANY, ''),
      field('oracle', { struct: RateOracle }, ANY, ''),
      field('standing', { struct: Standing }, ANY, ''),
      field('totals', { struct: Totals }, ANY, ''),
      field('fund', { struct: Legs }, ANY, ''),
      field(
        'vault_amount',
        'u64',
        ANY,
        'JLP atoms that the books say are in the vault; what is sent there unasked is not counted.',
      ),
      field('fees', 'u64', ANY, "The protocol's fees, not yet collected, JLP atoms."),
      field('retired', 'i128', ANY, 'YT that expired in accounts, less PT redeemed.'),
      field('haircut', { struct: Haircut }, ANY, ''),
      field(
        'initialised',
        { array: 'u64', count: TICK_ARRAYS },
        ANY,
        'Bit b of word k: the tick min_tick + (64 k + b) * spacing is initialised. Word k is of the tick array number k.',
      ),
    ],
  },
  {
    name: 'TickArray',
    means: 'Neighbouring ticks of the grid. Array number k starts at min_tick + 64 k * spacing.',
    seeds: [text('ticks'), MARKET, { name: 'start', type: 'i32' }],
    version: 1,
    size: 3168,
    fields: [
      BUMP,
      field('market', 'pubkey', ANY, ''),
      field('payer', 'pubkey', ANY, 'Who paid its rent, and gets it back.'),
      field('start', 'i32', TICK, 'Its first tick.'),
      field('ticks', { array: Tick, count: TICKS_PER_ARRAY }, ANY, 'Ticks start, start + spacing, ..'),
    ],
  },
  {
    name: 'MarginAccount',
    means: "An owner's isolated account in a market.",
    seeds: [text('margin'), MARKET, OWNER, { name: 'sub', type: 'u8' }],
    version: 1,
    size: 192,
    fields: [
      BUMP,
      field('market', 'pubkey', ANY, ''),
      field('owner', 'pubkey', ANY, ''),
      field('sub', 'u8', ANY, "Number among the owner's accounts in the market."),
      ...LEGS,
      field('orders', 'u16', upTo(256), 'Resting orders on it; it is closed only without.'),
    ],
  },
  {
    name: 'RestingOrder',
    means: 'An order that waits on a margin account for anyone to fill it.',
    seeds: [text('order'), { name: 'account', type: 'pubkey' }, { name: 'id', type: 'u8' }],
    version: 1,
    size: 256,
    fields: [
      BUMP,
      field('market', 'pubkey', ANY, ''),
      field('account', 'pubkey', ANY, 'The margin account.'),
      field('owner', 'pubkey', ANY, "The margin account's, who paid the rent and gets it back."),
      field('id', 'u8', ANY, 'Number among the orders on the account.'),
      field('action', 'u8', upTo(3), '0 long, 1 short, 2 reduce a long, 3 reduce a short.'),
      field('amount', 'u64', AMOUNT, 'YT atoms left to fill; of a reduction at most.'),
      field('spot', 'bool', ANY, 'Long and short: the account must not owe afterwards.'),
      field('limit_rate', 'u128', RATE, 'A fill stops there, Q64.64.'),
      field('minimum', 'u64', ANY, 'Least YT atoms of a fill; all that is left is always enough.'),
      field(
        'trigger',
        'u8',
        upTo(4),
        '0 none, 1 rate at or above, 2 at or below, 3 profit at or above, 4 at or below.',
      ),
      field(
        'level',
        'i128',
        LEVEL,
        'A rate (Q64.64 at TWAP), or equity at TWAP less net deposits (JLP atoms, signed).',
      ),
      field('fee', 'u64', AMOUNT, 'JLP atoms for whoever fills what is left.'),
      field('expires_at', 'u32', ANY, 'Good until and at it, unix seconds.'),
    ],
  },
  {
    name: 'LpPosition',
    means: 'Liquidity of an owner over a range of ticks.',
    seeds: [text('lp'), MARKET, OWNER, { name: 'lower', type: 'i32' }, { name: 'upper', type: 'i32' }],
    version: 1,
    size: 192,
    fields: [
      BUMP,
      field('market', 'pubkey', ANY, ''),
      field('owner', 'pubkey', ANY, ''),
      field('added_at', 'u32', ANY, 'When liquidity was last added, unix seconds.'),
      field('position', { struct: Position }, ANY, ''),
    ],
  },
]

/** Addresses whose accounts other programs lay out. */
export const OTHERS: readonly Derived[] = [
  {
    name: 'StMint',
    seeds: [text('st'), COUPON],
    means: 'Token-2022 mint of wrapped ST; its supply is the JLP behind it.',
  },
  { name: 'StVault', seeds: [text('st_vault'), COUPON], means: 'Token account: the JLP behind wrapped ST.' },
  { name: 'Vault', seeds: [text('vault'), MARKET], means: "Token account: a market's JLP." },
  { name: 'PtMint', seeds: [text('pt'), MARKET], means: 'SPL mint of PT.' },
  {
    name: 'EventAuthority',
    seeds: [text('__event_authority')],
    means: 'Signs the calls of the program to itself that carry events.',
  },
]
