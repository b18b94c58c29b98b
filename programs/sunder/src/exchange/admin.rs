//! Creating markets, pausing, changing terms. Nothing here touches a balance, a price or an index at will.
use super::book::{check_free, finish, Book};
use super::calendar::is_last_friday;
use super::create::New;
use super::terms;
use super::time::{accrued, index_of};
use super::tokens::{move_jlp, vault_pays, Wallet};
use super::work::Workspace;
use crate::external::{jupiter, loader, token, token_2022};
use crate::interface::{
    addresses, AcceptAuthorityAccounts, ApplyTermsAccounts, AppointAccounts, AppointArguments, AuthorityRecord,
    CatchUpAccounts, ChangeableTerms, CloseTickArrayAccounts, CollectFeesAccounts, CreateMarketAccounts,
    CreateMarketArguments, CreatedRecord, InitConfigAccounts, InitConfigArguments, InitIndexAccounts,
    InitIndexArguments, InitTickArrayAccounts, InitTickArrayArguments, MarketRecord, PauseAccounts, PausedRecord,
    ProposeAuthorityAccounts, ProposeAuthorityArguments, ProposeTermsAccounts, ProposeTermsArguments, RolesRecord,
    SunderError, TermsAppliedRecord, TermsProposedRecord, UnpauseAccounts,
};
use crate::math::accrual::{create_index, forget_maturity, watch_maturity, IndexKind, RateIndex, HOUR_SECONDS};
use crate::math::fixed::ONE_Q64;
use crate::math::margin::Standing;
use crate::math::pool::{create_pool, Pool};
use crate::math::rate::Moment;
use crate::math::twap::create_oracle;
use crate::runtime::{AccountInfo, ProgramResult, Pubkey};
use crate::state::{
    config, market, rate_index, seeds, tick_array, Config, Leaf, Market, RateIndex as IndexView, TickArray,
};

/// What the creator leaves in the vault for good, JLP atoms: the last ulps of LP accounting may come out of it.
const SEED_DUST: u64 = 1000;
const DAY_SECONDS: u32 = 24 * HOUR_SECONDS;
/// How far ahead a maturity may lie: two years hold 24 maturities, of the 32 that an index keeps.
const LONGEST: u32 = 730 * DAY_SECONDS;
const PAUSE_SECONDS: u32 = 3 * DAY_SECONDS;
const PAUSE_REST: u32 = DAY_SECONDS;
/// How long a change of terms waits.
const QUEUE_SECONDS: u32 = DAY_SECONDS;
const NOBODY: Pubkey = [0; 32];

/// Makes the event one about an account of the program, which keeps at `offset` how many there were.
pub fn about(work: &mut Workspace, account: &AccountInfo, offset: usize) -> Result<(), SunderError> {
    let mut data = account.try_borrow_mut_data()?;
    let sequence = <u64 as Leaf>::get(&data, offset) + 1;
    Leaf::put(sequence, &mut data, offset);
    work.events.about(account.key(), sequence)
}

// ---- the beginning --------------------------------------------------------------------------------------------------------

/// Once, by who may replace the program: else `Unauthorised`.
pub fn init_config(work: &mut Workspace, a: &InitConfigAccounts, args: &InitConfigArguments) -> ProgramResult {
    loader::check_upgrade_authority(a.program_data, &addresses::PROGRAM, a.payer)?;
    let new = New::at(a.payer, a.config, [seeds::CONFIG]);
    let bump = new.create(config::SIZE, &addresses::PROGRAM)?;
    {
        let mut data = a.config.try_borrow_mut_data()?;
        let mut config = Config::init(&mut data)?;
        config.set_bump(bump);
        config.set_authority(args.authority);
        config.set_pauser(args.pauser);
        config.set_treasury(args.treasury);
    }
    work.events.authority(&AuthorityRecord { authority: args.authority, proposed: NOBODY })?;
    about(work, a.config, config::EVENT_SEQUENCE)?;
    work.events.send(work.now, a.event_authority)
}

/// The bounds on coupons of a kind: yield of a step, and of a week, Q64.64 (docs/protocol.md section 9).
fn caps_of(kind: IndexKind) -> (u128, u128) {
    match kind {
        IndexKind::Hourly => (ONE_Q64 * 5 / 10_000, ONE_Q64 * 25 / 1000),
        IndexKind::Weekly => (ONE_Q64 * 12 / 1000, 0),
    }
}

/// Begins an index where Jupiter's pool account stands now; once for each kind, by anyone. `WrongMint` unless JLP has 6
/// decimals, `StaleSource`, `BadSource`.
pub fn init_index(work: &mut Workspace, a: &InitIndexAccounts, args: &InitIndexArguments) -> ProgramResult {
    if token::read_mint(a.jlp_mint, &addresses::TOKEN_PROGRAM)?.decimals != jupiter::JLP_DECIMALS {
        return Err(SunderError::WrongMint.into());
    }
    let kind = args.coupon;
    let reading = jupiter::read(a.jupiter_pool)?;
    jupiter::check_source(&reading, work.now, kind)?;
    let cursor = jupiter::cursor_of(&reading)?;
    let last_step = match kind {
        IndexKind::Hourly => {
            let settled = work.now.saturating_sub(jupiter::HOURLY_TERMS.settling_delay);
            settled - settled % HOUR_SECONDS
        }
        IndexKind::Weekly => cursor.last_updated,
    };
    let index = create_index(kind, caps_of(kind), last_step, ONE_Q64)?;
    let (bump, st_mint_bump, st_vault_bump) = make_index(a, kind)?;
    {
        let mut data = a.index.try_borrow_mut_data()?;
        let mut view = IndexView::init(&mut data)?;
        view.set_bump(bump);
        view.set_st_mint(*a.st_mint.key());
        view.set_st_vault(*a.st_vault.key());
        view.set_st_mint_bump(st_mint_bump);
        view.set_st_vault_bump(st_vault_bump);
        view.set_index(&index)?;
        view.set_cursor_last_updated(cursor.last_updated);
        view.set_cursor_realized_fee_usd(cursor.realized_fee_usd);
    }
    accrued(work, &index, 0)?;
    about(work, a.index, rate_index::EVENT_SEQUENCE)?;
    work.events.send(work.now, a.event_authority)
}

/// The accounts of an index: its own, the mint of wrapped ST, and the JLP behind that.
#[inline(never)]
fn make_index(a: &InitIndexAccounts, kind: IndexKind) -> Result<(u8, u8, u8), SunderError> {
    let kind = [kind as u8];
    let new = |account, name| New::at(a.payer, account, [name, &kind]);
    let bump = new(a.index, seeds::RATE_INDEX).create(rate_index::SIZE, &addresses::PROGRAM)?;
    let st_mint_bump =
        new(a.st_mint, seeds::ST_MINT).create(token_2022::ST_MINT_SIZE, &addresses::TOKEN_2022_PROGRAM)?;
    token_2022::initialise_st_mint(a.st_mint, a.index.key(), jupiter::JLP_DECIMALS, ONE_Q64)?;
    let st_vault_bump = new(a.st_vault, seeds::ST_VAULT).create(token::ACCOUNT_SIZE, &addresses::TOKEN_PROGRAM)?;
    token::initialize_account3(&addresses::TOKEN_PROGRAM, a.st_vault, a.jlp_mint, a.index.key())?;
    Ok((bump, st_mint_bump, st_vault_bump))
}

// ---- markets --------------------------------------------------------------------------------------------------------------

/// Opens a market for a maturity; anyone may. Its name and so its maturity are unique.
pub fn create_market(work: &mut Workspace, a: &CreateMarketAccounts, args: &CreateMarketArguments) -> ProgramResult {
    check_creation(work, a, args)?;
    let kind = index_of(a.index)?.kind;
    let (maturity, kind_seed) = (args.maturity.to_le_bytes(), [kind as u8]);
    let new = New::at(a.payer, a.market, [seeds::MARKET, &maturity, &kind_seed]);
    let bump = new.bump()?;
    check_free(a.market)?;
    let terms = args.terms.unwrap_or_else(|| terms::template(kind));
    terms::check(&terms)?;
    let index = watch(a.index, a.rest, args.maturity)?;
    let tau = args.maturity.saturating_sub(index.last_step);
    let moment = Moment { tau, discount: index.discount };
    let pool = create_pool(terms::GRID, terms::fees(&terms), moment, args.rate)?;
    let mut wallet = Wallet::jlp(a.payer_jlp, a.payer.key());
    wallet.shift(work, -i128::from(SEED_DUST))?;
    new.make(bump, market::SIZE, &addresses::PROGRAM)?;
    let bumps = make_tokens(a)?;
    {
        let mut data = a.market.try_borrow_mut_data()?;
        let mut market = Market::init(&mut data)?;
        market.set_bump(bump);
        market.set_vault_bump(bumps.0);
        market.set_pt_mint_bump(bumps.1);
        market.set_kind(kind as u8);
        market.set_maturity(args.maturity);
        market.set_index(*a.index.key());
        market.set_vault(*a.vault.key());
        market.set_pt_mint(*a.pt_mint.key());
        market.set_creator(*a.payer.key());
        terms::write(&mut market, kind, &terms);
        begin_books(&mut market, &pool, work.now)?;
    }
    let market = *a.market.key();
    work.events.market(&MarketRecord {
        market,
        vault: SEED_DUST as i64,
        fees: 0,
        deficit: 0,
        pt: 0,
        issued: 0,
        fund_margin: 0,
        fund_st: 0,
        fund_yt: 0,
    })?;
    work.events.created(&CreatedRecord { market, maturity: args.maturity, rate: args.rate })?;
    about(work, a.market, market::EVENT_SEQUENCE)?;
    about(work, a.index, rate_index::EVENT_SEQUENCE)?;
    move_jlp(&wallet, a.vault, a.market, a.payer)?;
    work.events.send(work.now, a.event_authority)
}

/// Whether this market may be created now, but for its terms: `Paused`, `Unauthorised`, `Matured`, `BadParameter`.
fn check_creation(work: &Workspace, a: &CreateMarketAccounts, args: &CreateMarketArguments) -> Result<(), SunderError> {
    let data = a.config.try_borrow_data()?;
    let config = Config::load(&data)?;
    if work.now < config.paused_until() {
        return Err(SunderError::Paused);
    }
    // Names are unique for ever: only the authority may leave the template.
    if args.terms.is_some() {
        check_by(a.payer, &[config.authority()])?;
    }
    if args.maturity <= work.now {
        return Err(SunderError::Matured);
    }
    if args.maturity - work.now > LONGEST || !is_last_friday(args.maturity) {
        return Err(SunderError::BadParameter);
    }
    Ok(())
}

/// Has the index keep the discount of a maturity, and forget those of markets that have copied theirs. `NotMatured` for
/// a market that has not, `WrongMarket` for one of another index, and what is refused of any account of the program;
/// `BadParameter` if the maturity is not ahead, or there is no room.
#[inline(never)]
fn watch(account: &AccountInfo, matured: &[AccountInfo], maturity: u32) -> Result<RateIndex, SunderError> {
    let mut data = account.try_borrow_mut_data()?;
    let mut view = IndexView::load_mut(&mut data)?;
    let index = view.index()?;
    let mut checkpoints = view.checkpoints()?;
    for market in matured {
        forget_maturity(&mut checkpoints, copied(market, account.key())?);
    }
    watch_maturity(&index, &mut checkpoints, maturity)?;
    view.set_checkpoints(&checkpoints)?;
    Ok(index)
}

/// The maturity of a market that has copied its final discount from this index.
#[inline(never)]
fn copied(account: &AccountInfo, index: &Pubkey) -> Result<u32, SunderError> {
    if !account.is_owned_by(&addresses::PROGRAM) {
        let empty = account.data_is_empty();
        return Err(if empty { SunderError::Uninitialised } else { SunderError::WrongOwner });
    }
    let data = account.try_borrow_data()?;
    let market = Market::load(&data)?;
    if market.index() != *index {
        return Err(SunderError::WrongMarket);
    }
    if market.pool_tau_seconds() > 0 {
        return Err(SunderError::NotMatured);
    }
    Ok(market.maturity())
}

/// The vault of a new market and the mint of its PT, which both belong to the market; their bumps.
#[inline(never)]
fn make_tokens(a: &CreateMarketAccounts) -> Result<(u8, u8), SunderError> {
    let key = a.market.key();
    let new = |account, name| New::at(a.payer, account, [name, key]);
    let vault_bump = new(a.vault, seeds::VAULT).create(token::ACCOUNT_SIZE, &addresses::TOKEN_PROGRAM)?;
    token::initialize_account3(&addresses::TOKEN_PROGRAM, a.vault, a.jlp_mint, key)?;
    let pt_mint_bump = new(a.pt_mint, seeds::PT_MINT).create(token::MINT_SIZE, &addresses::TOKEN_PROGRAM)?;
    token::initialize_mint2(&addresses::TOKEN_PROGRAM, a.pt_mint, jupiter::JLP_DECIMALS, key)?;
    Ok((vault_bump, pt_mint_bump))
}

/// An empty pool, a rate oracle without history, and nothing but dust in the vault.
#[inline(never)]
fn begin_books(market: &mut Market<&mut [u8; market::SIZE]>, pool: &Pool, now: u32) -> Result<(), SunderError> {
    let Pool { rate, moment, .. } = *pool;
    market.set_pool(pool);
    market.set_oracle(&create_oracle(now, rate, terms::CLAMP_PER_SECOND.into())?)?;
    market.set_standing(&Standing { since: now, low: rate, high: rate, low_before: rate, high_before: rate });
    market.set_fund_discount(moment.discount);
    market.set_vault_amount(SEED_DUST);
    Ok(())
}

/// Makes one of the arrays that a market's grid needs; anyone may. With the last one the market is active.
/// `BadParameter` for a number beyond the grid, `AlreadyInitialised`.
pub fn init_tick_array(
    work: &mut Workspace,
    a: &InitTickArrayAccounts,
    args: &InitTickArrayArguments,
) -> ProgramResult {
    let start = {
        let data = a.market.try_borrow_data()?;
        let market = Market::load(&data)?;
        if work.now >= market.maturity() {
            return Err(SunderError::Matured.into());
        }
        market.array_start(args.number.into()).map_err(|_| SunderError::BadParameter)?
    };
    let (key, start_seed) = (a.market.key(), start.to_le_bytes());
    let new = New::at(a.payer, a.tick_array, [seeds::TICK_ARRAY, key, &start_seed]);
    let bump = new.create(tick_array::SIZE, &addresses::PROGRAM)?;
    {
        let mut data = a.tick_array.try_borrow_mut_data()?;
        let mut array = TickArray::init(&mut data)?;
        array.set_bump(bump);
        array.set_market(*key);
        array.set_payer(*a.payer.key());
        array.set_start(start);
        let mut data = a.market.try_borrow_mut_data()?;
        let mut market = Market::load_mut(&mut data)?;
        market.set_tick_arrays(market.tick_arrays() | 1 << args.number);
        market.set_active(market.has_all_arrays()?);
    }
    about(work, a.market, market::EVENT_SEQUENCE)?;
    work.events.send(work.now, a.event_authority)
}

/// Ends an array of a market that has matured and has no liquidity left; its rent goes back to who created the market.
/// `NotMatured`, `NotEmpty`.
pub fn close_tick_array(work: &mut Workspace, a: &CloseTickArrayAccounts) -> ProgramResult {
    {
        let mut data = a.market.try_borrow_mut_data()?;
        let mut market = Market::load_mut(&mut data)?;
        if market.pool_tau_seconds() > 0 {
            return Err(SunderError::NotMatured.into());
        }
        let start = TickArray::load(&a.tick_array.try_borrow_data()?)?.start();
        let number = market.place_of(start)?.array;
        // Nothing is traded any more: only positions still need the arrays that they begin and end in.
        if market.initialised(number)? != 0 {
            return Err(SunderError::NotEmpty.into());
        }
        market.set_tick_arrays(market.tick_arrays() & !(1 << number));
        market.set_active(false);
    }
    a.tick_array.close_to(a.payer)?;
    about(work, a.market, market::EVENT_SEQUENCE)?;
    work.events.send(work.now, a.event_authority)
}

/// Pays the protocol's fees to the treasury; anyone may. What a deficit took of them it took when they were charged.
/// `ZeroAmount`.
pub fn collect_fees(work: &mut Workspace, a: &CollectFeesAccounts) -> ProgramResult {
    let treasury = {
        let data = a.config.try_borrow_data()?;
        Config::load(&data)?.treasury()
    };
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    let fees = core::mem::take(&mut book.fees);
    if fees == 0 {
        return Err(SunderError::ZeroAmount.into());
    }
    let mut wallet = Wallet::jlp(a.treasury_jlp, &treasury);
    book.pay(work, &mut wallet, -i128::from(fees))?;
    book.save(work)?;
    book.store(work)?;
    vault_pays(a.vault, a.treasury_jlp, a.market, fees)?;
    work.events.send(work.now, a.event_authority)
}

// ---- terms ----------------------------------------------------------------------------------------------------------------

/// Queues terms for 24 hours; what was queued before is forgotten. `Unauthorised`, `BadParameter`.
pub fn propose_terms(work: &mut Workspace, a: &ProposeTermsAccounts, args: &ProposeTermsArguments) -> ProgramResult {
    {
        let data = a.config.try_borrow_data()?;
        check_by(a.by, &[Config::load(&data)?.authority()])?;
    }
    terms::check(&args.terms)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.save(work)?;
    {
        let mut data = a.market.try_borrow_mut_data()?;
        let mut market = Market::load_mut(&mut data)?;
        market.set_queued_ready_at(work.now.saturating_add(QUEUE_SECONDS));
        terms::write_queued(&mut market, &args.terms);
    }
    work.events.terms_proposed(&TermsProposedRecord { market: *book.key() })?;
    finish(work, book, a.event_authority)
}

/// Applies terms that have waited; anyone may. `ZeroAmount` if there are none, `TooEarly`.
pub fn apply_terms(work: &mut Workspace, a: &ApplyTermsAccounts) -> ProgramResult {
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    {
        let mut data = a.market.try_borrow_mut_data()?;
        let mut market = Market::load_mut(&mut data)?;
        let ready_at = market.queued_ready_at();
        if ready_at == 0 {
            return Err(SunderError::ZeroAmount.into());
        }
        if work.now < ready_at {
            return Err(SunderError::TooEarly.into());
        }
        let queued: ChangeableTerms = terms::queued(&market);
        terms::write_changeable(&mut market, &queued);
        market.set_queued_ready_at(0);
    }
    book.save(work)?;
    work.events.terms_applied(&TermsAppliedRecord { market: *book.key() })?;
    finish(work, book, a.event_authority)
}

// ---- authority ------------------------------------------------------------------------------------------------------------

/// `Unauthorised` unless the signer is one of those who may.
fn check_by(by: &AccountInfo, allowed: &[Pubkey]) -> Result<(), SunderError> {
    if allowed.contains(by.key()) {
        Ok(())
    } else {
        Err(SunderError::Unauthorised)
    }
}

/// Stops new risk for 72 hours, not again within 24 hours of its end. Exits are never stopped. `Unauthorised`,
/// `PauseLimit`.
pub fn pause(work: &mut Workspace, a: &PauseAccounts) -> ProgramResult {
    let until = paused_until(a.by, a.config)?;
    if until > 0 && work.now < until.saturating_add(PAUSE_REST) {
        return Err(SunderError::PauseLimit.into());
    }
    set_paused(work, a.config, work.now.saturating_add(PAUSE_SECONDS))?;
    work.events.send(work.now, a.event_authority)
}

/// Ends a pause early. `Unauthorised`, `PauseLimit` if there is none.
pub fn unpause(work: &mut Workspace, a: &UnpauseAccounts) -> ProgramResult {
    if work.now >= paused_until(a.by, a.config)? {
        return Err(SunderError::PauseLimit.into());
    }
    set_paused(work, a.config, work.now)?;
    work.events.send(work.now, a.event_authority)
}

/// The end of the last pause, for those who may pause.
fn paused_until(by: &AccountInfo, config: &AccountInfo) -> Result<u32, SunderError> {
    let data = config.try_borrow_data()?;
    let config = Config::load(&data)?;
    check_by(by, &[config.authority(), config.pauser()])?;
    Ok(config.paused_until())
}

fn set_paused(work: &mut Workspace, config: &AccountInfo, until: u32) -> Result<(), SunderError> {
    {
        let mut data = config.try_borrow_mut_data()?;
        Config::load_mut(&mut data)?.set_paused_until(until);
    }
    work.events.paused(&PausedRecord { until })?;
    about(work, config, config::EVENT_SEQUENCE)
}

/// Replaces the pauser and the treasury. `Unauthorised`.
pub fn appoint(work: &mut Workspace, a: &AppointAccounts, args: &AppointArguments) -> ProgramResult {
    {
        let mut data = a.config.try_borrow_mut_data()?;
        let mut config = Config::load_mut(&mut data)?;
        check_by(a.by, &[config.authority()])?;
        config.set_pauser(args.pauser);
        config.set_treasury(args.treasury);
    }
    work.events.roles(&RolesRecord { pauser: args.pauser, treasury: args.treasury })?;
    about(work, a.config, config::EVENT_SEQUENCE)?;
    work.events.send(work.now, a.event_authority)
}

/// Copies the index into a market, which every other instruction about it does on its way.
pub fn catch_up(work: &mut Workspace, a: &CatchUpAccounts) -> ProgramResult {
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.save(work)?;
    finish(work, book, a.event_authority)
}

/// Proposes the next authority, or nobody. `Unauthorised`.
pub fn propose_authority(
    work: &mut Workspace,
    a: &ProposeAuthorityAccounts,
    args: &ProposeAuthorityArguments,
) -> ProgramResult {
    let authority = {
        let mut data = a.config.try_borrow_mut_data()?;
        let mut config = Config::load_mut(&mut data)?;
        check_by(a.by, &[config.authority()])?;
        config.set_next_authority(args.next);
        config.authority()
    };
    work.events.authority(&AuthorityRecord { authority, proposed: args.next })?;
    about(work, a.config, config::EVENT_SEQUENCE)?;
    work.events.send(work.now, a.event_authority)
}

/// Becomes the authority, if one was proposed and signs. `Unauthorised`.
pub fn accept_authority(work: &mut Workspace, a: &AcceptAuthorityAccounts) -> ProgramResult {
    let authority = *a.by.key();
    {
        let mut data = a.config.try_borrow_mut_data()?;
        let mut config = Config::load_mut(&mut data)?;
        if authority == NOBODY {
            return Err(SunderError::Unauthorised.into());
        }
        check_by(a.by, &[config.next_authority()])?;
        config.set_authority(authority);
        config.set_next_authority(NOBODY);
    }
    work.events.authority(&AuthorityRecord { authority, proposed: NOBODY })?;
    about(work, a.config, config::EVENT_SEQUENCE)?;
    work.events.send(work.now, a.event_authority)
}
