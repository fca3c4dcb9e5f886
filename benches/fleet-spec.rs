//! Prints the spec of a fleet for `benches/memory`: `cargo run --release --example fleet-spec 1000`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::print_stdout)]

mod fleet_spec;

fn main() {
    let hosts = std::env::args().nth(1).expect("usage: fleet-spec HOSTS");
    print!("{}", fleet_spec::spec(hosts.parse().expect("HOSTS is not a number")));
}
