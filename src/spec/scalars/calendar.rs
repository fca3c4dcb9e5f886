//! When something happens again and again, as systemd's timers say it (systemd.time(7), CALENDAR EVENTS).

use super::{ScalarError, text_scalar};
use std::fmt;
use std::str::FromStr;

/// A calendar event: `hourly`, `*-*-* 03:00`, `Mon..Fri *-*-* 06,18:30 UTC`.
///
/// Of systemd's forms the part that all releases read alike: a word, or weekdays, a date and a time, of which
/// the time alone must be there; numbers, `*`, lists with `,`, ranges with `..` and steps with `/`; `UTC`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Calendar(String);

const WORDS: [&str; 9] =
    ["minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "yearly", "annually"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Calendar {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a calendar event", reason)
                .hint("write it like hourly, 03:00, *-*-* 06,18:30 or Mon..Fri 03:00 UTC; `systemd-analyze calendar` tells when that is")
        };
        if WORDS.contains(&text) {
            return Ok(Self(text.to_owned()));
        }
        let mut parts: Vec<&str> = text.split(' ').collect();
        if parts.last() == Some(&"UTC") {
            parts.pop();
        }
        let time =
            parts.pop().filter(|time| !time.is_empty()).ok_or_else(|| error("it has no time of day"))?;
        let mut rest = parts.as_slice();
        if let [first, after @ ..] = rest
            && first.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            if !first.split(',').all(is_days) {
                return Err(error("a weekday is none of Mon, Tue, Wed, Thu, Fri, Sat, Sun"));
            }
            rest = after;
        }
        match rest {
            [] => {}
            [date] if is_date(date) => {}
            [_] => return Err(error("its date is not YEAR-MONTH-DAY")),
            _ => return Err(error("it is more than weekdays, a date and a time")),
        }
        if !is_time(time) {
            return Err(error("its time is not HOUR:MINUTE or HOUR:MINUTE:SECOND"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// `Mon` or `Mon..Fri`.
fn is_days(text: &str) -> bool {
    let known = |day: &str| DAYS.contains(&day);
    text.split_once("..").map_or_else(|| known(text), |(from, to)| known(from) && known(to))
}

fn is_date(text: &str) -> bool {
    let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] else { return false };
    is_field(year, 1970, 2199) && is_field(month, 1, 12) && is_field(day, 1, 31)
}

fn is_time(text: &str) -> bool {
    match text.split(':').collect::<Vec<_>>()[..] {
        [hour, minute] => is_field(hour, 0, 23) && is_field(minute, 0, 59),
        [hour, minute, second] => is_field(hour, 0, 23) && is_field(minute, 0, 59) && is_field(second, 0, 59),
        _ => false,
    }
}

/// A list of `*`, numbers and ranges, each perhaps with a step.
fn is_field(text: &str, least: u16, most: u16) -> bool {
    let number = |text: &str| {
        let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|number| digits && (least..=most).contains(number))
    };
    let base = |text: &str| match text.split_once("..") {
        Some((from, to)) => matches!((number(from), number(to)), (Some(from), Some(to)) if from < to),
        None => text == "*" || number(text).is_some(),
    };
    let step = |text: &str| {
        let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        digits && text.parse::<u16>().is_ok_and(|step| (1..=most).contains(&step))
    };
    text.split(',').all(|one| match one.split_once('/') {
        Some((from, by)) => base(from) && step(by),
        None => base(one),
    })
}

text_scalar!(Calendar, "calendar", "A calendar event, as systemd's timers have it.", "Mon..Fri 03:00");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use super::{Calendar, WORDS};
    use std::process::Command;

    const GOOD: [&str; 14] = [
        "03:00",
        "*:0/15",
        "*-*-* 03:00",
        "*-*-* 03:00:30",
        "Mon 03:00",
        "Mon..Fri 03:00 UTC",
        "Sat,Sun *-*-* 06,18:30",
        "2027-01..06-1,15 00:00",
        "*-*-01 04:00 UTC",
        "*-1/3-1 0:00",
        "Mon..Wed,Fri 9..17:00/30",
        "*:*:0/10",
        "*-12-31 23:59:59",
        "Sun *-*-1..7 05:00",
    ];
    const BAD: [&str; 22] = [
        "",
        " ",
        "Hourly",
        "daily UTC",
        "25:00",
        "12:60",
        "12",
        "12:00:60",
        "Monday 12:00",
        "Mo 12:00",
        "Mon-Fri 12:00",
        "*-13-* 12:00",
        "*-*-32 12:00",
        "*-* 12:00",
        "*-*-* *-*-* 12:00",
        "12:00 Europe/Berlin",
        "17..9:00",
        "*:0/0",
        "12:00\n",
        "12:00 ",
        "*-*-*  12:00",
        "12:0x",
    ];

    #[test]
    fn what_is_a_calendar_event() {
        for text in GOOD.iter().chain(&WORDS) {
            assert_eq!(text.parse::<Calendar>().map(|it| it.to_string()), Ok((*text).to_owned()));
        }
        for text in BAD {
            assert!(text.parse::<Calendar>().is_err(), "{text:?}");
        }
    }

    /// systemd itself reads all that is taken here.
    #[test]
    fn systemd_agrees() {
        let all: Vec<&str> = GOOD.iter().chain(&WORDS).copied().collect();
        let Ok(ran) = Command::new("systemd-analyze").arg("calendar").args(&all).output() else {
            assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "systemd-analyze is missing");
            return;
        };
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{said}");
    }
}
