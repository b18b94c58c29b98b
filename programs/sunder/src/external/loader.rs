//! The upgradeable loader: who may replace the program, and so who may set it up.
use super::bytes_at;
use crate::runtime::{find_program_address, AccountInfo, Pubkey};
use crate::SunderError;

/// BPFLoaderUpgradeab1e11111111111111111111111
pub const PROGRAM_ID: Pubkey = [
    2, 168, 246, 145, 78, 136, 161, 176, 226, 16, 21, 62, 247, 99, 174, 43, 0, 194, 185, 61, 22, 193, 36, 210, 192, 83,
    122, 16, 4, 128, 0, 0,
];

/// An account of the loader that holds a program: its kind as a u32, the slot of the last deployment, and then the
/// authority.
const PROGRAM_DATA: [u8; 4] = [3, 0, 0, 0];
/// 1 if there is an authority; its key follows.
const HAS_AUTHORITY_AT: usize = 12;
const AUTHORITY_AT: usize = 13;

/// Who may upgrade `program_id`, read from its ProgramData account; None: nobody any more. `WrongAddress` if the
/// account is not the one that the loader derives for the program, `WrongOwner`, `WrongDiscriminator`, `WrongLength`.
/// Hashes to find the address: 1,500 compute units a try, so for instructions that run once.
pub fn upgrade_authority(program_data: &AccountInfo, program_id: &Pubkey) -> Result<Option<Pubkey>, SunderError> {
    let (address, _) = find_program_address(&[program_id.as_slice()], &PROGRAM_ID)?;
    if *program_data.key() != address {
        return Err(SunderError::WrongAddress);
    }
    if !program_data.is_owned_by(&PROGRAM_ID) {
        return Err(SunderError::WrongOwner);
    }
    authority_of(&program_data.try_borrow_data()?)
}

/// That `signer` may upgrade `program_id`, and signed. `Unauthorised`, `MissingSigner`, and the errors of
/// `upgrade_authority`.
pub fn check_upgrade_authority(
    program_data: &AccountInfo,
    program_id: &Pubkey,
    signer: &AccountInfo,
) -> Result<(), SunderError> {
    if upgrade_authority(program_data, program_id)? != Some(*signer.key()) {
        return Err(SunderError::Unauthorised);
    }
    if !signer.is_signer() {
        return Err(SunderError::MissingSigner);
    }
    Ok(())
}

fn authority_of(data: &[u8]) -> Result<Option<Pubkey>, SunderError> {
    if bytes_at(data, 0) != Some(&PROGRAM_DATA) {
        return Err(SunderError::WrongDiscriminator);
    }
    match data.get(HAS_AUTHORITY_AT) {
        Some(0) => Ok(None),
        Some(1) => Ok(Some(*bytes_at(data, AUTHORITY_AT).ok_or(SunderError::WrongLength)?)),
        Some(_) => Err(SunderError::WrongDiscriminator),
        None => Err(SunderError::WrongLength),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_read_from_program_data_alone() {
        let mut data = vec![3, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 1];
        data.extend([7; 32]);
        assert_eq!(authority_of(&data[..44]), Err(SunderError::WrongLength));
        assert_eq!(authority_of(&data), Ok(Some([7; 32])));
        data.extend(b"\x7fELF");
        assert_eq!(authority_of(&data), Ok(Some([7; 32])));
        data[12] = 2;
        assert_eq!(authority_of(&data), Err(SunderError::WrongDiscriminator));
        data[12] = 0; // the key that was there is left behind
        assert_eq!(authority_of(&data), Ok(None));
        assert_eq!(authority_of(&data[..12]), Err(SunderError::WrongLength));
        for kind in [0, 1, 2, 4] {
            data[0] = kind;
            assert_eq!(authority_of(&data), Err(SunderError::WrongDiscriminator));
        }
        assert_eq!(authority_of(&[]), Err(SunderError::WrongDiscriminator));
    }
}
