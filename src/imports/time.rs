//! Times as people read them.

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;

/// A Unix time as RFC 3339 in UTC, or the bare number outside the years that RFC 3339 can write.
pub(super) fn text(at: i64) -> String {
    OffsetDateTime::from_unix_timestamp(at)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{at} s after 1970"))
}
