//! Liquidity positions: owners, age, payment in kind or by zap, and what a deficit withholds.
use super::work::Workspace;
use crate::interface::{AddLiquidityAccounts, AddLiquidityArguments, ClosePositionAccounts, CollectAccounts, OpenPositionAccounts, OpenPositionArguments, RemoveLiquidityAccounts, RemoveLiquidityArguments, SunderError};
use crate::runtime::ProgramResult;

pub fn open_position(_: &mut Workspace, _: &OpenPositionAccounts, _: &OpenPositionArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn close_position(_: &mut Workspace, _: &ClosePositionAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn add_liquidity(_: &mut Workspace, _: &AddLiquidityAccounts, _: &AddLiquidityArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn remove_liquidity(_: &mut Workspace, _: &RemoveLiquidityAccounts, _: &RemoveLiquidityArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn collect(_: &mut Workspace, _: &CollectAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}
