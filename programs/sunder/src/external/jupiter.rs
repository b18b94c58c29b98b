//! Jupiter's pool account as the source of coupons: what it must be, and what was earned between two readings of it
//! (docs/protocol.md section 4). Anything unexpected refuses the step; nothing is ever extrapolated. The same as
//! src/oracle/source.ts, refusal by refusal.
use super::{bytes_at, u64_at};
use crate::math::accrual::{Earned, IndexKind, RateIndex, HOUR_SECONDS};
use crate::math::fixed::{div_small_down, mul_div_down};
use crate::math::units::YEAR_SECONDS;
use crate::math::MathError;
use crate::runtime::{AccountInfo, Pubkey};
use crate::SunderError;

/// The one pool there is: 5BUwFW4nRbftYTDMbgxykoFWqWHPzahFSNAaaaJtVKsq
pub const POOL: Pubkey = [
    62, 30, 36, 115, 199, 52, 6, 84, 235, 135, 41, 0, 53, 21, 28, 64, 43, 208, 227, 201, 124, 180, 36, 72, 134, 231,
    32, 52, 179, 11, 77, 252,
];
/// PERPHjGBqRHArX4DySjwM6UJHiR3sWAatqfdBS2qQJu
pub const PERPETUALS_PROGRAM: Pubkey = [
    5, 177, 243, 202, 241, 148, 98, 239, 135, 96, 240, 171, 222, 117, 205, 61, 158, 227, 27, 58, 50, 198, 32, 232, 148,
    18, 46, 156, 155, 129, 69, 250,
];
/// A mint of SPL Token, 6 decimals: 27G8MtK7VtTcCHkpASjSDdkWWYfoqT6ggEuKidVJidD4
pub const JLP_MINT: Pubkey = [
    16, 118, 70, 156, 16, 65, 217, 233, 179, 159, 194, 237, 225, 19, 51, 151, 59, 62, 149, 115, 42, 68, 57, 32, 113,
    147, 166, 28, 196, 16, 141, 67,
];
pub const JLP_DECIMALS: u8 = 6;

// ---- the account ----------------------------------------------------------------------------------------------------

/// Upgrades append fields inside this length.
pub const POOL_SIZE: usize = 2000;
/// sha256("account:Pool")[..8], then its name, a string of four bytes: the seed of its address, so that it never
/// changes.
const HEAD: [u8; 16] = [241, 154, 109, 4, 17, 177, 109, 188, 4, 0, 0, 0, b'P', b'o', b'o', b'l'];
/// How many custodies, and then that many addresses of 32 bytes: the only part whose length changes.
const CUSTODIES_AT: usize = HEAD.len();

/// Fields behind the custodies, from there.
mod at {
    pub const AUM_USD: usize = 0;
    /// The limits have 40 bytes; this is the last of nine fees.
    pub const PROTOCOL_SHARE_BPS: usize = 120;
    pub const LAST_UPDATED: usize = 128;
    pub const FEE_APR_BPS: usize = 136;
    pub const REALIZED_FEE_USD: usize = 144;
    pub const MAX_REQUEST_EXECUTION_SEC: usize = 152;
    pub const BUMP: usize = 160;
    pub const LP_TOKEN_BUMP: usize = 161;
    pub const INCEPTION_TIME: usize = 162;
    /// Behind a public key of 33 bytes.
    pub const AUM_USD_UPDATED_AT: usize = 203;
    pub const DISABLE_CLOSE_POSITION_REQUEST: usize = 219;
    pub const END: usize = 236;
}
type Fields = [u8; at::END];

/// Canaries of the layout: constants of the one pool there is (slot 450101361, 24 September 2026).
pub const POOL_BUMP: u8 = 252;
pub const LP_TOKEN_BUMP: u8 = 254;
pub const INCEPTION_TIME: i64 = 1_689_677_832;

/// What of the account a coupon is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolReading {
    /// 10^-6 USD.
    pub aum_usd: u128,
    /// Unix seconds.
    pub aum_usd_updated_at: i64,
    /// Jupiter's weekly update, unix seconds; never negative.
    pub last_updated: i64,
    pub fee_apr_bps: u64,
    /// Fees distributed to the pool since `last_updated`, 10^-6 USD.
    pub realized_fee_usd: u64,
    pub bump: u8,
    pub lp_token_bump: u8,
    pub inception_time: i64,
}

/// Reads the pool. `WrongAddress`, `WrongOwner`; `BadSource` if its bytes are not a pool's.
#[inline(never)]
pub fn read(account: &AccountInfo) -> Result<PoolReading, SunderError> {
    check_account(account)?;
    parse(&account.try_borrow_data()?)
}

/// When Jupiter last published a weekly figure, unix seconds: what tells whether a weekly coupon is due. Errors as of
/// `read`, and `BadSource` also where a canary of the layout is wrong.
#[inline(never)]
pub fn last_updated(account: &AccountInfo) -> Result<u32, SunderError> {
    last_updated_of(&read(account)?)
}

/// `last_updated` of a reading, if that is of Jupiter's pool. `BadSource`.
pub fn last_updated_of(reading: &PoolReading) -> Result<u32, SunderError> {
    check_canaries(reading)?;
    Ok(cursor_of(reading)?.last_updated)
}

/// The reading of the account's bytes. `BadSource` for anything that the program cannot have written; the custodies are
/// passed over.
pub fn parse(data: &[u8]) -> Result<PoolReading, SunderError> {
    let fields = fields_of(data)?;
    let reading = PoolReading {
        aum_usd: u128::from_le_bytes(*bytes_at(fields, at::AUM_USD).ok_or(SunderError::BadSource)?),
        aum_usd_updated_at: signed_at(fields, at::AUM_USD_UPDATED_AT)?,
        last_updated: signed_at(fields, at::LAST_UPDATED)?,
        fee_apr_bps: unsigned_at(fields, at::FEE_APR_BPS)?,
        realized_fee_usd: unsigned_at(fields, at::REALIZED_FEE_USD)?,
        bump: fields[at::BUMP],
        lp_token_bump: fields[at::LP_TOKEN_BUMP],
        inception_time: signed_at(fields, at::INCEPTION_TIME)?,
    };
    let negative = reading.last_updated < 0
        || reading.aum_usd_updated_at < 0
        || reading.inception_time < 0
        || signed_at(fields, at::MAX_REQUEST_EXECUTION_SEC)? < 0;
    if negative
        || unsigned_at(fields, at::PROTOCOL_SHARE_BPS)? > 10_000
        || fields[at::DISABLE_CLOSE_POSITION_REQUEST] > 1
    {
        return Err(SunderError::BadSource);
    }
    Ok(reading)
}

fn check_account(account: &AccountInfo) -> Result<(), SunderError> {
    if *account.key() != POOL {
        return Err(SunderError::WrongAddress);
    }
    if !account.is_owned_by(&PERPETUALS_PROGRAM) {
        return Err(SunderError::WrongOwner);
    }
    Ok(())
}

/// What lies behind the custodies, however many there are.
#[inline(always)]
fn fields_of(data: &[u8]) -> Result<&Fields, SunderError> {
    if data.len() != POOL_SIZE || bytes_at(data, 0) != Some(&HEAD) {
        return Err(SunderError::BadSource);
    }
    let count = u32::from_le_bytes(*bytes_at(data, CUSTODIES_AT).ok_or(SunderError::BadSource)?);
    // A count that is too large for the account leaves no room for the fields.
    let start = u64::from(count) * 32 + CUSTODIES_AT as u64 + 4;
    usize::try_from(start).ok().and_then(|start| bytes_at(data, start)).ok_or(SunderError::BadSource)
}

#[inline(always)]
fn unsigned_at(fields: &Fields, at: usize) -> Result<u64, SunderError> {
    u64_at(fields, at).ok_or(SunderError::BadSource)
}

#[inline(always)]
fn signed_at(fields: &Fields, at: usize) -> Result<i64, SunderError> {
    Ok(unsigned_at(fields, at)? as i64)
}

#[inline(always)]
fn check_canaries(reading: &PoolReading) -> Result<(), SunderError> {
    let PoolReading { bump, lp_token_bump, inception_time, .. } = *reading;
    if bump != POOL_BUMP || lp_token_bump != LP_TOKEN_BUMP || inception_time != INCEPTION_TIME {
        return Err(SunderError::BadSource);
    }
    Ok(())
}

// ---- the source -----------------------------------------------------------------------------------------------------

/// Bounds on time of a coupon kind, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceTerms {
    /// After the hour, before its distribution is read.
    pub settling_delay: u32,
    /// Of the oldest AUM that is accepted.
    pub max_aum_age: u32,
    /// Without a step for this long after the coupon was due the market is reduce-only.
    pub reduce_only_after: u32,
}

pub const HOURLY_TERMS: SourceTerms =
    SourceTerms { settling_delay: 300, max_aum_age: 600, reduce_only_after: 2 * HOUR_SECONDS };
pub const WEEKLY_TERMS: SourceTerms =
    SourceTerms { settling_delay: 0, max_aum_age: 3600, reduce_only_after: 8 * 86_400 };

pub const fn terms_of(kind: IndexKind) -> SourceTerms {
    match kind {
        IndexKind::Hourly => HOURLY_TERMS,
        IndexKind::Weekly => WEEKLY_TERMS,
    }
}

/// `aum` of a weekly step, whose `fees` are APR bp times seconds.
pub const WEEKLY_AUM: u64 = 10_000 * YEAR_SECONDS as u64;
/// How far Jupiter's clock may be ahead of what it is compared with, seconds.
const AHEAD: i64 = 60;

/// What an index remembers of the last reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Unix seconds.
    pub last_updated: u32,
    /// 10^-6 USD.
    pub realized_fee_usd: u64,
}

/// Whether this is Jupiter's pool, with a fresh AUM, at `now` (unix seconds). `BadSource`: its layout may have changed;
/// `StaleSource`: the pool has to be refreshed first.
pub fn check_source(reading: &PoolReading, now: u32, kind: IndexKind) -> Result<(), SunderError> {
    check_canaries(reading)?;
    if reading.aum_usd == 0 {
        return Err(SunderError::BadSource);
    }
    let now = i64::from(now);
    let age = now.saturating_sub(reading.aum_usd_updated_at);
    if age > i64::from(terms_of(kind).max_aum_age) || age < -AHEAD {
        return Err(SunderError::StaleSource);
    }
    if reading.last_updated > now {
        return Err(SunderError::BadSource);
    }
    Ok(())
}

/// Where an index stands after this reading. `BadSource` for a time outside 32 bits, which `check_source` refuses too.
pub fn cursor_of(reading: &PoolReading) -> Result<Cursor, SunderError> {
    let last_updated = u32::try_from(reading.last_updated).map_err(|_| SunderError::BadSource)?;
    Ok(Cursor { last_updated, realized_fee_usd: reading.realized_fee_usd })
}

/// The part of a finished week that was not seen, 10^-6 USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remainder {
    /// By Jupiter's own figure, before the clamp: may be below 0.
    pub figured: i128,
    /// Clamped to [0, 3 mean hours].
    pub paid: u64,
}

/// What a reading earned, and across a weekly update how far Jupiter's own figure was from what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub earned: Earned,
    pub cursor: Cursor,
    /// Hourly, across a weekly update.
    pub remainder: Option<Remainder>,
}

/// An hourly reading at `now`, at least the settling delay after a full hour: the increase of `realized_fee_usd`. When
/// the weekly update lies between, the finished week's total follows from its published APR (`apr = realized * year *
/// 10^4 / (aum * seconds)`, rounded down by Jupiter); the part of it that was not seen is clamped to [0, 3 mean hours].
///
/// Errors of `check_source`; `TooEarly` before a further hour has settled; `BadSource` if realised fees fell without a
/// weekly update, if that went back in time, or for fees or an AUM of more than 64 bits.
#[inline(never)]
pub fn read_hourly(
    index: &RateIndex,
    cursor: &Cursor,
    reading: &PoolReading,
    now: u32,
) -> Result<Reading, SunderError> {
    check_source(reading, now, IndexKind::Hourly)?;
    let settled = now.checked_sub(HOURLY_TERMS.settling_delay).ok_or(SunderError::TooEarly)?;
    let to = settled - settled % HOUR_SECONDS;
    if to <= index.last_step {
        return Err(SunderError::TooEarly);
    }
    let next = cursor_of(reading)?;
    let aum = u64::try_from(reading.aum_usd).map_err(|_| SunderError::BadSource)?;
    if next.last_updated < cursor.last_updated {
        return Err(SunderError::BadSource);
    }
    if next.last_updated == cursor.last_updated {
        let fees = next.realized_fee_usd.checked_sub(cursor.realized_fee_usd).ok_or(SunderError::BadSource)?;
        return Ok(Reading { earned: Earned { to, fees, aum }, cursor: next, remainder: None });
    }
    let remainder = remainder_of(index.last_step, cursor, reading, aum, next.last_updated - cursor.last_updated)?;
    let fees = remainder.paid.checked_add(next.realized_fee_usd).ok_or(SunderError::BadSource)?;
    Ok(Reading { earned: Earned { to, fees, aum }, cursor: next, remainder: Some(remainder) })
}

/// What of the finished week, `seconds` long, was not seen. `BadSource` if what is paid of it has more than 64 bits.
#[inline(always)]
fn remainder_of(
    last_step: u32,
    cursor: &Cursor,
    reading: &PoolReading,
    aum: u64,
    seconds: u32,
) -> Result<Remainder, SunderError> {
    // 64 by 64 by 32 bits, over 38 bits: below 2^123.
    let product = u128::from(reading.fee_apr_bps) * u128::from(aum);
    let total = mul_div_down(product, u128::from(seconds), u128::from(WEEKLY_AUM)).map_err(arithmetic)?;
    let figured = total as i128 - i128::from(cursor.realized_fee_usd);
    let seen = last_step.saturating_sub(cursor.last_updated).max(HOUR_SECONDS);
    let three_hours = u128::from(cursor.realized_fee_usd) * u128::from(3 * HOUR_SECONDS);
    let most = div_small_down(three_hours, u64::from(seen)).map_err(arithmetic)?;
    let paid = u128::try_from(figured).unwrap_or(0).min(most);
    Ok(Remainder { figured, paid: u64::try_from(paid).map_err(|_| SunderError::BadSource)? })
}

/// No reading leads here: the products above fit.
#[cold]
fn arithmetic(_: MathError) -> SunderError {
    SunderError::Arithmetic
}

/// A weekly reading: due when `last_updated` has moved; the yield is the published APR over the time it is for.
/// Errors of `check_source`; `TooEarly` while no new figure is published; `BadSource` for one of more than 64 bits.
#[inline(never)]
pub fn read_weekly(cursor: &Cursor, reading: &PoolReading, now: u32) -> Result<Reading, SunderError> {
    check_source(reading, now, IndexKind::Weekly)?;
    let next = cursor_of(reading)?;
    if next.last_updated <= cursor.last_updated {
        return Err(SunderError::TooEarly);
    }
    let seconds = u64::from(next.last_updated - cursor.last_updated);
    let fees = reading.fee_apr_bps.checked_mul(seconds).ok_or(SunderError::BadSource)?;
    Ok(Reading { earned: Earned { to: next.last_updated, fees, aum: WEEKLY_AUM }, cursor: next, remainder: None })
}

// ---- freshness ------------------------------------------------------------------------------------------------------

/// May a market trade now?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    Fresh,
    /// An accrual has to come first.
    CouponDue,
    /// No data for too long; exits stay open.
    ReduceOnly,
}

/// Freshness at `now` of an index whose coupons are paid up to `last_step`, given Jupiter's present `last_updated`
/// (which an hourly one does not need: 0 will do). Unix seconds.
pub fn freshness(kind: IndexKind, last_step: u32, jupiter_last_updated: u32, now: u32) -> Freshness {
    let terms = terms_of(kind);
    let (now, last, limit) = (u64::from(now), u64::from(last_step), u64::from(terms.reduce_only_after));
    match kind {
        IndexKind::Hourly => {
            let due_at = last + u64::from(HOUR_SECONDS + terms.settling_delay);
            if now < due_at {
                Freshness::Fresh
            } else if now < due_at + limit {
                Freshness::CouponDue
            } else {
                Freshness::ReduceOnly
            }
        }
        // A coupon that is published but that nobody can pay does not keep exits closed for ever: only for as long
        // again.
        IndexKind::Weekly if jupiter_last_updated > last_step && now < last + 2 * limit => Freshness::CouponDue,
        IndexKind::Weekly if now >= last + limit => Freshness::ReduceOnly,
        IndexKind::Weekly => Freshness::Fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{with_one, Given};
    use super::*;
    use crate::math::accrual::create_index;
    use crate::math::fixed::ONE_Q64;

    const MONDAY: u32 = 1_725_235_200; // a full hour
    const WEEK: u32 = 604_800;
    const AUM: u64 = 700_000_000_000_000;

    fn index(kind: IndexKind) -> RateIndex {
        create_index(kind, (ONE_Q64 / 2000, ONE_Q64 / 40), MONDAY, ONE_Q64).unwrap()
    }

    fn pool(last_updated: u32, fee_apr_bps: u64, realized_fee_usd: u64, now: u32) -> PoolReading {
        PoolReading {
            aum_usd: AUM.into(),
            aum_usd_updated_at: now.into(),
            last_updated: last_updated.into(),
            fee_apr_bps,
            realized_fee_usd,
            bump: 252,
            lp_token_bump: 254,
            inception_time: 1_689_677_832,
        }
    }

    /// The account with this many custodies, each field a number of its own.
    fn account(custodies: u32) -> Vec<u8> {
        let mut data = HEAD.to_vec();
        data.extend(custodies.to_le_bytes());
        for i in 0..custodies {
            data.extend([i as u8; 32]);
        }
        data.extend(u128::from(AUM).to_le_bytes());
        data.extend([11; 40]); // limits
        data.extend([12; 64]); // fees
        data.extend(2500u64.to_le_bytes()); // of them the protocol's share
        for number in [1_789_779_600, 850, 1_397_286_742_229, 45u64] {
            data.extend(number.to_le_bytes());
        }
        data.extend([252, 254]);
        data.extend(1_689_677_832u64.to_le_bytes());
        data.extend([13; 33]); // a key
        data.extend(1_790_272_211u64.to_le_bytes());
        data.extend([14; 8]);
        data.push(1); // a bool
        data.extend([15; 16]);
        data.resize(POOL_SIZE, 0);
        data
    }

    #[test]
    fn the_fields_are_found_behind_any_number_of_custodies() {
        let expected = PoolReading {
            aum_usd: AUM.into(),
            aum_usd_updated_at: 1_790_272_211,
            last_updated: 1_789_779_600,
            fee_apr_bps: 850,
            realized_fee_usd: 1_397_286_742_229,
            bump: 252,
            lp_token_bump: 254,
            inception_time: 1_689_677_832,
        };
        for count in 0..=54 {
            assert_eq!(parse(&account(count)), Ok(expected));
            assert_eq!(parse(&account(count)).and_then(|reading| last_updated_of(&reading)), Ok(1_789_779_600));
        }
        let changed = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut data = account(6);
            change(&mut data);
            parse(&data)
        };
        let bad = Err(SunderError::BadSource);
        for count in [55u32, 62, 63, 1 << 27, u32::MAX] {
            assert_eq!(changed(&|data| data[16..20].copy_from_slice(&count.to_le_bytes())), bad);
        }
        for at in 0..16 {
            assert_eq!(changed(&|data| data[at] ^= 1), bad);
        }
        assert_eq!(changed(&|data| data.truncate(1999)), bad);
        assert_eq!(changed(&|data| data.push(0)), bad);
        assert_eq!(changed(&|data| data.clear()), bad);
        let base = 20 + 6 * 32;
        for (at, value) in [(127, 1), (135, 128), (159, 128), (169, 128), (210, 128), (219, 2)] {
            assert_eq!(changed(&|data| data[base + at] = value), bad, "{at}");
        }
        let share = |bps: u64| changed(&|data| data[base + 120..base + 128].copy_from_slice(&bps.to_le_bytes()));
        assert_eq!((share(10_000), share(10_001)), (Ok(expected), bad));
    }

    #[test]
    fn only_jupiters_account_at_its_address_is_read() {
        let data = account(6);
        let given = Given { key: POOL, owner: PERPETUALS_PROGRAM, data: &data, ..Given::default() };
        let both = |given: Given| with_one(given, |account| [read(account).err(), last_updated(account).err()]);
        assert_eq!(both(given), [None, None]);
        assert_eq!(both(Given { key: [5; 32], ..given }), [Some(SunderError::WrongAddress); 2]);
        assert_eq!(both(Given { owner: [5; 32], ..given }), [Some(SunderError::WrongOwner); 2]);
        assert_eq!(both(Given { data: &[], ..given }), [Some(SunderError::BadSource); 2]);
        let mut other = account(6);
        other[20 + 6 * 32 + 160] = 251;
        assert_eq!(both(Given { data: &other, ..given }), [None, Some(SunderError::BadSource)]);
    }

    #[test]
    fn a_source_is_known_by_its_canaries_and_fresh_to_the_second() {
        let check = |change: &dyn Fn(&mut PoolReading), now| {
            let mut reading = pool(MONDAY, 3000, 0, MONDAY);
            change(&mut reading);
            check_source(&reading, now, IndexKind::Hourly)
        };
        let (bad, stale) = (Err(SunderError::BadSource), Err(SunderError::StaleSource));
        assert_eq!(check(&|_| (), MONDAY), Ok(()));
        assert_eq!(check(&|reading| reading.bump = 251, MONDAY), bad);
        assert_eq!(check(&|reading| reading.lp_token_bump = 255, MONDAY), bad);
        assert_eq!(check(&|reading| reading.inception_time = 1, MONDAY), bad);
        assert_eq!(check(&|reading| reading.aum_usd = 0, MONDAY), bad);
        assert_eq!(check(&|_| (), MONDAY + 600), Ok(()));
        assert_eq!(check(&|_| (), MONDAY + 601), stale);
        assert_eq!(check(&|reading| reading.aum_usd_updated_at += 60, MONDAY), Ok(()));
        assert_eq!(check(&|reading| reading.aum_usd_updated_at += 61, MONDAY), stale);
        assert_eq!(check(&|reading| reading.aum_usd_updated_at = i64::MIN, MONDAY), stale);
        assert_eq!(check(&|reading| reading.last_updated += 1, MONDAY), bad);
    }

    #[test]
    fn an_hour_is_the_increase_of_the_realised_fees() {
        let (index, now) = (index(IndexKind::Hourly), MONDAY + HOUR_SECONDS + 300);
        let week = MONDAY - WEEK / 2;
        let cursor = Cursor { last_updated: week, realized_fee_usd: 5_000_000_000 };
        let step = read_hourly(&index, &cursor, &pool(week, 3000, 5_040_000_000, now), now).unwrap();
        assert_eq!(step.earned, Earned { to: MONDAY + HOUR_SECONDS, fees: 40_000_000, aum: AUM });
        assert_eq!(step.cursor, Cursor { last_updated: week, realized_fee_usd: 5_040_000_000 });
        let refused = |reading: PoolReading, now| read_hourly(&index, &cursor, &reading, now).err();
        assert_eq!(refused(pool(week, 3000, 5_040_000_000, now - 1), now - 1), Some(SunderError::TooEarly));
        assert_eq!(refused(pool(week, 3000, 4_999_999_999, now), now), Some(SunderError::BadSource));
        assert_eq!(refused(pool(week - 1, 3000, 6_000_000_000, now), now), Some(SunderError::BadSource));
    }

    #[test]
    fn what_was_not_seen_of_a_week_is_at_most_three_mean_hours() {
        let (index, now) = (index(IndexKind::Hourly), MONDAY + 2 * HOUR_SECONDS);
        let cursor = Cursor { last_updated: MONDAY - WEEK + HOUR_SECONDS, realized_fee_usd: 3_000_000_000_000 };
        let across = |apr| {
            let reading = pool(MONDAY + HOUR_SECONDS, apr, 15_000_000, now);
            let step = read_hourly(&index, &cursor, &reading, now).unwrap();
            assert_eq!(step.earned.fees, step.remainder.unwrap().paid + 15_000_000);
            step.remainder.unwrap()
        };
        let most = 3_000_000_000_000 * 10_800 / u64::from(WEEK - HOUR_SECONDS);
        assert!(across(9000).figured > most.into() && across(9000).paid == most);
        assert!(across(1).figured < 0 && across(1).paid == 0);
        let published = 3_010_000_000_000u128 * u128::from(WEEKLY_AUM) / (u128::from(AUM) * u128::from(WEEK));
        let near = across(published as u64);
        assert!(near.figured > 9_000_000_000 && near.figured <= 10_000_000_000 && near.paid as i128 == near.figured);
    }

    #[test]
    fn what_a_week_paid_has_64_bits() {
        let (index, now) = (index(IndexKind::Hourly), MONDAY + 2 * HOUR_SECONDS);
        let across = |before, realized| {
            // A week that began an hour before the last step, so that three mean hours are three times what was seen.
            let cursor = Cursor { last_updated: MONDAY - HOUR_SECONDS, realized_fee_usd: before };
            let reading = pool(MONDAY + HOUR_SECONDS, u64::MAX, realized, now);
            read_hourly(&index, &cursor, &reading, now).map(|step| step.earned.fees)
        };
        let third = u64::MAX / 3;
        assert_eq!(across(third, 0), Ok(u64::MAX));
        assert_eq!(across(third, 1), Err(SunderError::BadSource));
        assert_eq!(across(third + 1, 0), Err(SunderError::BadSource));
        assert_eq!(across(1, u64::MAX - 3), Ok(u64::MAX));
        assert_eq!(across(1, u64::MAX - 2), Err(SunderError::BadSource));
    }

    #[test]
    fn a_week_is_what_jupiter_publishes() {
        let cursor = Cursor { last_updated: MONDAY, realized_fee_usd: 0 };
        let (to, now) = (MONDAY + 605_701, MONDAY + 605_761);
        let step = read_weekly(&cursor, &pool(to, 969, 7, now), now).unwrap();
        assert_eq!(step.earned, Earned { to, fees: 969 * 605_701, aum: WEEKLY_AUM });
        let refused = |apr, cursor| read_weekly(&cursor, &pool(to, apr, 0, now), now).err();
        assert_eq!(refused(969, step.cursor), Some(SunderError::TooEarly));
        assert_eq!(refused(u64::MAX, cursor), Some(SunderError::BadSource));
    }

    #[test]
    fn no_reading_overflows() {
        let edges = [0, 1, u64::from(u32::MAX), u64::MAX / 3, u64::MAX - 1, u64::MAX];
        let now = u32::MAX;
        for apr in edges {
            for realized in edges {
                for before in edges {
                    for since in [0, 1, MONDAY, now] {
                        let reading = PoolReading { aum_usd: u64::MAX.into(), ..pool(now, apr, realized, now) };
                        let cursor = Cursor { last_updated: since, realized_fee_usd: before };
                        let _ = read_hourly(&index(IndexKind::Hourly), &cursor, &reading, now);
                        let _ = read_weekly(&cursor, &reading, now);
                    }
                }
            }
        }
        for kind in [IndexKind::Hourly, IndexKind::Weekly] {
            assert_eq!(freshness(kind, u32::MAX, u32::MAX, u32::MAX), Freshness::Fresh);
            assert_eq!(freshness(kind, 0, 0, u32::MAX), Freshness::ReduceOnly);
        }
    }

    #[test]
    fn freshness_changes_to_the_second() {
        let hourly = |now| freshness(IndexKind::Hourly, MONDAY, 0, MONDAY + now);
        assert_eq!(hourly(3600 + 299), Freshness::Fresh);
        assert_eq!(hourly(3600 + 300), Freshness::CouponDue);
        assert_eq!(hourly(3 * 3600 + 299), Freshness::CouponDue);
        assert_eq!(hourly(3 * 3600 + 300), Freshness::ReduceOnly);
        let weekly = |published, after| freshness(IndexKind::Weekly, MONDAY, MONDAY + published, MONDAY + after);
        assert_eq!(weekly(0, WEEK), Freshness::Fresh);
        assert_eq!(weekly(WEEK, WEEK), Freshness::CouponDue);
        assert_eq!(weekly(0, 8 * 86_400 - 1), Freshness::Fresh);
        assert_eq!(weekly(0, 8 * 86_400), Freshness::ReduceOnly);
        assert_eq!(weekly(1, 16 * 86_400 - 1), Freshness::CouponDue);
        assert_eq!(weekly(1, 16 * 86_400), Freshness::ReduceOnly);
    }
}
