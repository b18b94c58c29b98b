//! Tests of the arithmetic by itself: `rustc --test` or cargo, no dependencies. What it computes is held against the
//! TypeScript kernel by `test/programs/math.test.ts`; here is what must hold of it alone, above all that nothing
//! panics.

#[path = "../src/math/mod.rs"]
#[allow(dead_code)]
mod math;

use math::account::{self, Legs, Totals};
use math::accrual::{self, Checkpoint, Earned, IndexKind, RateIndex};
use math::fee::{fee_on, FeeTerms};
use math::fixed::{self, div_small, div_u128, div_u64, mul_wide, phi_complement, EXPONENT_LIMIT, ONE_Q64};
use math::liquidity::{self, Bounds, Position};
use math::margin::{self, Book, MarginTerms, Standing};
use math::phi_table::PHI_TABLE;
use math::pool::{self, Pool, Tick};
use math::quote::{quote, settle, Order, OrderAmount, OrderKind};
use math::rate::{self, Grid, Moment};
use math::swap::{NextTick, Step, Ticks};
use math::twap::{self, RateOracle, BUCKETS};
use math::{units, MathError};

/// A small deterministic generator (splitmix64) whose numbers are edges as often as not.
struct Random(u64);

impl Random {
    fn u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.u64() % n
    }

    fn u128(&mut self) -> u128 {
        let all = (u128::from(self.u64()) << 64) | u128::from(self.u64());
        match self.below(8) {
            0 => 0,
            1 => u128::MAX,
            2 => 1 << self.below(128),
            3 => (1u128 << self.below(128)).wrapping_sub(1),
            4 => ONE_Q64,
            5 => all >> 62,
            _ => all >> self.below(128),
        }
    }

    fn n64(&mut self) -> u64 {
        self.u128() as u64
    }

    fn n32(&mut self) -> u32 {
        self.u128() as u32
    }

    fn n16(&mut self) -> u16 {
        self.u128() as u16
    }

    fn i128(&mut self) -> i128 {
        let value = self.u128() as i128;
        if self.below(2) == 0 {
            value
        } else {
            value.wrapping_neg()
        }
    }

    fn i64(&mut self) -> i64 {
        self.i128() as i64
    }

    /// A rate that is inside the domain more often than not.
    fn rate(&mut self) -> u128 {
        match self.below(3) {
            0 => self.u128(),
            _ => u128::from(self.u64()) + (u128::from(self.below(4)) << 62),
        }
    }

    fn discount(&mut self) -> u128 {
        match self.below(3) {
            0 => self.u128(),
            1 => ONE_Q64,
            _ => u128::from(self.u64() | (1 << 44)),
        }
    }

    fn moment(&mut self) -> Moment {
        Moment { tau: self.n32(), discount: self.discount() }
    }

    fn tick_index(&mut self) -> i32 {
        match self.below(4) {
            0 => self.n32() as i32,
            _ => self.below(4000) as i32 * 10,
        }
    }

    fn tick(&mut self) -> Tick {
        Tick { net: self.i64(), gross: self.n64(), fall: self.i128(), fee_growth_outside: self.i128() }
    }

    fn grid(&mut self) -> Grid {
        if self.below(3) > 0 {
            return Grid { spacing: 10, min_tick: 50, max_tick: 13_860 };
        }
        Grid { spacing: self.n16(), min_tick: self.tick_index(), max_tick: self.tick_index() }
    }

    fn fees(&mut self) -> FeeTerms {
        FeeTerms { fee_bps: self.n16(), lp_share_bps: self.n16(), insurance_share_bps: self.n16() }
    }

    fn pool(&mut self) -> Pool {
        Pool {
            grid: self.grid(),
            fees: if self.below(2) == 0 {
                FeeTerms { fee_bps: 10, lp_share_bps: 5000, insurance_share_bps: 5000 }
            } else {
                self.fees()
            },
            moment: self.moment(),
            rate: self.rate(),
            tick: self.tick_index(),
            liquidity: self.n64(),
            gross_liquidity: self.n64(),
            fall: self.i128(),
            fee_growth: self.i128(),
            deficit: self.n64(),
        }
    }

    fn legs(&mut self) -> Legs {
        Legs { margin: self.n64(), st: self.i64(), yt: self.i64(), discount: self.discount(), net_deposits: self.n64() }
    }

    fn totals(&mut self) -> Totals {
        Totals {
            margin: self.i128(),
            st: self.i128(),
            debt: self.i128(),
            yt: self.i128(),
            yt_at_discount: self.i128(),
            short: self.i128(),
            short_at_discount: self.i128(),
            pt: self.i128(),
            issued: self.i128(),
            profit: self.i128(),
            open: self.n32(),
            debtors: self.n32(),
        }
    }
}

/// A few ticks, good or bad, in order.
struct Few(Vec<(i32, Tick)>);

impl Ticks for Few {
    fn next(&self, index: i32, up: bool) -> Result<Option<NextTick>, MathError> {
        let found = if up {
            self.0.iter().find(|(at, _)| *at > index)
        } else {
            self.0.iter().rev().find(|(at, _)| *at <= index)
        };
        Ok(found.map(|&(index, tick)| NextTick { index, net: tick.net }))
    }

    fn read(&self, index: i32) -> Result<Tick, MathError> {
        self.0.iter().find(|(at, _)| *at == index).map(|found| found.1).ok_or(MathError::TickMissing)
    }

    fn write(&mut self, index: i32, tick: &Tick) -> Result<(), MathError> {
        let found = self.0.iter_mut().find(|(at, _)| *at == index).ok_or(MathError::TickMissing)?;
        found.1 = *tick;
        Ok(())
    }
}

#[test]
fn phi_never_falls_by_an_ulp_at_any_segment_boundary_and_no_coefficient_wraps() {
    for row in 0..128u128 {
        let start = row << 59;
        let end = start + (1 << 59) - 1;
        assert!(phi_complement(start).unwrap() <= phi_complement(start + 1).unwrap());
        assert!(phi_complement(end - 1).unwrap() <= phi_complement(end).unwrap());
        if row < 127 {
            assert!(phi_complement(end).unwrap() <= phi_complement(end + 1).unwrap());
        }
        // Each r is largest at the start of a segment, where it is the coefficient: no difference can wrap.
        let coefficients = &PHI_TABLE[row as usize];
        for pair in coefficients[1..].windows(2) {
            assert!(pair[0] > fixed::mul_high((1 << 59) - 1, pair[1]));
        }
        assert!(coefficients[0].checked_add(fixed::mul_high((1 << 59) - 1, coefficients[1])).is_some());
    }
    assert_eq!(phi_complement(0), Ok(0));
    assert_eq!(phi_complement(EXPONENT_LIMIT), Err(MathError::Domain));
    assert_eq!(phi_complement(u128::MAX), Err(MathError::Domain));
}

#[test]
fn divisions_are_those_of_the_language() {
    let mut random = Random(1);
    for _ in 0..300_000 {
        let (a, b) = (random.u128(), random.u128());
        if b == 0 {
            assert_eq!(div_u128(a, b), Err(MathError::DivisionByZero));
            continue;
        }
        assert_eq!(div_u128(a, b), Ok((a / b, a % b)));
        let small = (b as u64).max(1);
        assert_eq!(div_u64(a, small), Ok((a / u128::from(small), (a % u128::from(small)) as u64)));
        let small = small % (1 << 32) + 1;
        assert_eq!(div_small(a, small), Ok((a / u128::from(small), (a % u128::from(small)) as u64)));
    }
}

#[test]
fn a_wide_product_divided_by_a_factor_is_the_other_factor() {
    assert_eq!(mul_wide(u128::MAX, u128::MAX), (1, u128::MAX - 1));
    let mut random = Random(2);
    for _ in 0..20_000 {
        let (a, b) = (random.u128(), random.u128().max(1));
        assert_eq!(fixed::mul_div_down(a, b, b), Ok(a));
        assert_eq!(fixed::mul_div_up(a, b, b), Ok(a));
    }
    assert_eq!(fixed::mul_div_up(u128::MAX, u128::MAX, u128::MAX - 1), Err(MathError::Overflow));
    assert_eq!(fixed::mul_div_down(1, 1, 0), Err(MathError::DivisionByZero));
    assert_eq!(fixed::mul_div_down(u128::MAX, 2, 0), Err(MathError::DivisionByZero));
}

/// Whatever an account could hold and an order could say, also what cannot be, gives an answer or an error. Overflow
/// checks are on where this is built, so that a sum which does not fit would panic.
#[test]
fn nothing_panics_on_functions_of_numbers() {
    let mut r = Random(3);
    for _ in 0..300_000 {
        let _ = fixed::one_minus_exp_neg(r.u128());
        let _ = fixed::mul_q64(r.u128(), r.u128());
        let _ = fixed::mul_div_up(r.u128(), r.u128(), r.u128());
        let _ = units::st_to_jlp_up(r.n64(), r.discount());
        let _ = units::jlp_to_st_up(r.n64(), r.u128());
        let _ = rate::pt_value(r.rate(), &r.moment());
        let _ = rate::point(r.rate(), &r.moment()).map(|point| point.value);
        let _ = rate::tick_rate(r.n32() as i32);
        let _ = rate::check_tick(r.n32() as i32, &r.grid());
        let _ = rate::tick_at_rate(r.rate(), &r.grid());
        let _ = fee_on(r.n64(), &r.fees(), r.n64());
        let _ = pool::create_pool(r.grid(), r.fees(), r.moment(), r.rate());
        let _ = pool::accrue(&mut r.pool(), &r.moment());
        let legs = r.legs();
        let _ = account::touch(&mut r.legs(), r.discount());
        let _ = account::net(&mut r.legs());
        let _ = account::add_to_margin(&mut r.legs(), r.i128());
        let _ = account::reduce(&mut r.legs(), r.n64(), r.i128());
        let fund = r.below(2) == 0;
        let _ = account::recount(&mut r.totals(), &r.legs(), &legs, fund);
        let terms = MarginTerms {
            initial_bps: r.n16(),
            initial_twap_bps: r.n16(),
            maintenance_bps: r.n16(),
            low_coupon_bps: r.n16(),
            period: r.n32(),
            rho_max: r.u128(),
        };
        let mut standing =
            Standing { since: r.n32(), low: r.rate(), high: r.rate(), low_before: r.rate(), high_before: r.rate() };
        let under = margin::Conditions { moment: &r.moment(), terms: &terms, standing: &standing };
        if let Ok(at) = margin::valuation(&under, &(r.rate(), r.rate()), legs.yt) {
            let _ = margin::meets_initial(&legs, &at, &terms);
            let _ = margin::meets_maintenance(&legs, &at, &terms);
            let _ = margin::larger_gap(&legs, &at);
        }
        let _ = margin::ratio_kept(&r.legs(), &legs, r.n64(), fund);
        let _ = margin::stood(&mut standing, r.rate(), r.n32(), r.n32(), r.n32());
        let _ = margin::guarded(r.rate(), r.rate(), r.n16(), fund);
        let book = Book { vault: r.n64(), fees: r.n64(), deficit: r.n64() };
        let _ = margin::lp_equity(&book, &r.totals(), r.discount(), r.n64());
        let _ = margin::backing(&r.totals(), r.n64(), r.discount());
        let _ = margin::dearest_rate(r.u128(), r.n32());
    }
}

#[test]
fn nothing_panics_on_trades_and_liquidity() {
    let mut r = Random(4);
    let mut filled = 0;
    for _ in 0..100_000 {
        let mut pool = r.pool();
        let mut ticks: Vec<_> = (0..r.below(6)).map(|_| (r.tick_index(), r.tick())).collect();
        if r.below(2) == 0 {
            // Nearly what a pool can be, so that trades do come about.
            pool.tick = rate::tick_at_rate(pool.rate, &pool.grid).unwrap_or(pool.tick);
            pool.liquidity >>= 6;
            pool.moment = Moment { tau: pool.moment.tau >> 7, discount: ONE_Q64 };
            pool.deficit = 0;
            (pool.fall, pool.fee_growth) = (0, 0);
            ticks = ticks.iter().map(|(at, tick)| (*at, Tick { fall: 0, fee_growth_outside: 0, ..*tick })).collect();
        }
        ticks.sort_by_key(|(at, _)| *at);
        ticks.dedup_by_key(|(at, _)| *at);
        let mut ticks = Few(ticks);
        let kinds = [OrderKind::BuyYt, OrderKind::SellYt, OrderKind::BuyPt, OrderKind::SellPt];
        let amount = r.n64();
        let order = Order {
            kind: kinds[r.below(4) as usize],
            amount: if r.below(2) == 0 { OrderAmount::Exact(amount) } else { OrderAmount::St(amount) },
            limit_rate: if r.below(2) == 0 { None } else { Some(r.rate()) },
            max_crossings: r.n32(),
            within_liquidity: r.below(2) == 0,
        };
        let mut steps = [Step::default(); 8];
        let room = r.below(9) as usize;
        if let Ok(quoted) = quote(&pool, &ticks, &order, &mut steps[..room]) {
            filled += 1;
            let mut after = pool;
            let _ = settle(&mut after, &mut ticks, &quoted, &steps[..room]);
        }
        let mut position = Position {
            lower: r.tick_index(),
            upper: r.tick_index(),
            liquidity: r.n64(),
            issued: r.n64(),
            accrued_before: r.i128(),
            fees_before: r.i128(),
            uncollected: r.n64(),
        };
        let mut bounds = Bounds { lower: r.tick(), upper: r.tick() };
        let _ = liquidity::touch(&pool, &mut position.clone(), &bounds);
        let _ = liquidity::collect(&pool, &mut position.clone(), &bounds);
        let _ = liquidity::add_liquidity(&mut pool.clone(), &mut position.clone(), &mut bounds.clone(), r.n64());
        let _ = liquidity::remove_liquidity(&mut pool, &mut position, &mut bounds, (r.n64(), r.n64()));
    }
    assert!(filled > 1000, "{filled} orders were filled");
}

#[test]
fn nothing_panics_on_oracles() {
    let mut r = Random(5);
    for _ in 0..100_000 {
        let mut oracle = RateOracle {
            clamp_per_second: r.u128(),
            started_at: r.n32(),
            observed_until: r.n32(),
            observed: r.rate(),
            buckets: core::array::from_fn::<u128, BUCKETS, _>(|_| r.u128()),
        };
        let _ = twap::observe(&mut oracle, r.rate(), r.n32());
        let _ = twap::twap(&oracle, r.n32());
        let _ = twap::twap(&oracle, 300);
        let _ = twap::history_seconds(&oracle, r.n32());
        let kind = if r.below(2) == 0 { IndexKind::Hourly } else { IndexKind::Weekly };
        let mut index = RateIndex {
            kind,
            rho_max: r.u128(),
            weekly_budget: r.u128(),
            discount: r.discount(),
            last_step: r.n32(),
            bucket: r.u128(),
            carry: r.u128(),
        };
        let mut kept = [Checkpoint { maturity: r.n32(), discount: r.discount() }, Checkpoint::default()];
        let _ = accrual::create_index(kind, (r.u128(), r.u128()), r.n32(), r.discount());
        let _ = accrual::watch_maturity(&index, &mut kept, r.n32());
        let _ = accrual::yield_left(&index, r.n32());
        let _ = accrual::lowest_discount(&index, r.n32());
        let _ = accrual::finalise(&index, &mut kept, r.n32(), r.n32());
        let earned = Earned { to: r.n32() / 3600 * 3600, fees: r.n64(), aum: r.n64() };
        let _ = accrual::accrue_index(&mut index, &mut kept, &earned);
        accrual::forget_maturity(&mut kept, r.n32());
    }
}
