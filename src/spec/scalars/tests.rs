//! Tables of good and bad scalars.
