//! Coupons: what Jupiter's pool earned becomes a fall of the discount.
use super::work::Workspace;
use crate::interface::{AccrueAccounts, FinaliseAccounts, FinaliseArguments, SyncStAccounts, SunderError};
use crate::runtime::ProgramResult;

pub fn accrue(_: &mut Workspace, _: &AccrueAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn finalise(_: &mut Workspace, _: &FinaliseAccounts, _: &FinaliseArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn sync_st(_: &mut Workspace, _: &SyncStAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}
