//! Points and spans of time. Both are whole seconds: X.509 and tar know nothing finer.

use super::{ScalarError, text_scalar};
use std::fmt;
use std::str::FromStr;
use time::{Date, Month, OffsetDateTime, Time};

/// A point in time: RFC 3339 in UTC, whole seconds, `2026-11-20T00:00:00Z`, years 1970 to 2100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// The point this many seconds after 1970-01-01T00:00:00Z, `None` outside the years 1970 to 2100.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        let year = OffsetDateTime::from_unix_timestamp(seconds).ok()?.year();
        (1970..=2100).contains(&year).then_some(Self(seconds))
    }
}

/// The numbers of `YYYY-MM-DDTHH:MM:SSZ`; `None` when the text has another shape.
fn fields(text: &str) -> Option<[u16; 6]> {
    let shape = "dddd-dd-ddTdd:dd:ddZ";
    let fits = |(s, b): (u8, u8)| if s == b'd' { b.is_ascii_digit() } else { b == s };
    if text.len() != shape.len() || !shape.bytes().zip(text.bytes()).all(fits) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse().ok();
    Some([part(0..4)?, part(5..7)?, part(8..10)?, part(11..13)?, part(14..16)?, part(17..19)?])
}

fn point([year, month, day, hour, minute, second]: [u16; 6]) -> Option<i64> {
    let small = |number: u16| u8::try_from(number).ok();
    let month = Month::try_from(small(month)?).ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, small(day)?).ok()?;
    let time = Time::from_hms(small(hour)?, small(minute)?, small(second)?).ok()?;
    Some(date.with_time(time).assume_utc().unix_timestamp())
}

impl FromStr for Timestamp {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a time", reason).hint("write it like 2026-11-20T00:00:00Z")
        };
        let fields = fields(text).ok_or_else(|| error("it is not RFC 3339 in UTC with whole seconds"))?;
        let seconds = point(fields).ok_or_else(|| error("no calendar has it"))?;
        Self::from_unix(seconds).ok_or_else(|| error("its year is not from 1970 to 2100"))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

text_scalar!(Timestamp, "timestamp", "RFC 3339 in UTC, whole seconds.", "2026-11-20T00:00:00Z");

/// The units of a span with their seconds, from large to small. A year has 365 days, as in kubeadm.
const UNITS: [(char, u64); 5] = [('y', 365 * 86_400), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// The longest span: a hundred years. With the latest timestamp it stays far from X.509's year 9999.
const LONGEST: u64 = 100 * 365 * 86_400;

/// A span of time: `10y`, `30d`, `12h`, `90m`, `45s`, or a sum of these such as `1y6h`.
///
/// Whole seconds, more than none, at most a hundred years; a year has 365 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

impl Span {
    /// 365 days.
    pub const ONE_YEAR: Self = Self(365 * 86_400);
    /// 3650 days.
    pub const TEN_YEARS: Self = Self(3650 * 86_400);

    /// The span of this many seconds, `None` for none and for more than a hundred years.
    pub const fn from_seconds(seconds: u64) -> Option<Self> {
        if seconds == 0 || seconds > LONGEST { None } else { Some(Self(seconds)) }
    }

    /// The length in seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

/// One second, the shortest there is.
impl Default for Span {
    fn default() -> Self {
        Self(1)
    }
}

impl FromStr for Span {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a span of time", reason).hint("write it like 10y, 30d, 12h or 1y6h")
        };
        let mut units = UNITS.iter();
        let mut total: u64 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let end =
                rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(|| error("a number has no unit"))?;
            let (digits, tail) = rest.split_at(end);
            let count =
                super::number::decimal(digits).map_err(|_| error("a number is missing or malformed"))?;
            let unit = tail.chars().next().unwrap_or_default();
            let seconds = units
                .find(|(name, _)| *name == unit)
                .map(|(_, seconds)| *seconds)
                .ok_or_else(|| error("units are y, d, h, m and s, each at most once, in this order"))?;
            total = total.saturating_add(u64::from(count).saturating_mul(seconds));
            rest = tail.get(unit.len_utf8()..).unwrap_or_default();
        }
        if total == 0 {
            return Err(error("it has no length"));
        }
        Self::from_seconds(total).ok_or_else(|| error("it is longer than a hundred years"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        for (name, seconds) in UNITS {
            let count = rest / seconds;
            rest %= seconds;
            if count > 0 {
                write!(f, "{count}{name}")?;
            }
        }
        Ok(())
    }
}

text_scalar!(Span, "span", "A span of time; a year has 365 days.", "1y");
