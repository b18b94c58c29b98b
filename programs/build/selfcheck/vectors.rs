//! One operation on two 128-bit numbers; the tests know by other means (BigInt) what has to come out. What has no answer is `NONE`.

pub const NONE: u128 = 0x6e6f6e65;

fn signed(value: Option<i128>) -> u128 {
    value.map_or(NONE, |value| value as u128)
}

fn narrow(value: Option<impl Into<i128>>) -> u128 {
    signed(value.map(Into::into))
}

pub fn apply(operation: u8, a: u128, b: u128) -> Option<u128> {
    let (sa, sb) = (a as i128, b as i128);
    let (a64, b64, sa64, sb64) = (a as u64, b as u64, a as i64, b as i64);
    let by = b as u32 & 127;
    Some(match operation {
        0 => a.wrapping_mul(b),
        1 => a.checked_div(b).unwrap_or(NONE),
        2 => a.checked_rem(b).unwrap_or(NONE),
        3 => signed(sa.checked_div(sb)),
        4 => signed(sa.checked_rem(sb)),
        5 => a << by,
        6 => a >> by,
        7 => (sa >> by) as u128,
        8 => a.checked_mul(b).unwrap_or(NONE),
        9 => signed(sa.checked_mul(sb)),
        10 => a64.checked_mul(b64).map_or(NONE, u128::from),
        11 => narrow(sa64.checked_mul(sb64)),
        12 => narrow(sa64.checked_div(sb64)),
        13 => narrow(sa64.checked_rem(sb64)),
        14 => narrow((a as i32).checked_div(b as i32)),
        15 => narrow((a as i32).checked_mul(b as i32)),
        16 => narrow((a as i16).checked_rem(b as i16)),
        17 => narrow((a as i8).checked_div(b as i8)),
        18 => a64 as u128 * b64 as u128,
        19 => a.checked_add(b).unwrap_or(NONE),
        20 => a.checked_sub(b).unwrap_or(NONE),
        21 => signed(sa.checked_add(sb)),
        22 => signed(sa.checked_sub(sb)),
        23 => {
            (sa < sb) as u128
                | ((a < b) as u128) << 1
                | ((sa64 < sb64) as u128) << 2
                | (((a as i32) < b as i32) as u128) << 3
        }
        24 => a.rotate_left(by),
        25 => (a as u32).rotate_left(by & 31) as u128,
        26 => (a.leading_zeros() + 1000 * a.trailing_zeros() + 1_000_000 * a.count_ones()) as u128,
        27 => a64.isqrt() as u128,
        28 => a.swap_bytes() ^ a64.swap_bytes() as u128,
        29 => signed(sa.checked_abs()),
        30 => a.saturating_mul(b),
        31 => sa.saturating_mul(sb) as u128,
        32 => (a as u32).wrapping_mul(b as u32) as u128,
        33 => ((a as i32) >> (by & 31)) as i128 as u128,
        34 => a.carrying_mul(b, 0).1, // what rustc multiplies in 256 bits; newer than what the program itself may use
        35 => narrow(Some((sa64 / 8).wrapping_add(sa64 % 16))),
        36 => signed(Some((sa / 8).wrapping_add(sa % 16))),
        _ => return None,
    })
}
