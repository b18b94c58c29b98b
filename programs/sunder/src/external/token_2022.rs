//! The mint of wrapped ST: Token-2022 with the extension ScaledUiAmount, which has wallets show the JLP atoms that it
//! counts as ST, times a multiplier. Its supply is the JLP behind it; the multiplier is 1/D.
use super::token::{self, Authority};
use crate::math::fixed::{div_u64, ONE_Q64};
use crate::math::units::check_discount;
use crate::runtime::{invoke_signed, AccountInfo, AccountMeta, Instruction, Pubkey};
use crate::SunderError;

/// TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb
pub const PROGRAM_ID: Pubkey = [
    6, 221, 246, 225, 238, 117, 143, 222, 24, 66, 93, 188, 228, 108, 205, 218, 182, 26, 252, 77, 131, 185, 13, 39, 254,
    189, 249, 40, 216, 161, 139, 252,
];

/// The base, padded to a token account's; what it is; and one extension: type, length, and 56 bytes (authority,
/// multiplier, the next multiplier's time, the next multiplier).
pub const ST_MINT_SIZE: usize = token::ACCOUNT_SIZE + 1 + 4 + 56;

/// The extension's instructions have this number in front of their own.
const SCALED_UI_AMOUNT: u8 = 43;
const INITIALIZE: u8 = 0;
const UPDATE_MULTIPLIER: u8 = 1;

/// Makes the mint out of `ST_MINT_SIZE` zero bytes that Token-2022 owns. `authority` may mint and set the multiplier,
/// nobody may freeze. `BadParameter` for a discount outside its range.
#[inline(never)]
pub fn initialise_st_mint(
    mint: &AccountInfo,
    authority: &Pubkey,
    decimals: u8,
    discount: u128,
) -> Result<(), SunderError> {
    let data = scaled_by(authority, multiplier_bits(discount)?);
    let metas = [AccountMeta::writable(mint.key())];
    let instruction = Instruction { program_id: &PROGRAM_ID, accounts: &metas, data: &data };
    // Extensions come before the mint, which closes the list of them.
    invoke_signed(&instruction, &[mint], &[])?;
    token::initialize_mint2(&PROGRAM_ID, mint, decimals, authority)
}

/// Sets the multiplier to 1/D, at once. `BadParameter` for a discount outside its range.
#[inline(never)]
pub fn update_multiplier(mint: &AccountInfo, authority: &Authority, discount: u128) -> Result<(), SunderError> {
    let data = updated(multiplier_bits(discount)?);
    let account = authority.account();
    let metas = [AccountMeta::writable(mint.key()), AccountMeta::readonly_signer(account.key())];
    let instruction = Instruction { program_id: &PROGRAM_ID, accounts: &metas, data: &data };
    Ok(invoke_signed(&instruction, &[mint, account], authority.signers())?)
}

/// Initialize: authority, multiplier.
fn scaled_by(authority: &Pubkey, multiplier: u64) -> [u8; 42] {
    let mut data = [0; 42];
    data[0] = SCALED_UI_AMOUNT;
    data[1] = INITIALIZE;
    data[2..34].copy_from_slice(authority);
    data[34..].copy_from_slice(&multiplier.to_le_bytes());
    data
}

/// UpdateMultiplier: multiplier, and from when it counts: from 0, which is always past, so that the old one goes as
/// well.
fn updated(multiplier: u64) -> [u8; 18] {
    let mut data = [0; 18];
    data[0] = SCALED_UI_AMOUNT;
    data[1] = UPDATE_MULTIPLIER;
    data[2..10].copy_from_slice(&multiplier.to_le_bytes());
    data
}

/// The bits of the largest double that is at most `2^64 / discount`, without floating point. `BadParameter` outside the
/// range of a discount, 2^44 to 2^64: the multiplier is from 1 to 2^20.
pub fn multiplier_bits(discount: u128) -> Result<u64, SunderError> {
    check_discount(discount).map_err(|_| SunderError::BadParameter)?;
    if discount == ONE_Q64 {
        return Ok(EXPONENT_OF_1 << FRACTION_BITS);
    }
    let divisor = discount as u64; // below 2^64, just checked
    let leading = divisor.leading_zeros(); // at most 19
                                           // The quotient lies in (2^leading, 2^(leading + 1)]; scaled, in (2^52,
                                           // 2^53].
    let scaled = 1u128 << (64 + FRACTION_BITS - leading);
    let (quotient, _) = div_u64(scaled, divisor).map_err(|_| SunderError::BadParameter)?;
    // The leading bit is not stored. At 2^53 what is left of it carries into the exponent, as it should.
    Ok(((EXPONENT_OF_1 + u64::from(leading)) << FRACTION_BITS) + (quotient as u64 - (1 << FRACTION_BITS)))
}

const FRACTION_BITS: u32 = 52;
const EXPONENT_OF_1: u64 = 1023;

#[cfg(test)]
mod tests {
    use super::*;

    /// `value * discount <= 2^64`, exactly: the double is a whole number below 2^53 times a power of two.
    fn at_most(value: f64, discount: u128) -> bool {
        let bits = value.to_bits();
        let (exponent, fraction) = ((bits >> 52) as i32 - 1023, u128::from(bits & ((1 << 52) - 1) | 1 << 52));
        // fraction * 2^(exponent - 52) * discount <= 2^64, and the product is below 2^118.
        fraction * discount <= 1 << (116 - exponent)
    }

    fn check(discount: u128) {
        let bits = multiplier_bits(discount).unwrap();
        assert!(at_most(f64::from_bits(bits), discount), "{discount:#x}: too high");
        assert!(!at_most(f64::from_bits(bits + 1), discount), "{discount:#x}: too low");
        // And it is what floating point makes of it, to the last place.
        let near = (2f64.powi(64) / discount as f64).to_bits();
        assert!(bits.abs_diff(near) <= 2, "{discount:#x}");
    }

    #[test]
    fn the_multiplier_is_the_double_just_below() {
        for (discount, value) in [(1 << 64, 1.0), (1 << 63, 2.0), (1 << 44, 1_048_576.0), (3 << 62, 4.0 / 3.0)] {
            assert_eq!(f64::from_bits(multiplier_bits(discount).unwrap()), value);
        }
        for shift in 44..=64 {
            for near in 0..2000 {
                let power = 1u128 << shift;
                for discount in [power - near, power + near] {
                    if ((1 << 44)..=1 << 64).contains(&discount) {
                        check(discount);
                    }
                }
            }
        }
        let mut state = 1u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let discount = u128::from(state) >> (state >> 11) % 20;
            check(discount.max(1 << 44));
        }
    }

    #[test]
    fn a_discount_outside_its_range_has_none() {
        for discount in [0, 1, (1 << 44) - 1, (1 << 64) + 1, u128::MAX] {
            assert_eq!(multiplier_bits(discount), Err(SunderError::BadParameter));
        }
    }

    #[test]
    fn instructions_are_the_extensions() {
        assert_eq!(ST_MINT_SIZE, 226);
        let data = scaled_by(&[5; 32], 1.5f64.to_bits());
        assert_eq!((&data[..2], &data[2..34]), ([43, 0].as_slice(), [5; 32].as_slice()));
        assert_eq!(data[34..], 1.5f64.to_le_bytes());
        let data = updated(1.25f64.to_bits());
        assert_eq!((&data[..2], &data[2..10], &data[10..]), (&[43, 1][..], &1.25f64.to_le_bytes()[..], &[0; 8][..]));
    }
}
