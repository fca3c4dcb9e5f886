//! The `sealift` program: arguments in, exit code out.

fn main() {}
