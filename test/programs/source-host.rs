//! The source of coupons on the host: reads lines, answers each with one (test/programs/source.test.ts). Linked with the
//! program's crate.
//!
//!     hourly last_step cursor.last_updated cursor.realized_fee_usd now hex       to fees aum cursor cursor remainder paid
//!     weekly last_step cursor.last_updated cursor.realized_fee_usd now hex       the same
//!     fresh hourly|weekly last_step jupiter_last_updated now                     fresh, coupon-due or reduce-only
//!     updated hex                                                                Jupiter's last update
//!
//! `hex` are the bytes of the pool's account; a refusal is "error" and its name.
use std::io::{BufRead, Write};
use sunder::external::jupiter::{self, Cursor, Freshness, Reading};
use sunder::math::accrual::{IndexKind, RateIndex};
use sunder::SunderError;

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn index_of(kind: IndexKind, last_step: u32) -> RateIndex {
    RateIndex { kind, rho_max: 1, weekly_budget: 1, discount: 1 << 64, last_step, bucket: 0, carry: 0 }
}

fn number<'a>(words: &mut impl Iterator<Item = &'a str>) -> u64 {
    words.next().unwrap().parse().unwrap()
}

fn kind_of(name: &str) -> IndexKind {
    match name {
        "hourly" => IndexKind::Hourly,
        "weekly" => IndexKind::Weekly,
        _ => panic!("no kind {name}"),
    }
}

fn read<'a>(kind: IndexKind, words: &mut impl Iterator<Item = &'a str>) -> Result<Reading, SunderError> {
    let index = index_of(kind, number(words) as u32);
    let cursor = Cursor { last_updated: number(words) as u32, realized_fee_usd: number(words) };
    let now = number(words) as u32;
    let pool = jupiter::parse(&bytes_of(words.next().unwrap_or("")))?;
    match kind {
        IndexKind::Hourly => jupiter::read_hourly(&index, &cursor, &pool, now),
        IndexKind::Weekly => jupiter::read_weekly(&cursor, &pool, now),
    }
}

fn shown(reading: &Reading) -> String {
    let Reading { earned, cursor, remainder } = reading;
    let rest = remainder.map_or("- -".into(), |remainder| format!("{} {}", remainder.figured, remainder.paid));
    format!("{} {} {} {} {} {rest}", earned.to, earned.fees, earned.aum, cursor.last_updated, cursor.realized_fee_usd)
}

fn answer(line: &str) -> Result<String, SunderError> {
    let mut words = line.split_ascii_whitespace();
    match words.next().unwrap() {
        "fresh" => {
            let kind = kind_of(words.next().unwrap());
            let [last_step, updated, now] = [0; 3].map(|_| number(&mut words) as u32);
            let fresh = match jupiter::freshness(kind, last_step, updated, now) {
                Freshness::Fresh => "fresh",
                Freshness::CouponDue => "coupon-due",
                Freshness::ReduceOnly => "reduce-only",
            };
            Ok(fresh.into())
        }
        "updated" => {
            let reading = jupiter::parse(&bytes_of(words.next().unwrap_or("")))?;
            jupiter::last_updated_of(&reading).map(|updated| updated.to_string())
        }
        kind => read(kind_of(kind), &mut words).map(|reading| shown(&reading)),
    }
}

fn main() {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let said = answer(&line.unwrap()).unwrap_or_else(|error| format!("error {error:?}"));
        writeln!(out, "{said}").unwrap();
    }
}
