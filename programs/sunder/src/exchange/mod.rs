//! The exchange: what each instruction does, in the order of the reference engine (`src/exchange`), refusal by refusal and record by
//! record. The accounts have been checked before (`interface`): what is here is about their contents.
#![forbid(unsafe_code)]
#![allow(dead_code)]

mod accounts;
mod admin;
mod book;
mod liquidate;
mod liquidity;
mod margin;
mod maturity;
mod swap;
mod time;
mod tokens;
mod trade;
mod work;

pub use accounts::{close_account, deposit, merge, open_account, redeem_pt, settle, split, transfer, unwrap, withdraw, wrap};
pub use admin::{
    accept_authority, apply_terms, close_tick_array, collect_fees, create_market, init_config, init_index,
    init_tick_array, pause, propose_authority, propose_terms, unpause,
};
pub use liquidate::{liquidate, reduce_fund, take_over};
pub use liquidity::{add_liquidity, close_position, collect, open_position, remove_liquidity};
pub use time::{accrue, finalise, sync_st};
pub use trade::{buy_pt, roll, sell_pt, trade};
pub use work::Workspace;
