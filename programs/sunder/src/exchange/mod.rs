//! The exchange: what each instruction does, in the order of the reference engine (`src/exchange`), refusal by refusal and record by
//! record. The accounts have been checked before (`interface`): what is here is about their contents.
#![forbid(unsafe_code)]

mod accounts;
mod admin;
mod book;
mod calendar;
mod claims;
mod create;
mod liquidate;
mod liquidity;
mod margin;
mod maturity;
mod orders;
mod price;
mod swap;
mod terms;
mod time;
mod tokens;
mod trade;
mod work;

pub use accounts::{close_account, deposit, open_account, settle, transfer, withdraw};
pub use admin::{
    accept_authority, apply_terms, catch_up, close_tick_array, collect_fees, create_market, init_config, init_index,
    init_tick_array, pause, propose_authority, propose_terms, appoint, unpause,
};
pub use claims::{merge, redeem_pt, split, unwrap, wrap};
pub use liquidate::{liquidate, reduce_fund, take_over};
pub use liquidity::{add_liquidity, close_position, collect, open_position, remove_liquidity};
pub use orders::{cancel_order, expire_order, fill_order, place_order};
pub use price::pt_price;
pub use time::{accrue, finalise, sync_st};
pub use trade::{buy_pt, roll, sell_pt, trade};
pub use work::Workspace;
