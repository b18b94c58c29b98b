//! Ordinary Rust in many shapes, the same for the host and for the chain: the answers must agree to the bit. `run` must neither
//! overflow nor panic, on either.
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Xorshift, with numbers of every length.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn narrow(&mut self) -> u64 {
        let shift = self.word() % 64;
        self.word() >> shift
    }
    fn wide(&mut self) -> u128 {
        let shift = self.word() % 128;
        ((self.word() as u128) << 64 | self.word() as u128) >> shift
    }
    fn index(&mut self, len: usize) -> usize {
        (self.word() % len as u64) as usize
    }
}

struct Sum(u64);

impl Sum {
    fn add(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    }
    fn add_wide(&mut self, value: u128) {
        self.add(value as u64);
        self.add((value >> 64) as u64);
    }
    fn add_bytes(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.add(*byte as u64));
    }
}

trait Shape {
    fn area(&self, scale: u64) -> u64;
    fn name(&self) -> &str {
        "shape"
    }
}
struct Square(u64);
struct Named {
    sides: (u64, u64),
    name: String,
}
impl Shape for Square {
    fn area(&self, scale: u64) -> u64 {
        self.0.wrapping_mul(self.0).wrapping_add(scale)
    }
}
impl Shape for Named {
    fn area(&self, scale: u64) -> u64 {
        self.sides.0.wrapping_mul(self.sides.1) / (scale | 1)
    }
    fn name(&self) -> &str {
        &self.name
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Nothing,
    Small(u32),
    Pair { id: u64, amount: i128 },
    Bytes([u8; 33]),
}

#[inline(never)]
fn event(random: &mut Random) -> Event {
    match random.word() % 4 {
        0 => Event::Nothing,
        1 => Event::Small(random.word() as u32),
        2 => Event::Pair { id: random.word(), amount: random.wide() as i128 },
        _ => Event::Bytes(core::array::from_fn(|_| random.word() as u8)),
    }
}

#[inline(never)]
fn fallible(random: &mut Random) -> Result<(u64, i64, u128), Event> {
    let happened = event(random);
    match happened {
        Event::Pair { id, amount } => Ok((id, amount as i64, amount as u128)),
        other => Err(other),
    }
}

#[inline(never)]
fn chain(random: &mut Random) -> Option<u128> {
    let (a, b) = (random.wide(), random.wide());
    a.checked_add(b)?.checked_sub(random.wide())?.checked_mul(random.wide() % 17)
}

/// More arguments than there are registers.
#[inline(never)]
fn many(a: u64, b: u128, c: u64, d: &[u8], e: u128, f: u64) -> u128 {
    b.wrapping_mul(e) ^ (a as u128) << 7 ^ (c as u128 + d.len() as u128 + f as u128)
}

#[inline(never)]
fn fibonacci(n: u64) -> u64 {
    if n < 2 {
        n
    } else {
        fibonacci(n - 1) + fibonacci(n - 2)
    }
}

#[derive(Clone, Copy)]
struct Large {
    words: [u64; 40],
    wide: u128,
    bytes: [u8; 77],
}

#[inline(never)]
fn stirred(mut large: Large, random: &mut Random) -> Large {
    large.words.copy_within(3..20, 10);
    large.words.reverse();
    large.bytes.rotate_left(random.index(77));
    large.wide = large.wide.rotate_right(random.word() as u32 % 128);
    large
}

static NAMES: [&str; 4] = ["zero", "one", "two", "three"];
static FUNCTIONS: [fn(u64, u64) -> u64; 4] =
    [u64::wrapping_add, u64::wrapping_mul, |a, b| a ^ b, |a, b| a.rotate_left(b as u32 & 63)];

pub fn run(part: u8, seed: u64) -> u64 {
    let random = &mut Random(seed | 1);
    let mut sum = Sum(seed);
    for _ in 0..4 {
        random.word();
    }
    match part {
        0 => {
            for _ in 0..20 {
                let (x, y) = (random.wide(), random.wide() | 1);
                sum.add_wide(x / y);
                sum.add_wide(x % y);
                sum.add_wide(x.wrapping_mul(y).isqrt());
                sum.add_wide(x.midpoint(y).abs_diff(y));
                sum.add(x.checked_ilog10().unwrap_or(99) as u64);
            }
        }
        1 => {
            for _ in 0..20 {
                let (x, y) = (random.wide() as i128, random.wide() as i128);
                sum.add_wide(x.checked_div_euclid(y).unwrap_or(9) as u128);
                sum.add_wide(x.wrapping_neg().checked_rem_euclid(y).unwrap_or(9) as u128);
                sum.add_wide(x.saturating_mul(y) as u128);
                sum.add_wide(x.saturating_sub(y).unsigned_abs());
            }
        }
        2 => {
            for _ in 0..20 {
                let (x, y) = (random.narrow(), random.narrow());
                sum.add(x.checked_pow(y as u32 & 7).unwrap_or(3));
                sum.add(x.checked_div(y).unwrap_or(2));
                sum.add((x as i64).checked_rem_euclid(y as i64).unwrap_or(3) as u64);
                sum.add(((x as i64) / 1000) as u64 ^ ((y as i64) % 86_400) as u64);
                sum.add((x as i16).checked_div(y as i16).unwrap_or(5) as u64);
                sum.add((x as u32).checked_mul(y as u32).unwrap_or(6) as u64);
            }
        }
        3 => {
            let mut words: Vec<u64> = (0..40).map(|_| random.narrow()).collect();
            words.sort_unstable();
            words.dedup();
            words.retain(|word| word & 1 == 0);
            words.iter().for_each(|word| sum.add(*word));
            sum.add(words.binary_search(&100).is_ok() as u64);
        }
        4 => {
            let mut map = BTreeMap::new();
            for i in 0..40 {
                map.insert(random.word() % 23, i);
            }
            map.remove(&5);
            for (key, value) in map.range(3..15) {
                sum.add(key * 100 + value);
            }
        }
        5 => {
            let text = format!(
                "{}-{:x}-{:?}|{:>8}",
                random.wide(),
                random.narrow(),
                random.wide() as i128,
                random.word() as u8
            );
            sum.add_bytes(text.as_bytes());
            sum.add((random.word().to_string().parse::<u64>() == Ok(random.0)) as u64);
            sum.add("340282366920938463463374607431768211456".parse::<u128>().is_err() as u64);
        }
        6 => {
            for _ in 0..8 {
                let shape: Box<dyn Shape> = match random.word() % 2 {
                    0 => Box::new(Square(random.word())),
                    _ => Box::new(Named { sides: (random.word(), 7), name: "na".to_string() + "med" }),
                };
                sum.add(shape.area(random.word()));
                sum.add_bytes(shape.name().as_bytes());
            }
        }
        7 => {
            let mut events: [Event; 7] = core::array::from_fn(|_| event(random));
            events.sort_unstable();
            for event in &events {
                match event {
                    Event::Nothing => sum.add(1),
                    Event::Small(value) => sum.add(*value as u64),
                    Event::Pair { id, amount } => sum.add_wide(*amount as u128 ^ *id as u128),
                    Event::Bytes(bytes) => sum.add_bytes(bytes),
                }
            }
        }
        8 => {
            for _ in 0..10 {
                match fallible(random) {
                    Ok((a, b, c)) => sum.add_wide(c ^ (a ^ b as u64) as u128),
                    Err(Event::Bytes(bytes)) => sum.add_bytes(&bytes),
                    Err(_) => sum.add(3),
                }
                sum.add_wide(chain(random).unwrap_or(77));
            }
        }
        9 => {
            for _ in 0..10 {
                let bytes = [0u8; 9];
                let (a, b, c, e) = (random.narrow(), random.wide(), random.narrow(), random.wide());
                sum.add_wide(many(a, b, c, &bytes[random.index(9)..], e, random.narrow()));
            }
        }
        10 => sum.add(fibonacci(12 + seed % 5)),
        11 => {
            let mut large = Large { words: [0; 40], wide: random.wide(), bytes: [7; 77] };
            large.words.iter_mut().for_each(|word| *word = random.word());
            large.bytes[random.index(77)] = random.word() as u8;
            let large = stirred(stirred(large, random), random);
            large.words.iter().for_each(|word| sum.add(*word));
            sum.add_wide(large.wide);
            sum.add_bytes(&large.bytes);
        }
        12 => {
            let bytes: [u8; 100] = core::array::from_fn(|_| random.word() as u8);
            for chunk in bytes.chunks_exact(8) {
                sum.add(u64::from_be_bytes(chunk.try_into().unwrap()));
            }
            for window in bytes.windows(3).step_by(5) {
                sum.add(window[0] as u64 * window[2] as u64);
            }
            let mut copy = bytes;
            copy[random.index(100)] ^= 1;
            sum.add((copy < bytes) as u64 + 2 * (copy == bytes) as u64 + 4 * copy.starts_with(&bytes[..20]) as u64);
            sum.add(*bytes.iter().max().unwrap() as u64);
        }
        13 => {
            for _ in 0..10 {
                let (a, b) = (random.word(), random.word());
                sum.add(FUNCTIONS[random.index(4)](a, b));
                sum.add_bytes(NAMES[random.index(4)].as_bytes());
            }
        }
        14 => {
            for _ in 0..8 {
                let x = random.word();
                sum.add(match x % 23 {
                    0 => 5,
                    1 => x >> 3,
                    3..=5 => x << 2,
                    6..=11 => 1 << (x & 31),
                    12 => 99,
                    16 => 123_456_789_012_345,
                    _ => x,
                });
            }
        }
        15 => {
            let mut wides: [u128; 9] = core::array::from_fn(|_| random.wide());
            wides.sort_unstable();
            wides.iter().for_each(|wide| sum.add_wide(*wide));
            sum.add_wide(wides.iter().fold(0, |a, b| a ^ b.rotate_left(3)).clamp(5, 1 << 100));
        }
        _ => {}
    }
    sum.0
}
