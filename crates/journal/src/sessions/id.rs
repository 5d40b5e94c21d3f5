//! Names of sessions.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rand;
use responses::json::{Read, WireError, Write, quote};

use super::SessionError;

/// The digits of an id, in the order of their values and of their characters: sorted ids are sorted by time.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// How long an id is.
const LENGTH: usize = 26;

/// How many bits one digit stands for.
const BITS: u32 = 5;

/// How many bits are random.
const RANDOM_BITS: u32 = 80;

/// The last time there is room for: in eight thousand years.
const LAST: u64 = (1 << 48) - 1;

/// The name of a session: when it began, to the millisecond, and 80 random bits, in 26 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u128);

impl SessionId {
    /// A name nobody has, for a session that begins now.
    pub fn fresh(now: u64) -> Result<Self, SessionError> {
        let mut random = [0; 10];
        rand::fill(&mut random).map_err(|_| SessionError::NoRandomness)?;
        Ok(Self::of(now, random))
    }

    /// The name that is made of a time and of these bits.
    pub fn of(now: u64, random: [u8; 10]) -> Self {
        let random = random.iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte));
        Self(u128::from(now.min(LAST)) << RANDOM_BITS | random)
    }

    /// When the session began, in milliseconds since 1970.
    pub fn began(self) -> u64 {
        u64::try_from(self.0 >> RANDOM_BITS).unwrap_or_default()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(LENGTH);
        for place in (0..LENGTH).rev() {
            let bits = self.0.checked_shr(u32::try_from(place).unwrap_or_default() * BITS).unwrap_or_default();
            let digit = usize::try_from(bits & 31).unwrap_or_default();
            text.push(char::from(DIGITS.get(digit).copied().unwrap_or_default()));
        }
        formatter.pad(&text)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The text is no name of a session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the id of a session has {LENGTH} digits and small letters, without i, l, o and u")]
pub struct NoSessionId;

impl FromStr for SessionId {
    type Err = NoSessionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != LENGTH {
            return Err(NoSessionId);
        }
        let mut value: u128 = 0;
        for byte in text.bytes() {
            let digit = DIGITS.iter().position(|digit| *digit == byte).ok_or(NoSessionId)?;
            value =
                value.checked_mul(1 << BITS).and_then(|value| value.checked_add(digit as u128)).ok_or(NoSessionId)?;
        }
        Ok(Self(value))
    }
}

impl Write for SessionId {
    fn write(&self, out: &mut String) {
        quote(&self.to_string(), out);
    }
}

impl<'a> Read<'a> for SessionId {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let found = Cow::read(text)?;
        let no_id = |_| WireError::Shape { expected: "the id of a session", found: found.to_string() };
        found.parse().map_err(no_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_says_when_it_began() {
        for (now, random) in [(0, [0; 10]), (1_795_289_538_123, [0xA5; 10]), ((1 << 48) - 1, [0xFF; 10])] {
            let id = SessionId::of(now, random);
            let text = id.to_string();
            assert_eq!((text.len(), text.parse(), id.began()), (LENGTH, Ok(id), now));
        }
    }

    #[test]
    fn ids_sort_by_time_as_text_too() {
        let ids = [1, 2, 31, 32, 1 << 20, 1 << 40].map(|now| SessionId::of(now, [0xFF; 10]));
        assert!(ids.is_sorted() && ids.map(|id| id.to_string()).is_sorted());
    }

    #[test]
    fn other_text_is_no_id() {
        let good = SessionId::of(1, [7; 10]).to_string();
        for bad in ["", &good[1..], &format!("{good}0"), &good.to_uppercase(), &"z".repeat(26), &"i".repeat(26)] {
            assert_eq!(bad.parse::<SessionId>(), Err(NoSessionId), "{bad}");
        }
    }

    #[test]
    fn fresh_ids_differ() {
        assert_ne!(SessionId::fresh(5).unwrap(), SessionId::fresh(5).unwrap());
    }
}
