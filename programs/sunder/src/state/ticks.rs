//! Where a market's ticks are. The market has a bit for each tick of its grid, so that the next initialised one is found
//! in a few operations on words; the tick itself is in one of the arrays, which a transaction names as far as it needs
//! them.
use super::error::StateError;
use super::generated::{market, tick_array, Market, TickArray, TICKS_PER_ARRAY, TICK_ARRAYS};
use crate::math::error::MathError;
use crate::math::pool::Tick;
use crate::math::swap::{NextTick, Ticks};
use core::ops::{Deref, DerefMut};

const BITS: usize = TICK_ARRAYS * TICKS_PER_ARRAY;

/// The number of the array that holds a tick, and the tick's place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickPlace {
    pub array: usize,
    pub slot: usize,
}

impl<B: Deref<Target = [u8; market::SIZE]>> Market<B> {
    /// Grid ticks from the first to `tick`, down; the tick must not be below the grid. `Malformed`.
    #[inline(always)]
    fn steps(&self, tick: i32) -> Result<usize, StateError> {
        let spacing = u32::from(self.terms_grid_spacing());
        let above = tick.checked_sub(self.terms_grid_min_tick()).ok_or(StateError::OutOfRange)?;
        let above = u32::try_from(above).map_err(|_| StateError::OutOfRange)?;
        let steps = above.checked_div(spacing).ok_or(StateError::Malformed)?;
        Ok(steps as usize)
    }

    /// `OutOfRange` for a tick that is not of the grid, `Malformed`.
    pub fn place_of(&self, tick: i32) -> Result<TickPlace, StateError> {
        let grid = self.grid();
        if tick < grid.min_tick || tick > grid.max_tick {
            return Err(StateError::OutOfRange);
        }
        let steps = self.steps(tick)?;
        if steps >= BITS || self.tick_at(steps) != tick {
            return Err(StateError::OutOfRange);
        }
        Ok(TickPlace { array: steps / TICKS_PER_ARRAY, slot: steps % TICKS_PER_ARRAY })
    }

    /// The first tick of the array of that number: a seed of its address.
    pub fn array_start(&self, array: usize) -> Result<i32, StateError> {
        let start = if array < TICK_ARRAYS { self.tick_at(array * TICKS_PER_ARRAY) } else { i32::MAX };
        if start > self.terms_grid_max_tick() {
            return Err(StateError::OutOfRange);
        }
        Ok(start)
    }

    /// How many arrays the grid needs. `Malformed` for a grid that needs more than there may be.
    pub fn array_count(&self) -> Result<usize, StateError> {
        let count = self.steps(self.terms_grid_max_tick())? / TICKS_PER_ARRAY + 1;
        if count > TICK_ARRAYS {
            return Err(StateError::Malformed);
        }
        Ok(count)
    }

    /// Whether every array of the grid exists. `Malformed`.
    pub fn has_all_arrays(&self) -> Result<bool, StateError> {
        let all = (1u32 << self.array_count()?) - 1;
        Ok(self.tick_arrays() & all == all)
    }

    #[inline(always)]
    fn tick_at(&self, steps: usize) -> i32 {
        self.terms_grid_min_tick() + steps as i32 * i32::from(self.terms_grid_spacing())
    }

    pub fn is_initialised(&self, tick: i32) -> Result<bool, StateError> {
        let TickPlace { array, slot } = self.place_of(tick)?;
        Ok(self.initialised(array)? >> slot & 1 == 1)
    }

    /// The nearest initialised tick above `tick` (when `up`), or at or below it. `tick` is one of the grid or the one
    /// below it. `Malformed`.
    pub fn next_initialised(&self, tick: i32, up: bool) -> Result<Option<i32>, StateError> {
        Ok(self.next_step(tick, up)?.map(|steps| self.tick_at(steps)))
    }

    /// The same in grid ticks from the first.
    #[inline(never)]
    fn next_step(&self, tick: i32, up: bool) -> Result<Option<usize>, StateError> {
        let inside = tick >= self.terms_grid_min_tick();
        let at = if inside { self.steps(tick)? } else { 0 };
        if up {
            self.first_from(if inside { at + 1 } else { 0 })
        } else if inside {
            self.last_until(at)
        } else {
            Ok(None)
        }
    }

    /// The first initialised tick of bit `from` and above.
    #[inline(always)]
    fn first_from(&self, from: usize) -> Result<Option<usize>, StateError> {
        let mut mask = u64::MAX << (from % TICKS_PER_ARRAY);
        for word in from / TICKS_PER_ARRAY..TICK_ARRAYS {
            let found = self.initialised(word)? & mask;
            if found != 0 {
                return Ok(Some(word * TICKS_PER_ARRAY + found.trailing_zeros() as usize));
            }
            mask = u64::MAX;
        }
        Ok(None)
    }

    /// The last initialised tick of bit `until` and below.
    #[inline(always)]
    fn last_until(&self, until: usize) -> Result<Option<usize>, StateError> {
        let until = until.min(BITS - 1);
        let mut mask = u64::MAX >> (TICKS_PER_ARRAY - 1 - until % TICKS_PER_ARRAY);
        for word in (0..=until / TICKS_PER_ARRAY).rev() {
            let found = self.initialised(word)? & mask;
            if found != 0 {
                let bit = TICKS_PER_ARRAY - 1 - found.leading_zeros() as usize;
                return Ok(Some(word * TICKS_PER_ARRAY + bit));
            }
            mask = u64::MAX;
        }
        Ok(None)
    }
}

impl<B: DerefMut<Target = [u8; market::SIZE]>> Market<B> {
    /// Notes whether some position begins or ends at a tick: its gross liquidity is not 0. `OutOfRange` off the grid.
    pub fn mark_initialised(&mut self, tick: i32, initialised: bool) -> Result<(), StateError> {
        let TickPlace { array, slot } = self.place_of(tick)?;
        let (word, bit) = (self.initialised(array)?, 1 << slot);
        self.set_initialised(array, if initialised { word | bit } else { word & !bit })
    }
}

/// The ticks of a trade: a market's bits and the arrays that the transaction brought.
pub struct TradeTicks<'a, 'b, B> {
    market: &'a Market<B>,
    arrays: &'a mut [TickArray<&'b mut [u8; tick_array::SIZE]>],
    /// Where in `arrays` the array of each number is.
    places: [u8; TICK_ARRAYS],
}

/// No array of that number was brought.
const ABSENT: u8 = u8::MAX;

impl<'a, 'b, B: Deref<Target = [u8; market::SIZE]>> TradeTicks<'a, 'b, B> {
    /// `WrongMarket` unless every array is of the market at `key` and begins where one of its arrays does.
    pub fn new(
        market: &'a Market<B>,
        key: &[u8; 32],
        arrays: &'a mut [TickArray<&'b mut [u8; tick_array::SIZE]>],
    ) -> Result<Self, StateError> {
        let mut places = [ABSENT; TICK_ARRAYS];
        for (i, array) in arrays.iter().enumerate() {
            let place = market.place_of(array.start()).map_err(|_| StateError::WrongMarket)?;
            if array.market() != *key || place.slot != 0 {
                return Err(StateError::WrongMarket);
            }
            *places.get_mut(place.array).ok_or(StateError::WrongMarket)? = i as u8;
            // there are few
        }
        Ok(TradeTicks { market, arrays, places })
    }

    /// Which of the arrays brought, and where in it.
    fn find(&self, tick: i32) -> Result<(usize, usize), MathError> {
        let TickPlace { array, slot } = self.market.place_of(tick)?;
        Ok((self.brought(array)?, slot))
    }

    fn brought(&self, number: usize) -> Result<usize, MathError> {
        match self.places.get(number) {
            Some(&place) if place != ABSENT => Ok(usize::from(place)),
            _ => Err(MathError::TickMissing),
        }
    }

    /// A tick of the grid as it is stored: all 0 if no position begins or ends there. `TickMissing`.
    pub fn stored(&self, index: i32) -> Result<Tick, MathError> {
        let (array, slot) = self.find(index)?;
        Ok(self.arrays[array].tick(slot)?)
    }
}

impl<B: Deref<Target = [u8; market::SIZE]>> Ticks for TradeTicks<'_, '_, B> {
    fn next(&self, index: i32, up: bool) -> Result<Option<NextTick>, MathError> {
        let Some(steps) = self.market.next_step(index, up)? else {
            return Ok(None);
        };
        let array = self.brought(steps / TICKS_PER_ARRAY)?;
        let net = self.arrays[array].tick_net(steps % TICKS_PER_ARRAY)?;
        Ok(Some(NextTick { index: self.market.tick_at(steps), net }))
    }

    fn read(&self, index: i32) -> Result<Tick, MathError> {
        let (array, slot) = self.find(index)?;
        let tick = self.arrays[array].tick(slot)?;
        if tick.gross == 0 {
            return Err(MathError::TickMissing);
        }
        Ok(tick)
    }

    fn write(&mut self, index: i32, tick: &Tick) -> Result<(), MathError> {
        let (array, slot) = self.find(index)?;
        Ok(self.arrays[array].set_tick(slot, tick)?)
    }

    fn update(&mut self, index: i32, change: impl FnOnce(&Tick) -> Result<Tick, MathError>) -> Result<(), MathError> {
        let (array, slot) = self.find(index)?;
        let array = &mut self.arrays[array];
        let tick = array.tick(slot)?;
        if tick.gross == 0 {
            return Err(MathError::TickMissing);
        }
        Ok(array.set_tick(slot, &change(&tick)?)?)
    }
}
