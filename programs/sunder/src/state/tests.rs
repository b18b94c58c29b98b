//! Every field by itself and against all others, and what is refused. Against the client: test/programs/layouts.test.ts.
use super::*;
use crate::math::account::{Legs, Totals};
use crate::math::accrual::{self, Checkpoint, IndexKind, MAX_CHECKPOINTS};
use crate::math::liquidity::Position;
use crate::math::margin::Standing;
use crate::math::pool::Tick;
use crate::math::rate::Moment;
use crate::math::swap::Ticks;
use crate::math::twap::RateOracle;
use crate::math::MathError;

/// A small deterministic generator (splitmix64).
struct Random(u64);

impl Random {
    fn u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn u128(&mut self) -> u128 {
        u128::from(self.u64()) << 64 | u128::from(self.u64())
    }
}

/// Runs a test for each kind of account.
macro_rules! for_each_account {
    ($test:ident) => {
        $test!(Config, config);
        $test!(RateIndex, rate_index);
        $test!(Market, market);
        $test!(TickArray, tick_array);
        $test!(MarginAccount, margin_account);
        $test!(LpPosition, lp_position);
        $test!(RestingOrder, resting_order);
    };
}

#[test]
fn every_field_has_bytes_of_its_own_and_round_trips() {
    let mut random = Random(1);
    let mut fields = 0;
    macro_rules! test {
        ($name:ident, $at:ident) => {
            let mut taken = vec![0u32; $at::SIZE];
            taken[..HEAD_BYTES].fill(1);
            for field in $name::<()>::FIELDS {
                for entry in 0..field.count {
                    fields += 1;
                    let from = field.offset + entry * field.stride;
                    taken[from..from + field.bytes].iter_mut().for_each(|count| *count += 1);

                    // What is put into these bytes is what the getter reads, and the setter writes these bytes alone.
                    let mut data = vec![0; $at::SIZE];
                    $name::init(&mut data).unwrap();
                    let fresh = data.clone();
                    data[from..from + field.bytes].fill_with(|| random.u64() as u8 | 1);
                    if $name::load(&data).unwrap().text(field.name, entry).unwrap() == "1" && field.bytes == 1 {
                        data[from] = 1; // a bool
                    }
                    let text = $name::load(&data).unwrap().text(field.name, entry).unwrap();
                    let mut written = fresh.clone();
                    let mut view = $name::load_mut(&mut written).unwrap();
                    view.set_text(field.name, entry, &text).unwrap();
                    assert_eq!(view.text(field.name, entry).unwrap(), text);
                    assert_eq!(written, data, "{} {}", stringify!($name), field.name);
                }
            }
            let reserve = taken.iter().position(|count| *count == 0).unwrap();
            assert_eq!(reserve, $at::USED);
            assert!(taken[..reserve].iter().all(|count| *count == 1), "{}", stringify!($name));
            assert!(taken[reserve..].iter().all(|count| *count == 0));
            assert!($at::SIZE - reserve >= 16, "little is left of {}", stringify!($name));
        };
    }
    for_each_account!(test);
    assert!(fields > 400);
}

#[test]
fn entries_beyond_a_list_are_refused() {
    macro_rules! test {
        ($name:ident, $at:ident) => {
            let mut data = vec![0; $at::SIZE];
            let view = $name::init(&mut data).unwrap();
            for field in $name::<()>::FIELDS.iter().filter(|field| field.count > 1) {
                assert!(view.text(field.name, field.count - 1).is_some());
                assert!(view.text(field.name, field.count).is_none());
            }
        };
    }
    for_each_account!(test);
    let mut data = [0; market::SIZE];
    let mut market = Market::init(&mut data).unwrap();
    assert_eq!(market.initialised(TICK_ARRAYS), Err(StateError::OutOfRange));
    assert_eq!(market.set_initialised(TICK_ARRAYS, 1), Err(StateError::OutOfRange));
    assert_eq!(market.oracle_buckets(16), Err(StateError::OutOfRange));
}

#[test]
fn other_accounts_versions_and_lengths_are_refused() {
    macro_rules! test {
        ($name:ident, $at:ident) => {
            let mut data = vec![0; $at::SIZE];
            assert_eq!($name::load(&data).err(), Some(StateError::Uninitialised));
            assert_eq!($name::load_mut(&mut data).err(), Some(StateError::Uninitialised));
            $name::init(&mut data).unwrap();
            assert!($name::load(&data).is_ok() && $name::load_mut(&mut data).is_ok());
            assert_eq!($name::init(&mut data).err(), Some(StateError::AlreadyInitialised));
            for i in 0..8 {
                let mut other = data.clone();
                other[i] ^= 1;
                assert_eq!($name::load(&other).err(), Some(StateError::WrongDiscriminator));
                assert_eq!($name::load_mut(&mut other).err(), Some(StateError::WrongDiscriminator));
            }
            for version in (0..=255).filter(|version| *version != $at::VERSION) {
                let mut other = data.clone();
                other[8] = version;
                assert_eq!($name::load(&other).err(), Some(StateError::WrongVersion));
                assert_eq!($name::load_mut(&mut other).err(), Some(StateError::WrongVersion));
            }
            for length in (1..$at::SIZE + 40).filter(|length| *length != $at::SIZE) {
                let mut other = data.clone();
                other.resize(length, 0);
                assert_eq!($name::load(&other).err(), Some(StateError::WrongLength));
                assert_eq!($name::load_mut(&mut other).err(), Some(StateError::WrongLength));
                let mut fresh = vec![0; length];
                assert_eq!($name::init(&mut fresh).err(), Some(StateError::WrongLength));
            }
            assert_eq!($name::load(&[]).err(), Some(StateError::Uninitialised));
            // Something in the head, even behind the discriminator, is not fresh.
            let mut started = vec![0; $at::SIZE];
            started[8] = 1;
            assert_eq!($name::init(&mut started).err(), Some(StateError::AlreadyInitialised));
        };
    }
    for_each_account!(test);
}

#[test]
fn no_account_loads_as_another_even_at_equal_size() {
    assert_eq!(margin_account::SIZE, lp_position::SIZE);
    let (mut account, mut position) = ([0; margin_account::SIZE], [0; lp_position::SIZE]);
    MarginAccount::init(&mut account).unwrap();
    LpPosition::init(&mut position).unwrap();
    assert_eq!(LpPosition::load(&account).err(), Some(StateError::WrongDiscriminator));
    assert_eq!(LpPosition::load_mut(&mut account).err(), Some(StateError::WrongDiscriminator));
    assert_eq!(MarginAccount::load(&position).err(), Some(StateError::WrongDiscriminator));
    let all = [
        config::DISCRIMINATOR,
        rate_index::DISCRIMINATOR,
        market::DISCRIMINATOR,
        tick_array::DISCRIMINATOR,
        margin_account::DISCRIMINATOR,
        lp_position::DISCRIMINATOR,
    ];
    for (i, one) in all.iter().enumerate() {
        assert!(*one != [0; 8] && all[..i].iter().all(|other| other != one));
    }
}

#[test]
fn pool_oracle_standing_totals_and_fund_come_back() {
    let mut random = Random(2);
    for _ in 0..200 {
        let mut data = [0; market::SIZE];
        let mut view = Market::init(&mut data).unwrap();
        view.set_terms_grid_spacing(10);
        view.set_terms_grid_min_tick(50);
        view.set_terms_grid_max_tick(13_860);
        view.set_terms_fee_bps(random.u64() as u16);
        view.set_terms_lp_share_bps(random.u64() as u16);
        view.set_terms_insurance_share_bps(random.u64() as u16);
        view.set_terms_clamp_per_second(random.u64());

        let mut pool = view.pool();
        pool.moment = Moment { tau: random.u64() as u32, discount: random.u128() };
        pool.rate = random.u128();
        pool.tick = random.u64() as i32;
        (pool.liquidity, pool.gross_liquidity, pool.deficit) = (random.u64(), random.u64(), random.u64());
        (pool.fall, pool.fee_growth) = (random.u128() as i128, random.u128() as i128);
        view.set_pool(&pool);

        let oracle = RateOracle {
            clamp_per_second: view.terms_clamp_per_second().into(),
            started_at: random.u64() as u32,
            observed_until: random.u64() as u32,
            observed: random.u128(),
            buckets: [0; 16].map(|_: u128| random.u128()),
        };
        view.set_oracle(&oracle).unwrap();
        let standing = Standing {
            since: random.u64() as u32,
            low: random.u128(),
            high: random.u128(),
            low_before: random.u128(),
            high_before: random.u128(),
        };
        view.set_standing(&standing);
        let mut sum = || random.u128() as i128;
        let mut totals = Totals {
            margin: sum(),
            st: sum(),
            debt: sum(),
            yt: sum(),
            yt_at_discount: sum(),
            short: sum(),
            short_at_discount: sum(),
            pt: sum() & i128::from(u64::MAX),
            issued: sum() & i128::from(u64::MAX),
            profit: sum(),
            open: sum() as u32,
            debtors: sum() as u32,
        };
        view.set_totals(&totals).unwrap();
        let fund = legs(&mut random);
        view.set_fund(&fund);

        assert_eq!(view.pool(), pool);
        assert_eq!(view.moment(), pool.moment);
        assert_eq!(view.oracle().unwrap(), oracle);
        assert_eq!(view.standing(), standing);
        assert_eq!(view.totals(), totals);
        assert_eq!(view.fund(), fund);
        for wrong in [-1, 1 << 64] {
            (totals.pt, totals.margin) = (wrong, totals.margin.wrapping_add(1));
            assert_eq!(view.set_totals(&totals), Err(StateError::OutOfRange));
            assert_ne!(view.totals_margin(), totals.margin);
        }
    }
}

fn legs(random: &mut Random) -> Legs {
    Legs {
        margin: random.u64(),
        st: random.u64() as i64,
        yt: random.u64() as i64,
        discount: random.u128(),
        net_deposits: random.u64(),
    }
}

#[test]
fn indices_accounts_positions_and_ticks_come_back() {
    let mut random = Random(3);
    for round in 0..200 {
        let mut data = [0; rate_index::SIZE];
        let mut view = RateIndex::init(&mut data).unwrap();
        let mut index = accrual::RateIndex {
            kind: if round % 2 == 0 { IndexKind::Hourly } else { IndexKind::Weekly },
            rho_max: random.u64().into(),
            weekly_budget: random.u64().into(),
            discount: random.u128(),
            last_step: random.u64() as u32,
            bucket: random.u64().into(),
            carry: random.u128(),
        };
        view.set_index(&index).unwrap();
        assert_eq!(view.index().unwrap(), index);
        let mut checkpoints = [Checkpoint::default(); MAX_CHECKPOINTS];
        for (i, checkpoint) in checkpoints.iter_mut().enumerate() {
            *checkpoint = Checkpoint { maturity: i as u32 + 1, discount: random.u128() | 1 };
        }
        (checkpoints[4], checkpoints[5].discount) = (Checkpoint::default(), 0);
        view.set_checkpoints(&checkpoints).unwrap();
        assert_eq!(view.checkpoints().unwrap(), checkpoints);
        assert_eq!(view.final_discount(32).unwrap(), Some(checkpoints[31].discount));
        for unknown in [0, 5, 6, 33] {
            assert_eq!(view.final_discount(unknown).unwrap(), None);
        }
        (index.bucket, index.carry) = (1 << 64, index.carry ^ 1);
        assert_eq!(view.set_index(&index), Err(StateError::OutOfRange));
        assert_ne!(view.carry(), index.carry);
        view.set_kind(2);
        assert_eq!(view.index(), Err(StateError::Malformed));

        let mut data = [0; margin_account::SIZE];
        let mut view = MarginAccount::init(&mut data).unwrap();
        let mut small = legs(&mut random);
        (small.margin, small.net_deposits) = (small.margin >> 3, small.net_deposits >> 3);
        (small.st, small.yt) = (small.st >> 2, small.yt >> 2);
        view.set_legs(&small).unwrap();
        assert_eq!(view.legs(), small);
        for too_much in [
            Legs { margin: (1 << 61) + 1, ..small },
            Legs { st: (1 << 61) + 1, ..small },
            Legs { yt: -(1 << 61) - 1, ..small },
            Legs { net_deposits: u64::MAX, ..small },
            Legs { yt: i64::MIN, ..small },
        ] {
            assert_eq!(view.set_legs(&too_much), Err(StateError::OutOfRange));
            assert_eq!(view.legs(), small);
        }
        view.set_legs(&Legs { margin: 1 << 61, st: -(1 << 61), yt: 1 << 61, ..small }).unwrap();

        let mut data = [0; lp_position::SIZE];
        let mut view = LpPosition::init(&mut data).unwrap();
        let position = Position {
            lower: random.u64() as i32,
            upper: random.u64() as i32,
            liquidity: random.u64(),
            issued: random.u64(),
            accrued_before: random.u128() as i128,
            fees_before: random.u128() as i128,
            uncollected: random.u64(),
        };
        view.set_position(&position);
        assert_eq!(view.position(), position);

        let mut data = [0; tick_array::SIZE];
        let mut view = TickArray::init(&mut data).unwrap();
        let ticks = [0; TICKS_PER_ARRAY].map(|_| Tick {
            net: random.u64() as i64,
            gross: random.u64(),
            fall: random.u128() as i128,
            fee_growth_outside: random.u128() as i128,
        });
        for (slot, tick) in ticks.iter().enumerate() {
            view.set_tick(slot, tick).unwrap();
        }
        for (slot, tick) in ticks.iter().enumerate() {
            assert_eq!(view.tick(slot).unwrap(), *tick);
        }
        assert_eq!(view.tick(TICKS_PER_ARRAY), Err(StateError::OutOfRange));
        assert_eq!(view.set_tick(TICKS_PER_ARRAY, &ticks[0]), Err(StateError::OutOfRange));
    }
}

/// A market with the grid of the protocol, or another.
fn market_with(data: &mut [u8; market::SIZE], spacing: u16, min: i32, max: i32) -> Market<&mut [u8; market::SIZE]> {
    let mut view = Market::init(data).unwrap();
    view.set_terms_grid_spacing(spacing);
    view.set_terms_grid_min_tick(min);
    view.set_terms_grid_max_tick(max);
    view
}

#[test]
fn the_next_initialised_tick_is_the_one_that_a_scan_finds() {
    let mut random = Random(4);
    let (mut found_up, mut found_down) = (0, 0);
    for round in 0..300 {
        let mut data = [0; market::SIZE];
        let (spacing, min, max) = [(10, 50, 13_860), (10, 10, 13_860), (1, 1, 1408), (1000, 1000, 39_000)][round % 4];
        let mut market = market_with(&mut data, spacing, min, max);
        let step = i32::from(spacing);
        let grid: Vec<i32> = (min..=max).step_by(spacing.into()).collect();
        assert_eq!(market.array_count().unwrap(), grid.len().div_ceil(TICKS_PER_ARRAY));
        let marked = [0, 1, 2, 7, 200][round / 4 % 5].min(grid.len());
        let mut ticks: Vec<i32> = (0..marked).map(|_| grid[random.u64() as usize % grid.len()]).collect();
        if round % 3 == 0 && marked > 1 {
            (ticks[0], ticks[1]) = (min, max);
        }
        ticks.sort();
        ticks.dedup();
        for tick in &ticks {
            market.mark_initialised(*tick, true).unwrap();
        }
        for at in std::iter::once(min - step).chain(grid.iter().copied()) {
            let up = ticks.iter().copied().find(|tick| *tick > at);
            let down = ticks.iter().copied().rev().find(|tick| *tick <= at);
            assert_eq!(market.next_initialised(at, true).unwrap(), up, "up from {at}");
            assert_eq!(market.next_initialised(at, false).unwrap(), down, "down from {at}");
            found_up += usize::from(up.is_some());
            found_down += usize::from(down.is_some());
        }
        for at in &grid {
            assert_eq!(market.is_initialised(*at).unwrap(), ticks.contains(at));
        }
        for tick in &ticks {
            market.mark_initialised(*tick, false).unwrap();
        }
        assert!((0..TICK_ARRAYS).all(|word| market.initialised(word).unwrap() == 0));
    }
    assert!(found_up > 50_000 && found_down > 50_000);
}

#[test]
fn ticks_off_the_grid_have_no_place() {
    let mut data = [0; market::SIZE];
    let mut market = market_with(&mut data, 10, 50, 13_860);
    for tick in [i32::MIN, -10, 0, 40, 49, 51, 55, 13_859, 13_861, 13_870, i32::MAX] {
        assert_eq!(market.place_of(tick), Err(StateError::OutOfRange), "{tick}");
        assert_eq!(market.mark_initialised(tick, true), Err(StateError::OutOfRange));
    }
    assert_eq!(market.place_of(50), Ok(TickPlace { array: 0, slot: 0 }));
    assert_eq!(market.place_of(690), Ok(TickPlace { array: 1, slot: 0 }));
    assert_eq!(market.place_of(13_860), Ok(TickPlace { array: 21, slot: 37 }));
    assert_eq!((market.array_start(1), market.array_start(21)), (Ok(690), Ok(13_490)));
    assert_eq!(market.array_start(22), Err(StateError::OutOfRange));
    assert_eq!(market.array_count(), Ok(TICK_ARRAYS));
    assert_eq!(market.has_all_arrays(), Ok(false));
    market.set_tick_arrays((1 << 22) - 1);
    assert_eq!(market.has_all_arrays(), Ok(true));
    market.set_tick_arrays((1 << 22) - 1 - (1 << 7));
    assert_eq!(market.has_all_arrays(), Ok(false));
    let mut data = [0; market::SIZE];
    assert_eq!(market_with(&mut data, 1, 1, 39_999).array_count(), Err(StateError::Malformed));
    let mut data = [0; market::SIZE];
    assert_eq!(market_with(&mut data, 0, 50, 13_860).place_of(50), Err(StateError::Malformed));
}

#[test]
fn a_trade_sees_the_ticks_of_the_arrays_it_brought() {
    let key = [7; 32];
    let mut data = [0; market::SIZE];
    let mut market = market_with(&mut data, 10, 50, 13_860);
    for tick in [60, 700, 5000] {
        market.mark_initialised(tick, true).unwrap();
    }
    let (mut one, mut two) = ([0; tick_array::SIZE], [0; tick_array::SIZE]);
    let mut arrays = [TickArray::init(&mut one).unwrap(), TickArray::init(&mut two).unwrap()];
    for (array, start) in arrays.iter_mut().zip([690, 50]) {
        array.set_market(key);
        array.set_start(start);
    }
    let tick = Tick { net: -5, gross: 9, fall: -1, fee_growth_outside: 3 };
    arrays[0].set_tick(1, &tick).unwrap();
    arrays[1].set_tick(1, &Tick { net: 5, ..tick }).unwrap();
    {
        let mut ticks = TradeTicks::new(&market, &key, &mut arrays).unwrap();
        let next = ticks.next(690, true).unwrap().unwrap();
        assert_eq!((next.index, next.net), (700, -5));
        let next = ticks.next(690, false).unwrap().unwrap();
        assert_eq!((next.index, next.net), (60, 5));
        assert!(ticks.next(50, false).unwrap().is_none());
        assert!(ticks.next(5000, true).unwrap().is_none());
        assert_eq!(ticks.next(700, true).err(), Some(MathError::TickMissing)); // 5000: its array was not brought
        assert_eq!(ticks.read(700), Ok(tick));
        assert_eq!(ticks.read(690), Err(MathError::TickMissing)); // not initialised
        assert_eq!(ticks.read(5000), Err(MathError::TickMissing));
        ticks.write(60, &Tick { net: 5, fall: 77, ..tick }).unwrap();
        assert_eq!(ticks.write(5000, &tick), Err(MathError::TickMissing));
    }
    assert_eq!(arrays[1].tick(1).unwrap().fall, 77);
    assert_eq!(TradeTicks::new(&market, &[8; 32], &mut arrays).err(), Some(StateError::WrongMarket));
    arrays[0].set_start(700);
    assert_eq!(TradeTicks::new(&market, &key, &mut arrays).err(), Some(StateError::WrongMarket));
}
