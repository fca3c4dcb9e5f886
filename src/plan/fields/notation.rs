//! How Go and Kubernetes write durations and quantities.

/// Nanoseconds of each unit of time.ParseDuration.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// The most that a Go duration holds: 2^63 nanoseconds, some 292 years.
const MOST_NANOSECONDS: f64 = 9_223_372_036_854_775_807.0;

/// Suffixes of quantities (apimachinery, `pkg/api/resource/suffix.go`), without decimal exponents.
const SUFFIXES: &[&str] =
    &["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Whether Go's time.ParseDuration accepts it: `0`, `1.5h`, `-1h30m`.
pub(super) fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let Some((number, after)) = number(rest) else { return false };
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let Some((_, nanoseconds)) = UNITS.iter().find(|(name, _)| *name == unit) else { return false };
        total += number * nanoseconds;
        rest = after;
    }
    !text.is_empty() && !matches!(text, "+" | "-") && total < MOST_NANOSECONDS
}

/// Whether it is a quantity: `1`, `0.5`, `500m`, `1Gi`, `1e3`.
pub(super) fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let Some((_, suffix)) = number(unsigned) else { return false };
    if SUFFIXES.contains(&suffix) {
        return true;
    }
    let exponent = suffix.strip_prefix(['e', 'E']).map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    exponent.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Decimal digits with at most one point among them, and what follows.
fn number(text: &str) -> Option<(f64, &str)> {
    let mut points = 0;
    let end = text.find(|c: char| {
        points += usize::from(c == '.');
        points > 1 || !(c == '.' || c.is_ascii_digit())
    });
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    // Rust reads `1.` and `.5` as Go does, and refuses a point alone
    Some((digits.parse().ok()?, rest))
}
