//! What other programs may ask: a price that no trade of the same transaction moves.
use super::book::Book;
use super::work::Workspace;
use crate::interface::{PtPriceAccounts, SunderError};
use crate::math::fixed::mul_q64;
use crate::math::rate::pt_price as pt_in_st;
use crate::runtime::{set_return_data, ProgramResult};

/// JLP per PT, the rate, JLP per ST, seconds to maturity, the deficit.
const ANSWER_BYTES: usize = 3 * 16 + 4 + 8;

/// The price of PT at the time-weighted rate and at the discount that is paid up to now; down, as whoever lends on PT wants it.
/// `Matured`, `NotActive`, `NoLiquidity`, `HistoryShort`, `CouponDue`, `ReduceOnly`.
pub fn pt_price(work: &mut Workspace, a: &PtPriceAccounts) -> ProgramResult {
    let mut place = None;
    // Caught up in memory alone: nothing is stored.
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_running()?;
    if work.now >= book.maturity {
        return Err(SunderError::Matured.into());
    }
    if !book.active {
        return Err(SunderError::NotActive.into());
    }
    book.check_history(work.now)?;
    if book.pool.liquidity == 0 {
        return Err(SunderError::NoLiquidity.into()); // a rate that nobody stands for is no price
    }
    book.check_fresh(work, a.jupiter_pool)?;
    let rate = book.twap()?;
    let moment = &book.pool.moment;
    let price = mul_q64(pt_in_st(rate, moment.tau)?, moment.discount)?;
    let mut answer = [0; ANSWER_BYTES];
    answer[..16].copy_from_slice(&price.to_le_bytes());
    answer[16..32].copy_from_slice(&rate.to_le_bytes());
    answer[32..48].copy_from_slice(&moment.discount.to_le_bytes());
    answer[48..52].copy_from_slice(&moment.tau.to_le_bytes());
    answer[52..].copy_from_slice(&book.pool.deficit.to_le_bytes());
    set_return_data(&answer);
    Ok(())
}
