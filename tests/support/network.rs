//! Networks of machines and pods: each a network namespace whose `eth0` hangs on a bridge.

use super::etcd::{Process, eventually};
use super::run;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs `ip` with these words.
#[track_caller]
pub(crate) fn ip(words: &[&str]) {
    let _ = run(Command::new("ip").args(words)).expect_code(0);
}

/// A bridge.
pub(crate) fn bridge(name: &str) {
    ip(&["link", "add", name, "type", "bridge"]);
    ip(&["link", "set", name, "up"]);
}

/// A network of its own; it ends with its owner.
pub(crate) struct Network(Process);

impl Network {
    /// With this address, on a bridge, where its end has this name.
    pub(crate) fn new(bridge: &str, end: &str, address: &str) -> Self {
        let holder = Command::new("unshare").args(["--net", "sleep", "infinity"]).spawn().unwrap();
        let network = Self(Process(holder));
        let process = network.0.0.id().to_string();
        // unshare has its new network when it has become sleep
        let program = format!("/proc/{process}/comm");
        eventually("a network namespace", || {
            fs::read_to_string(&program).is_ok_and(|comm| comm == "sleep\n")
        });
        ip(&["link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", &process]);
        ip(&["link", "set", end, "master", bridge, "up"]);
        for words in [
            &["address", "add", &format!("{address}/24"), "dev", "eth0"][..],
            &["link", "set", "lo", "up"],
            &["link", "set", "eth0", "up"],
        ] {
            let _ = run(network.inside("ip").args(words)).expect_code(0);
        }
        network
    }

    /// A program on this network.
    pub(crate) fn inside(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &self.0.0.id().to_string(), "--"]).arg(program.as_ref());
        command
    }
}
