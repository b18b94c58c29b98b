//! What the arithmetic can refuse. The names are those of the TypeScript kernel and engine.

/// A refusal: the caller changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MathError {
    /// A quantity outside the range of its type.
    OutOfRange,
    DivisionByZero,
    /// An argument outside a function's stated domain.
    Domain,
    /// A tick that is not a multiple of the spacing inside the market's rate range.
    TickOffGrid,
    /// Time to maturity would rise, or an observation or a step is older than the last.
    TimeBackwards,
    /// The discount would rise.
    DiscountRises,
    /// A coupon, a trade of YT or a deposit after maturity.
    Matured,
    /// A parameter outside its bounds.
    BadParameter,
    /// What the source of a coupon says cannot be.
    BadSource,
    /// A maturity without data is final only after a week.
    TooEarly,
    ZeroAmount,
    /// The rate is at or past the limit, or there is no liquidity before it.
    LimitReached,
    /// No liquidity before as many ticks as may be crossed.
    CrossingsReached,
    /// None in that direction.
    NoLiquidity,
    /// The amount does not pay for one atom.
    AmountTooSmall,
    /// Losses are not yet covered: adding liquidity is closed.
    DeficitStands,
    /// The market's gross liquidity would exceed its bound.
    LiquidityLimit,
    /// Below 1 JLP.
    DepositTooSmall,
    /// A share is num/den with 0 < num <= den <= 2^32, of at least one unit of liquidity.
    ShareOutOfRange,
    /// Nothing to remove or collect.
    PositionEmpty,
    /// A result does not fit its width: no state that the program can reach leads here.
    Overflow,
    /// The caller's room for the steps of a walk is used up.
    TooManySteps,
    /// The caller did not bring a tick that is needed.
    TickMissing,
}

impl MathError {
    /// The code that the TypeScript kernel and engine give to the same refusal.
    pub const fn name(self) -> &'static str {
        match self {
            MathError::OutOfRange => "out-of-range",
            MathError::DivisionByZero => "division-by-zero",
            MathError::Domain => "domain",
            MathError::TickOffGrid => "tick-off-grid",
            MathError::TimeBackwards => "time-backwards",
            MathError::DiscountRises => "discount-rises",
            MathError::Matured => "matured",
            MathError::BadParameter => "bad-parameter",
            MathError::BadSource => "bad-source",
            MathError::TooEarly => "too-early",
            MathError::ZeroAmount => "zero-amount",
            MathError::LimitReached => "limit-reached",
            MathError::CrossingsReached => "crossings-reached",
            MathError::NoLiquidity => "no-liquidity",
            MathError::AmountTooSmall => "amount-too-small",
            MathError::DeficitStands => "deficit-stands",
            MathError::LiquidityLimit => "liquidity-limit",
            MathError::DepositTooSmall => "deposit-too-small",
            MathError::ShareOutOfRange => "share-out-of-range",
            MathError::PositionEmpty => "position-empty",
            MathError::Overflow => "overflow",
            MathError::TooManySteps => "too-many-steps",
            MathError::TickMissing => "tick-missing",
        }
    }
}
