//! The `sealift` program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    #![allow(clippy::disallowed_methods, reason = "a program starts with its arguments")]
    ExitCode::from(sealift::cli::run(std::env::args_os()))
}
