use super::{ByteSize, Length, Retention, ScalarError};
use proptest::prelude::{ProptestConfig, any, proptest};
use std::fmt::Display;
use std::str::FromStr;

fn told<T: FromStr<Err = ScalarError> + Display>(text: &str) -> String {
    match text.parse::<T>() {
        Ok(value) => value.to_string(),
        Err(error) => error.message,
    }
}

#[test]
fn sizes() {
    for (text, expected) in [
        ("1", "1"),
        ("1023", "1023"),
        ("1024", "1KiB"),
        ("1536KiB", "1536KiB"),
        ("8589934592", "8GiB"),
        ("8GiB", "8GiB"),
        ("1024GiB", "1TiB"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "`9223372036854775808` is not a size: it is too large"),
        ("99999999TiB", "`99999999TiB` is not a size: it is too large"),
        ("99999999999999999999", "`99999999999999999999` is not a size: it is too large"),
        ("0", "`0` is not a size: it is none at all"),
        ("0GiB", "`0GiB` is not a size: it is none at all"),
        ("8GB", "`8GB` is not a size: its unit is not KiB, MiB, GiB or TiB"),
        ("8 GiB", "`8 GiB` is not a size: its unit is not KiB, MiB, GiB or TiB"),
        ("1.5GiB", "`1.5GiB` is not a size: its unit is not KiB, MiB, GiB or TiB"),
        ("08GiB", "`08GiB` is not a size: it has a leading zero"),
        ("GiB", "`GiB` is not a size: it does not begin with a whole number"),
        ("-1", "`-1` is not a size: it does not begin with a whole number"),
        ("", "`` is not a size: it does not begin with a whole number"),
    ] {
        assert_eq!(told::<ByteSize>(text), expected);
    }
}

#[test]
fn lengths() {
    let units = "units are h, m, s and ms, each at most once, in this order";
    let no = |text: &str, reason: &str| format!("`{text}` is not a length of time: {reason}");
    for (text, expected) in [
        ("100ms", "100ms".to_owned()),
        ("1000ms", "1s".to_owned()),
        ("90m", "1h30m".to_owned()),
        ("1h0m5s", "1h5s".to_owned()),
        ("0h1s", "1s".to_owned()),
        ("8760h", "8760h".to_owned()),
        ("8761h", no("8761h", "it is longer than a year")),
        ("99999999999999999999h", no("99999999999999999999h", "it is too large")),
        ("18446744073709551615h", no("18446744073709551615h", "it is longer than a year")),
        ("100", no("100", "a number has no unit")),
        ("1d", no("1d", units)),
        ("1s1m", no("1s1m", units)),
        ("1s1s", no("1s1s", units)),
        ("1.5s", no("1.5s", units)),
        ("0s", no("0s", "it has no length")),
        ("0h0m", no("0h0m", "it has no length")),
        ("", no("", "it does not begin with a whole number")),
        ("ms", no("ms", "it does not begin with a whole number")),
    ] {
        assert_eq!(told::<Length>(text), expected);
    }
}

#[test]
fn retentions() {
    let no = |text: &str, reason: &str| format!("`{text}` is not how much history to keep: {reason}");
    for (text, expected) in [
        ("1000", "1000".to_owned()),
        ("8h", "8h".to_owned()),
        ("0", no("0", "it keeps nothing; leave it out to keep all")),
        ("9223372036854775808", no("9223372036854775808", "it is too large")),
        ("01", no("01", "it has a leading zero")),
        ("1d", no("1d", "units are h, m, s and ms, each at most once, in this order")),
        ("", no("", "it does not begin with a whole number")),
    ] {
        assert_eq!(told::<Retention>(text), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,24}", near in "[0-9]{0,20}(h|m|s|ms|KiB|MiB|GiB|TiB|[a-z]{0,3})[0-9]{0,3}(s|ms)?") {
        for text in [text, near] {
            if let Ok(size) = text.parse::<ByteSize>() {
                assert_eq!(size.to_string().parse(), Ok(size));
            }
            if let Ok(length) = text.parse::<Length>() {
                assert_eq!(length.to_string().parse(), Ok(length));
            }
            if let Ok(retention) = text.parse::<Retention>() {
                assert_eq!(retention.to_string().parse(), Ok(retention));
            }
        }
    }

    #[test]
    fn what_is_written_is_read_again(number in any::<u64>()) {
        if let Some(size) = ByteSize::new(number) {
            assert_eq!(size.to_string().parse(), Ok(size));
        }
        if let Some(length) = Length::new(number % 40_000_000_000) {
            assert_eq!(length.to_string().parse(), Ok(length));
            assert_eq!(length.to_string().parse(), Ok(Retention::Period(length)));
        }
    }
}
