//! The program's accounts on the host: reads lines, answers each with one (test/programs/layouts.test.ts). Compiled with
//! `--test` it runs the tests of programs/sunder/src/state.
//!
//!     read Account hex            field=value ... of every field, list entries as field[i]; or "error Name"
//!     write Account field=value ...     hex of a fresh account with these fields set
//!     next hex tick up|down       the next initialised tick of a market, or none

#[path = "../../programs/sunder/src/math/mod.rs"]
#[allow(dead_code)]
mod math;
#[path = "../../programs/sunder/src/runtime/mod.rs"]
#[allow(dead_code, unused_imports, unused_macros)]
mod runtime;
#[path = "../../programs/sunder/src/state/mod.rs"]
#[allow(dead_code, unused_imports)]
mod state;

use state::*;
use std::io::{BufRead, Write};

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

macro_rules! kinds {
    ($($name:ident $at:ident)*) => {
        fn read(name: &str, data: &[u8]) -> Result<String, StateError> {
            $(if name == stringify!($name) {
                let view = $name::load(data)?;
                let mut words = Vec::new();
                for field in $name::<()>::FIELDS {
                    for i in 0..field.count {
                        let value = view.text(field.name, i).unwrap();
                        let entry = if field.count > 1 { format!("[{i}]") } else { String::new() };
                        words.push(format!("{}{entry}={value}", field.name));
                    }
                }
                return Ok(words.join(" "));
            })*
            panic!("unknown account {name}")
        }

        fn write(name: &str, words: &[&str]) -> Result<String, StateError> {
            $(if name == stringify!($name) {
                let mut data = vec![0; $at::SIZE];
                let mut view = $name::init(&mut data)?;
                for word in words {
                    let (place, value) = word.split_once('=').unwrap();
                    let (field, entry) = place.split_once('[').unwrap_or((place, "0]"));
                    let entry = entry.trim_end_matches(']').parse().unwrap();
                    view.set_text(field, entry, value).unwrap_or_else(|| panic!("cannot set {word}"));
                }
                return Ok(hex_of(&data));
            })*
            panic!("unknown account {name}")
        }
    };
}
kinds! {
    Config config
    RateIndex rate_index
    Market market
    TickArray tick_array
    MarginAccount margin_account
    LpPosition lp_position
    RestingOrder resting_order
}

fn answer(line: &str) -> Result<String, StateError> {
    let words: Vec<&str> = line.split(' ').collect();
    match words[0] {
        "read" => read(words[1], &bytes_of(words[2])),
        "write" => write(words[1], &words[2..]),
        "next" => {
            let data = bytes_of(words[1]);
            let found = Market::load(&data)?.next_initialised(words[2].parse().unwrap(), words[3] == "up")?;
            Ok(found.map_or("none".to_string(), |tick| tick.to_string()))
        }
        other => panic!("unknown operation {other}"),
    }
}

fn main() {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let text = answer(&line.unwrap()).unwrap_or_else(|error| format!("error {error:?}"));
        writeln!(out, "{text}").unwrap();
    }
}
