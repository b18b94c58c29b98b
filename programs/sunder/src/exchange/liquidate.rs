//! Liquidation, take-over and losses (docs/protocol.md section 7).
use super::work::Workspace;
use crate::interface::{LiquidateAccounts, LiquidateArguments, ReduceFundAccounts, ReduceFundArguments, TakeOverAccounts, SunderError};
use crate::runtime::ProgramResult;

pub fn liquidate(_: &mut Workspace, _: &LiquidateAccounts, _: &LiquidateArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn take_over(_: &mut Workspace, _: &TakeOverAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn reduce_fund(_: &mut Workspace, _: &ReduceFundAccounts, _: &ReduceFundArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}
