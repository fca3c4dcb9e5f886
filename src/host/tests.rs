#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod failures;
mod places;
mod refusals;
