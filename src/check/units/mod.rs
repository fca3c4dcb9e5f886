//! Unit files as systemd reads them: which files of a tree make a unit, in which order, and what
//! holds in the end.
//!
//! The rules are systemd.unit(5)'s (load path, drop-ins, masks, aliases) and systemd.syntax(7)'s, and
//! where these say little, those of systemd's own `conf-parser.c`, `unit-file.c`, `extract-word.c` and
//! `env-file.c`. Nothing is executed, and no link leads out of the tree.

pub mod effective;
pub mod environment;
mod foreign;
pub mod keys;
pub mod load;
pub mod name;
pub mod syntax;
mod tree;
pub mod words;

#[cfg(test)]
mod tests;
