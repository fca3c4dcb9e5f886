#![allow(clippy::disallowed_methods, reason = "tests prepare the hosts that they look at")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
// Tables of cases.
#![allow(clippy::too_many_lines, clippy::type_complexity)]

mod blocks;
mod failures;
mod places;
mod policies;
mod refusals;
