//! The arithmetic of the program: integers only, the same bits as the TypeScript kernel (docs/kernel.md).
//!
//! Nothing here knows of accounts, tokens or clocks. Every function that can be given an impossible
//! argument returns a `MathError`; none panics.

pub mod account;
pub mod accrual;
pub mod error;
pub mod fee;
pub mod fixed;
pub mod inverse;
pub mod liquidity;
pub mod margin;
pub mod phi_table;
pub mod pool;
pub mod quote;
pub mod rate;
pub mod swap;
pub mod twap;
pub mod units;

pub use error::MathError;
