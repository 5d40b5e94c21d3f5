//! Budgets: how much of what may be spent. An [`Account`] counts; who wants to spend sets it aside first.
//!
//! ```
//! use policy::budget::{Account, Budget, Spent};
//!
//! let session = Account::root("session s1", Budget { tokens: Some(1000), ..Budget::default() });
//! let agent = session.child("agent a1", Budget::default())?;
//!
//! let at_most = agent.reserve(&Spent { tokens: 300, ..Spent::default() })?;
//! // A model is asked, and says what it used.
//! at_most.settle(&Spent { tokens: 120, ..Spent::default() });
//! assert_eq!(session.left().tokens, Some(880));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod money;
mod prices;

use std::time::Duration;

use config::{ConfigError, Table};

pub use account::{Account, MAX_DEPTH, Reservation, TooDeep};
pub use money::Money;
pub use prices::{NoPrice, Price, Prices, Tokens};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Tokens that a model reads and writes.
    Tokens,
    /// Money by the price table.
    Money,
    /// The time that acts and answers take. Of two at once, both count.
    Time,
    /// Calls of tools.
    Calls,
    /// Bytes written to files.
    BytesWritten,
    /// Bytes of files that were deleted.
    BytesDeleted,
}

impl Kind {
    const COUNT: usize = 6;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Tokens, Self::Money, Self::Time, Self::Calls, Self::BytesWritten, Self::BytesDeleted];

    /// The setting that limits it, in the table `[budget]`.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Money => "dollars",
            Self::Time => "seconds",
            Self::Calls => "calls",
            Self::BytesWritten => "bytes_written",
            Self::BytesDeleted => "bytes_deleted",
        }
    }

    /// So much of it, for a person.
    fn amount(self, amount: u64) -> String {
        match self {
            Self::Tokens => format!("{amount} tokens"),
            Self::Money => Money(amount).to_string(),
            Self::Time => format!("{:?}", Duration::from_nanos(amount)),
            Self::Calls => format!("{amount} calls"),
            Self::BytesWritten => format!("{amount} bytes written"),
            Self::BytesDeleted => format!("{amount} bytes deleted"),
        }
    }
}

/// How much may be spent at most; `None` is without a limit of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    /// Tokens read and written.
    pub tokens: Option<u64>,
    /// Money.
    pub money: Option<Money>,
    /// Time.
    pub time: Option<Duration>,
    /// Calls of tools.
    pub calls: Option<u64>,
    /// Bytes written to files.
    pub bytes_written: Option<u64>,
    /// Bytes of files that were deleted.
    pub bytes_deleted: Option<u64>,
}

/// What was spent, or is to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Tokens read and written.
    pub tokens: u64,
    /// Money.
    pub money: Money,
    /// Time.
    pub time: Duration,
    /// Calls of tools.
    pub calls: u64,
    /// Bytes written to files.
    pub bytes_written: u64,
    /// Bytes of files that were deleted.
    pub bytes_deleted: u64,
}

impl Budget {
    /// Reads the table `[budget]` of the settings: whole numbers, but for `dollars`, which may have six decimals.
    pub fn read(settings: &mut Table) -> Result<Self, ConfigError> {
        let mut table = settings.table("budget")?;
        let budget = Self {
            tokens: table.read(Kind::Tokens.setting())?,
            money: Money::read(&mut table, Kind::Money.setting())?,
            time: table.read(Kind::Time.setting())?.map(Duration::from_secs),
            calls: table.read(Kind::Calls.setting())?,
            bytes_written: table.read(Kind::BytesWritten.setting())?,
            bytes_deleted: table.read(Kind::BytesDeleted.setting())?,
        };
        table.finish()?;
        Ok(budget)
    }

    fn amounts(self) -> Amounts {
        let Self { tokens, money, time, calls, bytes_written, bytes_deleted } = self;
        let money = money.map(|Money(micros)| micros);
        [tokens, money, time.map(nanos), calls, bytes_written, bytes_deleted].map(|limit| limit.unwrap_or(NO_LIMIT))
    }

    fn of(amounts: Amounts) -> Self {
        let limits = amounts.map(|limit| Some(limit).filter(|limit| *limit != NO_LIMIT));
        let [tokens, money, time, calls, bytes_written, bytes_deleted] = limits;
        let (money, time) = (money.map(Money), time.map(Duration::from_nanos));
        Self { tokens, money, time, calls, bytes_written, bytes_deleted }
    }
}

impl Spent {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::of(each(self.amounts(), other.amounts(), u64::saturating_add))
    }

    fn amounts(self) -> Amounts {
        let Self { tokens, money: Money(micros), time, calls, bytes_written, bytes_deleted } = self;
        [tokens, micros, nanos(time), calls, bytes_written, bytes_deleted]
    }

    fn of(amounts: Amounts) -> Self {
        let [tokens, micros, nanos, calls, bytes_written, bytes_deleted] = amounts;
        let (money, time) = (Money(micros), Duration::from_nanos(nanos));
        Self { tokens, money, time, calls, bytes_written, bytes_deleted }
    }
}

/// One number for each of [`Kind::ALL`], in that order; money in millionths of a dollar, time in nanoseconds.
type Amounts = [u64; Kind::COUNT];

/// More than anybody can spend.
const NO_LIMIT: u64 = u64::MAX;

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn each(mut one: Amounts, other: Amounts, of: impl Fn(u64, u64) -> u64) -> Amounts {
    for (one, other) in one.iter_mut().zip(other) {
        *one = of(*one, other);
    }
    one
}

/// Something is not in the budget. Written out, it says what ran out, and what to set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{whose} has {} left of {}, and {} more would be needed: set `{}` in [budget] higher, or ask for less",
    .what.amount(.limit.saturating_sub(*.used)), .what.amount(*.limit), .what.amount(*.wanted), .what.setting()
)]
pub struct OverBudget {
    /// What ran out.
    pub what: Kind,
    /// The limit: a number, millionths of a dollar, or nanoseconds.
    pub limit: u64,
    /// What is spent or set aside of it.
    pub used: u64,
    /// What was to be set aside.
    pub wanted: u64,
    /// Whose limit it is: the account that asked, or one above it.
    pub whose: String,
}

#[cfg(test)]
mod tests;
