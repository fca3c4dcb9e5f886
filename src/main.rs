//! The `sealift` program: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    sealift::cli::run().into()
}
