//! Two keepalived instances from installed bundles on one bridge: who holds the addresses, and how long it
//! takes until the other one does.

use super::files::installed;
use super::machine::Machine;
use super::support::etcd::enter_with;
use super::support::example::Built;
use super::support::need;
use super::support::network::bridge;
use super::{BOTH, V4, V6, entry};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_mins(1);

struct Pair {
    machines: [Machine; 2],
    vips: &'static [&'static str],
    what: &'static str,
    /// Its files are in use.
    _built: Built,
}

/// The machines of an entry, both running; none where that cannot be.
fn pair(
    name: &str,
    vips: &'static [&'static str],
    written: &str,
    more: &str,
    what: &'static str,
) -> Option<Pair> {
    let programs = ["keepalived", "curl", "python3"].map(need);
    let [Some(keepalived), Some(curl), Some(_)] = programs else { return None };
    enter_with(name, (keepalived, curl))?;
    bridge("br0");
    let (built, roots) = installed(&entry(written, more), "");
    let machines = [0, 1].map(|number| Machine::new(number, &roots[number]));
    let mut pair = Pair { machines, vips, what, _built: built };
    pair.machines.iter_mut().for_each(Machine::start);
    Some(pair)
}

impl Pair {
    /// Waits until one machine holds all addresses and the other none, twice in a row; says how long it took
    /// until it held them.
    #[track_caller]
    fn moved(&self, to: usize, event: &str) {
        let begun = Instant::now();
        let settled = || {
            let [new, old] = [&self.machines[to], &self.machines[1 - to]];
            self.vips.iter().all(|vip| new.holds(vip) && !old.holds(vip))
        };
        while !settled() {
            assert!(
                begun.elapsed() < PATIENCE,
                "{}: {event}\n{}\n{}",
                self.what,
                self.machines[0].log(),
                self.machines[1].log()
            );
            sleep(Duration::from_millis(20));
        }
        eprintln!("{}: {event}: {:.1} s", self.what, begun.elapsed().as_secs_f64());
        sleep(Duration::from_secs(2));
        assert!(settled(), "{}: {event}, and not for long", self.what);
    }

    /// Nothing moves.
    #[track_caller]
    fn stays(&self, at: usize, event: &str) {
        sleep(Duration::from_secs(10));
        for vip in self.vips {
            let held = [0, 1].map(|number| self.machines[number].holds(vip));
            assert_eq!(held, [at == 0, at == 1], "{}: {event}: {vip}", self.what);
        }
    }
}

/// Both families, by unicast; the first takes the addresses back.
#[test]
fn unicast_with_preemption() {
    let Some(mut pair) = pair("vrrp::unicast_with_preemption", &[V4, V6], BOTH, "", "unicast") else {
        return;
    };
    pair.moved(0, "start");
    pair.machines[0].is_well(false);
    pair.moved(1, "the check fails");
    pair.machines[0].is_well(true);
    pair.moved(0, "the check succeeds again");
    pair.machines[0].kill();
    pair.moved(1, "keepalived is killed");
    pair.machines[0].start();
    pair.moved(0, "keepalived starts again");
    let begun = Instant::now();
    pair.machines[0].link("down");
    while !pair.vips.iter().all(|vip| pair.machines[1].holds(vip)) {
        assert!(begun.elapsed() < PATIENCE, "{}", pair.machines[1].log());
        sleep(Duration::from_millis(20));
    }
    eprintln!("unicast: the host is cut off: {:.1} s", begun.elapsed().as_secs_f64());
}

/// By multicast and with a password; nobody takes the address back.
#[test]
fn multicast_without_preemption() {
    let more = ", multicast: true, preempt: false, password: {}";
    let Some(mut pair) = pair("vrrp::multicast_without_preemption", &[V4], V4, more, "multicast") else {
        return;
    };
    let begun = Instant::now();
    while !pair.machines.iter().any(|machine| machine.holds(V4)) {
        assert!(begun.elapsed() < PATIENCE, "{}", pair.machines[0].log());
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_secs(2));
    let first = usize::from(pair.machines[1].holds(V4));
    pair.machines[first].kill();
    pair.moved(1 - first, "keepalived is killed");
    pair.machines[first].start();
    pair.stays(1 - first, "keepalived starts again");
    pair.machines[1 - first].is_well(false);
    pair.moved(first, "the check fails");
    pair.machines[1 - first].is_well(true);
    pair.stays(first, "the check succeeds again");
}
