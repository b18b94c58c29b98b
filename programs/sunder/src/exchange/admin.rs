//! Creating, pausing, changing terms. Nothing here touches a balance, a price or an index at will.
use super::work::Workspace;
use crate::interface::{AcceptAuthorityAccounts, ApplyTermsAccounts, CloseTickArrayAccounts, CollectFeesAccounts, CreateMarketAccounts, CreateMarketArguments, InitConfigAccounts, InitConfigArguments, InitIndexAccounts, InitIndexArguments, InitTickArrayAccounts, InitTickArrayArguments, PauseAccounts, ProposeAuthorityAccounts, ProposeAuthorityArguments, ProposeTermsAccounts, ProposeTermsArguments, UnpauseAccounts, SunderError};
use crate::runtime::ProgramResult;

pub fn init_config(_: &mut Workspace, _: &InitConfigAccounts, _: &InitConfigArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn init_index(_: &mut Workspace, _: &InitIndexAccounts, _: &InitIndexArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn create_market(_: &mut Workspace, _: &CreateMarketAccounts, _: &CreateMarketArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn init_tick_array(_: &mut Workspace, _: &InitTickArrayAccounts, _: &InitTickArrayArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn close_tick_array(_: &mut Workspace, _: &CloseTickArrayAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn collect_fees(_: &mut Workspace, _: &CollectFeesAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn apply_terms(_: &mut Workspace, _: &ApplyTermsAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn propose_terms(_: &mut Workspace, _: &ProposeTermsAccounts, _: &ProposeTermsArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn pause(_: &mut Workspace, _: &PauseAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn unpause(_: &mut Workspace, _: &UnpauseAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn propose_authority(_: &mut Workspace, _: &ProposeAuthorityAccounts, _: &ProposeAuthorityArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn accept_authority(_: &mut Workspace, _: &AcceptAuthorityAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}
