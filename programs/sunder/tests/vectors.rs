//! Reads operations from stdin, a line each, and prints what the arithmetic gives, a line each:
//! `test/programs/math.test.ts` compares it with the TypeScript kernel. Numbers are decimal, separated by spaces; a
//! refusal is `error` and its name.

#![cfg_attr(test, allow(dead_code))] // under cargo test it is a test target without tests

#[path = "../src/math/mod.rs"]
#[allow(dead_code)]
mod math;

use math::account::{self, Legs, Totals};
use math::accrual::{self, Checkpoint, Earned, IndexKind, RateIndex};
use math::fee::{fee_on, FeeTerms};
use math::liquidity::{self, Bounds, Position};
use math::margin::{self, Book, MarginTerms, Standing};
use math::pool::{self, Pool, Tick};
use math::quote::{quote, settle, Order, OrderAmount, OrderKind};
use math::rate::{self, Grid, Moment};
use math::swap::{NextTick, Step, Ticks};
use math::twap::{self, RateOracle, BUCKETS};
use math::{fixed, units, MathError};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{BufRead, BufWriter, Write};
use std::str::{FromStr, SplitAsciiWhitespace};

/// The words of a line.
struct Words<'a>(SplitAsciiWhitespace<'a>);

impl Words<'_> {
    fn text(&mut self) -> &str {
        self.0.next().expect("a word")
    }

    fn n<T: FromStr>(&mut self) -> T {
        let word = self.text();
        word.parse().unwrap_or_else(|_| panic!("not a number of this type: {word}"))
    }

    fn flag(&mut self) -> bool {
        self.n::<u8>() == 1
    }

    fn moment(&mut self) -> Moment {
        Moment { tau: self.n(), discount: self.n() }
    }

    fn grid(&mut self) -> Grid {
        Grid { spacing: self.n(), min_tick: self.n(), max_tick: self.n() }
    }

    fn fees(&mut self) -> FeeTerms {
        FeeTerms { fee_bps: self.n(), lp_share_bps: self.n(), insurance_share_bps: self.n() }
    }

    fn pool(&mut self) -> (Pool, TickMap) {
        let pool = Pool {
            grid: self.grid(),
            fees: self.fees(),
            moment: self.moment(),
            rate: self.n(),
            tick: self.n(),
            liquidity: self.n(),
            gross_liquidity: self.n(),
            fall: self.n(),
            fee_growth: self.n(),
            deficit: self.n(),
        };
        let count: usize = self.n();
        let ticks = (0..count).map(|_| (self.n(), self.tick())).collect();
        (pool, TickMap(ticks))
    }

    fn tick(&mut self) -> Tick {
        Tick { net: self.n(), gross: self.n(), fall: self.n(), fee_growth_outside: self.n() }
    }

    fn position(&mut self) -> Position {
        Position {
            lower: self.n(),
            upper: self.n(),
            liquidity: self.n(),
            issued: self.n(),
            accrued_before: self.n(),
            fees_before: self.n(),
            uncollected: self.n(),
        }
    }

    fn legs(&mut self) -> Legs {
        Legs { margin: self.n(), st: self.n(), yt: self.n(), discount: self.n(), net_deposits: self.n() }
    }

    fn totals(&mut self) -> Totals {
        Totals {
            margin: self.n(),
            st: self.n(),
            debt: self.n(),
            yt: self.n(),
            yt_at_discount: self.n(),
            short: self.n(),
            short_at_discount: self.n(),
            pt: self.n(),
            issued: self.n(),
            profit: self.n(),
            open: self.n(),
            debtors: self.n(),
        }
    }

    fn oracle(&mut self) -> RateOracle {
        RateOracle {
            clamp_per_second: self.n(),
            started_at: self.n(),
            observed_until: self.n(),
            observed: self.n(),
            buckets: std::array::from_fn::<u128, BUCKETS, _>(|_| self.n()),
        }
    }

    fn standing(&mut self) -> Standing {
        Standing { since: self.n(), low: self.n(), high: self.n(), low_before: self.n(), high_before: self.n() }
    }

    fn terms(&mut self) -> MarginTerms {
        MarginTerms {
            initial_bps: self.n(),
            initial_twap_bps: self.n(),
            maintenance_bps: self.n(),
            low_coupon_bps: self.n(),
            period: self.n(),
            rho_max: self.n(),
        }
    }

    fn kind(&mut self) -> IndexKind {
        if self.text() == "hourly" {
            IndexKind::Hourly
        } else {
            IndexKind::Weekly
        }
    }

    fn index(&mut self) -> (RateIndex, Vec<Checkpoint>) {
        let index = RateIndex {
            kind: self.kind(),
            rho_max: self.n(),
            weekly_budget: self.n(),
            discount: self.n(),
            last_step: self.n(),
            bucket: self.n(),
            carry: self.n(),
        };
        let count: usize = self.n();
        let mut kept: Vec<_> = (0..count).map(|_| Checkpoint { maturity: self.n(), discount: self.n() }).collect();
        kept.resize(accrual::MAX_CHECKPOINTS, Checkpoint::default());
        (index, kept)
    }
}

/// The ticks of a pool in a map, in place of the accounts that the program keeps them in.
struct TickMap(BTreeMap<i32, Tick>);

impl Ticks for TickMap {
    fn next(&self, index: i32, up: bool) -> Result<Option<NextTick>, MathError> {
        let found = if up { self.0.range(index + 1..).next() } else { self.0.range(..=index).next_back() };
        Ok(found.map(|(&index, tick)| NextTick { index, net: tick.net }))
    }

    fn read(&self, index: i32) -> Result<Tick, MathError> {
        self.0.get(&index).copied().ok_or(MathError::TickMissing)
    }

    fn write(&mut self, index: i32, tick: &Tick) -> Result<(), MathError> {
        *self.0.get_mut(&index).ok_or(MathError::TickMissing)? = *tick;
        Ok(())
    }
}

impl TickMap {
    fn bounds(&self, position: &Position) -> Bounds {
        let at = |index| self.0.get(&index).copied().unwrap_or_default();
        Bounds { lower: at(position.lower), upper: at(position.upper) }
    }

    fn store(&mut self, position: &Position, bounds: &Bounds) {
        for (index, tick) in [(position.lower, bounds.lower), (position.upper, bounds.upper)] {
            if tick.gross == 0 {
                self.0.remove(&index);
            } else {
                self.0.insert(index, tick);
            }
        }
    }
}

/// The words of an answer.
#[derive(Default)]
struct Answer(String);

impl Answer {
    fn put(mut self, value: impl Display) -> Self {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(&value.to_string());
        self
    }

    fn pool(self, pool: &Pool, ticks: &TickMap) -> Self {
        let mut answer = self
            .put(pool.moment.tau)
            .put(pool.moment.discount)
            .put(pool.rate)
            .put(pool.tick)
            .put(pool.liquidity)
            .put(pool.gross_liquidity)
            .put(pool.fall)
            .put(pool.fee_growth)
            .put(pool.deficit)
            .put(ticks.0.len());
        for (index, tick) in &ticks.0 {
            answer = answer.put(index).put(tick.net).put(tick.gross).put(tick.fall).put(tick.fee_growth_outside);
        }
        answer
    }

    fn position(self, position: &Position) -> Self {
        self.put(position.liquidity)
            .put(position.issued)
            .put(position.accrued_before)
            .put(position.fees_before)
            .put(position.uncollected)
    }

    fn legs(self, legs: &Legs) -> Self {
        self.put(legs.margin).put(legs.st).put(legs.yt).put(legs.discount)
    }

    fn index(self, index: &RateIndex, checkpoints: &[Checkpoint]) -> Self {
        let mut answer = self.put(index.discount).put(index.last_step).put(index.bucket).put(index.carry);
        for checkpoint in checkpoints.iter().filter(|checkpoint| checkpoint.maturity != 0) {
            answer = answer.put(checkpoint.maturity).put(checkpoint.discount);
        }
        answer
    }
}

fn answer(value: impl Display) -> Answer {
    Answer::default().put(value)
}

fn order(words: &mut Words) -> Order {
    let kind = match words.text() {
        "buy-yt" => OrderKind::BuyYt,
        "sell-yt" => OrderKind::SellYt,
        "buy-pt" => OrderKind::BuyPt,
        _ => OrderKind::SellPt,
    };
    let by_st = words.text() == "st";
    let amount = words.n();
    let limit = words.text();
    Order {
        kind,
        amount: if by_st { OrderAmount::St(amount) } else { OrderAmount::Exact(amount) },
        limit_rate: if limit == "-" { None } else { Some(limit.parse().expect("a rate")) },
        max_crossings: words.n(),
        within_liquidity: words.flag(),
    }
}

fn pool_operation(name: &str, words: &mut Words) -> Result<Answer, MathError> {
    let (mut pool, mut ticks) = words.pool();
    match name {
        "accrue" => {
            pool::accrue(&mut pool, &words.moment())?;
            Ok(Answer::default().pool(&pool, &ticks))
        }
        "quote" => {
            let order = order(words);
            let mut steps = vec![Step::default(); order.max_crossings as usize + 1];
            let quoted = quote(&pool, &ticks, &order, &mut steps)?;
            settle(&mut pool, &mut ticks, &quoted, &steps)?;
            let fee = quoted.fee;
            let stopped = format!("{:?}", quoted.stopped_by).to_lowercase();
            let answer = answer(stopped).put(quoted.filled).put(quoted.amount).put(quoted.st_leg);
            let answer = answer.put(fee.total).put(fee.repaid).put(fee.lp).put(fee.insurance).put(fee.protocol);
            Ok(answer.put(quoted.path.crossings).pool(&pool, &ticks))
        }
        "deposit" => {
            let deposit = liquidity::deposit_for(&pool, words.n(), words.n(), words.n())?;
            Ok(answer(deposit.issued).put(deposit.jlp))
        }
        _ => {
            let mut position = words.position();
            let mut bounds = ticks.bounds(&position);
            let answer = match name {
                "add" => {
                    let deposit = liquidity::add_liquidity(&mut pool, &mut position, &mut bounds, words.n())?;
                    answer(deposit.issued).put(deposit.jlp)
                }
                "remove" => {
                    let share = (words.n(), words.n());
                    let removed = liquidity::remove_liquidity(&mut pool, &mut position, &mut bounds, share)?;
                    let answer = answer(removed.liquidity).put(removed.jlp).put(removed.pt).put(removed.yt);
                    answer.put(removed.issued)
                }
                "collect" => answer(liquidity::collect(&pool, &mut position, &bounds)?),
                _ => panic!("unknown operation {name}"),
            };
            ticks.store(&position, &bounds);
            Ok(answer.position(&position).pool(&pool, &ticks))
        }
    }
}

fn operation(words: &mut Words) -> Result<Answer, MathError> {
    let name = words.text().to_string();
    let down = |words: &mut Words| words.text() == "down";
    Ok(match name.as_str() {
        "phi" => answer(fixed::phi_complement(words.n())?),
        "one-minus-exp-neg" => answer(fixed::one_minus_exp_neg(words.n())?),
        "exp-neg" => answer(fixed::exp_neg(words.n())?),
        "mul-div" => {
            let (a, b, divisor) = (words.n(), words.n(), words.n());
            let f = if down(words) { fixed::mul_div_down } else { fixed::mul_div_up };
            answer(f(a, b, divisor)?)
        }
        "div" => {
            let (a, divisor) = (words.n(), words.n());
            let (quotient, rest) = fixed::div_u128(a, divisor)?;
            answer(quotient).put(rest)
        }
        "div-small" => {
            let (quotient, rest) = fixed::div_small(words.n(), words.n())?;
            answer(quotient).put(rest)
        }
        "product-at-least" => {
            let (a, b) = ((words.n(), words.n()), (words.n(), words.n()));
            answer(fixed::product_at_least(a, b))
        }
        "st-to-jlp" => {
            let (st, discount) = (words.n(), words.n());
            answer(if down(words) { units::st_to_jlp_down } else { units::st_to_jlp_up }(st, discount)?)
        }
        "jlp-to-st" => {
            let (jlp, discount) = (words.n(), words.n());
            answer(if down(words) { units::jlp_to_st_down } else { units::jlp_to_st_up }(jlp, discount)?)
        }
        "rate" => {
            let rate = words.n();
            let moment = words.moment();
            answer(rate::yt_price(rate, moment.tau)?)
                .put(rate::pt_price(rate, moment.tau)?)
                .put(rate::yt_integral(rate, moment.tau)?)
                .put(rate::face_value(rate, moment.discount)?)
                .put(rate::yt_value(rate, &moment)?)
                .put(rate::pt_value(rate, &moment)?)
        }
        "tick-rate" => answer(rate::tick_rate(words.n())?),
        "tick-at-rate" => answer(rate::tick_at_rate(words.n(), &words.grid())?),
        "check-tick" => {
            rate::check_tick(words.n(), &words.grid())?;
            answer("ok")
        }
        "fee" => {
            let fee = fee_on(words.n(), &words.fees(), words.n())?;
            answer(fee.total).put(fee.repaid).put(fee.lp).put(fee.insurance).put(fee.protocol)
        }
        "create-pool" => {
            let made = pool::create_pool(words.grid(), words.fees(), words.moment(), words.n())?;
            Answer::default().pool(&made, &TickMap(BTreeMap::new()))
        }
        "accrue" | "quote" | "deposit" | "add" | "remove" | "collect" => pool_operation(&name, words)?,
        "create-oracle" => {
            let oracle = twap::create_oracle(words.n(), words.n(), words.n())?;
            answer(oracle.observed)
        }
        "observe" => {
            let mut oracle = words.oracle();
            twap::observe(&mut oracle, words.n(), words.n())?;
            let average = twap::twap(&oracle, words.n())?;
            let start = answer(average).put(oracle.observed_until).put(oracle.observed);
            oracle.buckets.iter().fold(start, Answer::put)
        }
        "touch" => {
            let mut legs = words.legs();
            account::touch(&mut legs, words.n())?;
            Answer::default().legs(&legs)
        }
        "net" => {
            let mut legs = words.legs();
            account::net(&mut legs)?;
            Answer::default().legs(&legs)
        }
        "add-to-margin" => {
            let mut legs = words.legs();
            account::add_to_margin(&mut legs, words.n())?;
            Answer::default().legs(&legs)
        }
        "reduce" => {
            let mut legs = words.legs();
            account::reduce(&mut legs, words.n(), words.n())?;
            Answer::default().legs(&legs)
        }
        "recount" => {
            let mut t = words.totals();
            account::recount(&mut t, &words.legs(), &words.legs(), words.flag())?;
            let sums = [
                t.margin,
                t.st,
                t.debt,
                t.yt,
                t.yt_at_discount,
                t.short,
                t.short_at_discount,
                t.pt,
                t.issued,
                t.profit,
            ];
            sums.iter().fold(Answer::default(), Answer::put).put(t.open).put(t.debtors)
        }
        "margin" => {
            let (moment, terms, standing) = (words.moment(), words.terms(), words.standing());
            let rates = (words.n(), words.n());
            let legs = words.legs();
            let under = margin::Conditions { moment: &moment, terms: &terms, standing: &standing };
            let at = margin::valuation(&under, &rates, legs.yt)?;
            let gap = |rate, long| margin::valued(rate, &under, long).map(|valued| valued.gap);
            answer(at.spot.price)
                .put(at.twap.price)
                .put(at.worst)
                .put(gap(rates.0, true)?)
                .put(gap(rates.0, false)?)
                .put(gap(rates.1, true)?)
                .put(gap(rates.1, false)?)
                .put(margin::assets(&legs, at.spot.price))
                .put(margin::liabilities(&legs, at.spot.price))
                .put(margin::equity(&legs, at.worst))
                .put(margin::gap(&legs, &at)?)
                .put(margin::larger_gap(&legs, &at)?)
                .put(margin::is_spot(&legs, moment.discount)?)
                .put(margin::meets_initial(&legs, &at, &terms)?)
                .put(margin::meets_maintenance(&legs, &at, &terms)?)
        }
        "ratio" => {
            let (price, bps) = (words.n(), words.n());
            let (legs, before) = (words.legs(), words.legs());
            answer(margin::has_ratio(&legs, price, bps))
                .put(margin::ratio_kept(&before, &legs, price, false))
                .put(margin::ratio_kept(&before, &legs, price, true))
        }
        "stood" => {
            let mut s = words.standing();
            margin::stood(&mut s, words.n(), words.n(), words.n(), words.n())?;
            answer(s.since).put(s.low).put(s.high).put(s.low_before).put(s.high_before)
        }
        "guarded" => answer(margin::guarded(words.n(), words.n(), words.n(), words.flag())?),
        "book" => {
            let book = Book { vault: words.n(), fees: words.n(), deficit: words.n() };
            let totals = words.totals();
            let (discount, price, lowest) = (words.n(), words.n(), words.n());
            let backing = margin::backing(&totals, book.deficit, lowest)?;
            answer(margin::lp_equity(&book, &totals, discount, price)?).put(backing.reserve).put(backing.owed)
        }
        "create-index" => {
            let index = accrual::create_index(words.kind(), (words.n(), words.n()), words.n(), words.n())?;
            Answer::default().index(&index, &[])
        }
        "watch" => {
            let (index, mut kept) = words.index();
            accrual::watch_maturity(&index, &mut kept, words.n())?;
            Answer::default().index(&index, &kept)
        }
        "forget" => {
            let (index, mut kept) = words.index();
            accrual::forget_maturity(&mut kept, words.n());
            Answer::default().index(&index, &kept)
        }
        "finalise" => {
            let (index, mut kept) = words.index();
            accrual::finalise(&index, &mut kept, words.n(), words.n())?;
            Answer::default().index(&index, &kept)
        }
        "step" => {
            let (mut index, mut kept) = words.index();
            let earned = Earned { to: words.n(), fees: words.n(), aum: words.n() };
            let paid = accrual::accrue_index(&mut index, &mut kept, &earned)?;
            answer(paid).index(&index, &kept)
        }
        "left" => {
            let (index, _) = words.index();
            let (maturity, tau) = (words.n(), words.n());
            let left = accrual::yield_left(&index, maturity)?;
            answer(left).put(accrual::lowest_discount(&index, maturity)?).put(margin::dearest_rate(left, tau)?)
        }
        other => panic!("unknown operation {other}"),
    })
}

fn main() {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("text");
        let text = match operation(&mut Words(line.split_ascii_whitespace())) {
            Ok(answer) => answer.0,
            Err(error) => format!("error {}", error.name()),
        };
        writeln!(out, "{text}").expect("room for an answer");
    }
}
