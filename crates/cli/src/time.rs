//! Times as people write and read them.

use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// What stands behind a number, and how many seconds it is.
const UNITS: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 60 * 60), ('d', DAY), ('w', 7 * DAY)];

/// The longest time: who wants more wants no end.
const MOST: u64 = 36_525 * DAY;

/// A time such as `30d`.
pub(crate) fn any_time(text: &str) -> Result<Duration, String> {
    let unit = UNITS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)));
    let seconds = unit.and_then(|(number, seconds)| plain(number)?.checked_mul(seconds));
    match seconds {
        Some(seconds) if seconds <= MOST => Ok(Duration::from_secs(seconds)),
        Some(_) => Err("use at most 100 years".to_owned()),
        None => Err("use a number with s, m, h, d or w: 30d".to_owned()),
    }
}

/// A time such as `30d`, which is not over before it begins.
pub(crate) fn some_time(text: &str) -> Result<Duration, String> {
    any_time(text).and_then(|time| if time.is_zero() { Err("use more than nothing".to_owned()) } else { Ok(time) })
}

/// Digits and nothing else.
fn plain(number: &str) -> Option<u64> {
    number.parse().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A moment, to the minute: `2026-11-21T19:30Z`.
pub(crate) fn shown(moment: u64) -> String {
    let (year, month, day) = date(moment / DAY);
    let minutes = moment % DAY / 60;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}Z", minutes / 60, minutes % 60)
}

/// The date so many days after the first of January 1970. Years are counted from March, so that a leap day is the last of
/// its year, and every month but the last has its length by one formula.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_FROM_YEAR_0: u64 = 719_468;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let days = days + DAYS_FROM_YEAR_0;
    let (cycle, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (400 * cycle + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_as_its_date_and_minute() {
        let cases = [
            (0, "1970-01-01T00:00Z"),
            (86_399, "1970-01-01T23:59Z"),
            (68_169_600, "1972-02-29T00:00Z"),
            (951_782_400, "2000-02-29T00:00Z"),
            (951_868_800, "2000-03-01T00:00Z"),
            (1_000_000_000, "2001-09-09T01:46Z"),
            (1_735_689_599, "2024-12-31T23:59Z"),
            (1_735_689_600, "2025-01-01T00:00Z"),
            (4_107_542_400, "2100-03-01T00:00Z"),
            (4_107_542_399, "2100-02-28T23:59Z"),
            (253_402_300_799, "9999-12-31T23:59Z"),
        ];
        for (moment, text) in cases {
            assert_eq!(shown(moment), text);
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut expected = (1970, 1, 1);
        for days in 0..200_000 {
            assert_eq!(date(days), expected);
            let (year, month, day) = expected;
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            expected = match (month, day == length[usize::try_from(month - 1).unwrap()]) {
                (_, false) => (year, month, day + 1),
                (12, true) => (year + 1, 1, 1),
                (_, true) => (year, month + 1, 1),
            };
        }
    }

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        let cases = [("0s", 0), ("45s", 45), ("10m", 600), ("1h", 3600), ("30d", 2_592_000), ("2w", 1_209_600)];
        for (text, seconds) in cases {
            assert_eq!(any_time(text), Ok(Duration::from_secs(seconds)));
        }
        assert!(any_time("36525d").is_ok());
        let wrong = ["", "d", "30", "1y", "-1d", "+1d", "1.5h", "1 d", "1h30m", "36526d", "99999999999999999999s"];
        for wrong in wrong {
            assert!(any_time(wrong).is_err(), "{wrong}");
        }
        assert!(some_time("0d").is_err() && some_time("1s").is_ok());
    }
}
