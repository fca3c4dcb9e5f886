//! Prints the spec of a fleet for `benches/memory`: `cargo run --release --example fleet-spec 1000`,
//! or `… 1000 kubernetes`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::print_stdout)]

mod fleet_spec;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let hosts = arguments.next().expect("usage: fleet-spec HOSTS [kubernetes]");
    let hosts = hosts.parse().expect("HOSTS is not a number");
    let kubernetes = arguments.next().is_some_and(|kind| kind == "kubernetes");
    let spec = if kubernetes { fleet_spec::kubernetes } else { fleet_spec::spec };
    print!("{}", spec(hosts));
}
