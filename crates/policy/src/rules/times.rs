//! When a rule holds.

/// A point in time, as the caller's clock and calendar have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970, UTC.
    pub seconds: u64,
    /// The day of the week where the user is.
    pub weekday: Weekday,
    /// Minutes since midnight where the user is.
    pub minute_of_day: u16,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "they are the days of the week")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// In a day.
const MINUTES: i64 = 24 * 60;

impl Moment {
    /// The moment so many seconds after 1970, where clocks are so many minutes ahead of UTC.
    pub fn at(seconds: u64, offset_minutes: i32) -> Self {
        let minutes = i64::try_from(seconds / 60).unwrap_or(i64::MAX / 2) + i64::from(offset_minutes);
        // 1 January 1970 was a Thursday.
        let day = (minutes.div_euclid(MINUTES) + 3).rem_euclid(7);
        let weekday = Weekday::ALL.into_iter().zip(0..).find(|(_, number)| *number == day);
        Self {
            seconds,
            weekday: weekday.map_or(Weekday::Thursday, |(weekday, _)| weekday),
            minute_of_day: u16::try_from(minutes.rem_euclid(MINUTES)).unwrap_or_default(),
        }
    }
}

impl Weekday {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// The word for it in rule files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Monday => "mon",
            Self::Tuesday => "tue",
            Self::Wednesday => "wed",
            Self::Thursday => "thu",
            Self::Friday => "fri",
            Self::Saturday => "sat",
            Self::Sunday => "sun",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|day| day.name() == name)
    }

    fn next(self) -> Self {
        let mut after = Self::ALL.into_iter().cycle().skip_while(|day| *day != self).skip(1);
        after.next().unwrap_or(self)
    }
}

/// Some days, and some hours that begin on these days: `mon-fri 18:00-08:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    days: Vec<Weekday>,
    hours: Option<(u16, u16)>,
}

impl Window {
    /// What the text of a window looks like.
    pub(crate) const FORM: &str = "days, hours or both, like \"mon-fri 18:00-08:00\", \"sat-sun\" or \"22:00-06:00\"";

    /// The window of this text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (first, second) = (words.next()?, words.next());
        if words.next().is_some() {
            return None;
        }
        match (days(first), second) {
            (Some(days), None) => Some(Self { days, hours: None }),
            (Some(days), Some(second)) => Some(Self { days, hours: Some(hours(second)?) }),
            (None, None) => Some(Self { days: Weekday::ALL.to_vec(), hours: Some(hours(first)?) }),
            (None, Some(_)) => None,
        }
    }

    /// Whether a moment is in it. Hours that pass midnight belong to the day on which they begin.
    pub(crate) fn holds(&self, now: &Moment) -> bool {
        let Some((from, to)) = self.hours else { return self.days.contains(&now.weekday) };
        let minute = now.minute_of_day;
        let begun = |day: Weekday| day == now.weekday && minute >= from && (minute < to || to <= from);
        let carried = |day: Weekday| to <= from && day.next() == now.weekday && minute < to;
        self.days.iter().any(|day| begun(*day) || carried(*day))
    }
}

fn days(text: &str) -> Option<Vec<Weekday>> {
    let mut all = Vec::new();
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (mut day, to) = (Weekday::named(from)?, Weekday::named(to)?);
        all.push(day);
        while day != to {
            day = day.next();
            all.push(day);
        }
    }
    Some(all)
}

fn hours(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minutes(from)?, minutes(to)?);
    (from != to && from < 24 * 60).then_some((from, to))
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60 || hour == 24 && minute == 0).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(weekday: Weekday, hour: u16, minute: u16) -> Moment {
        Moment { seconds: 0, weekday, minute_of_day: hour * 60 + minute }
    }

    #[test]
    fn a_window_holds_on_its_days_and_hours() {
        use Weekday::{Friday, Monday, Saturday, Sunday, Tuesday};
        for (text, now, expected) in [
            ("sat-sun", moment(Saturday, 0, 0), true),
            ("sat-sun", moment(Monday, 0, 0), false),
            ("sun-mon", moment(Monday, 23, 59), true),
            ("mon,wed", moment(Tuesday, 12, 0), false),
            ("08:00-18:00", moment(Sunday, 8, 0), true),
            ("08:00-18:00", moment(Sunday, 18, 0), false),
            ("22:00-06:00", moment(Sunday, 5, 59), true),
            ("22:00-06:00", moment(Sunday, 6, 0), false),
            ("mon-fri 18:00-08:00", moment(Friday, 18, 0), true),
            ("mon-fri 18:00-08:00", moment(Saturday, 7, 59), true),
            ("mon-fri 18:00-08:00", moment(Monday, 7, 0), false),
            ("mon-fri 18:00-24:00", moment(Monday, 23, 59), true),
        ] {
            assert_eq!(Window::parse(text).unwrap().holds(&now), expected, "{text} {now:?}");
        }
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in
            ["", "monday", "mon-", "8:00-9:00", "08:00-08:00", "24:00-01:00", "08:60-09:00", "mon 08:00", "a b c"]
        {
            assert_eq!(Window::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_has_the_day_and_the_minute_of_where_the_user_is() {
        assert_eq!(Moment::at(0, 0), Moment { seconds: 0, ..moment(Weekday::Thursday, 0, 0) });
        assert_eq!(Moment::at(60, -60), Moment { seconds: 60, ..moment(Weekday::Wednesday, 23, 1) });
        // 21 November 2025, 23:30 UTC, a Friday; in Berlin it is Saturday already.
        let seconds = 1_763_767_800;
        assert_eq!(Moment::at(seconds, 0), Moment { seconds, ..moment(Weekday::Friday, 23, 30) });
        assert_eq!(Moment::at(seconds, 60), Moment { seconds, ..moment(Weekday::Saturday, 0, 30) });
        assert_eq!(Moment::at(u64::MAX, i32::MAX).seconds, u64::MAX);
    }
}
