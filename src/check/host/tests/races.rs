//! Somebody changes files while verify reads: it never passes what was not there, and never leaves the root.

use super::PLAIN;
use crate::check::host::{Options, verify_host};
use crate::finding::Finding;
use crate::host::testkit::{CONF, Draft, Host, POD, names, trusted};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// How often verify looks, at least.
const LOOKS: u32 = 1000;

fn findings(host: &Host) -> Vec<Finding> {
    let trust = trusted();
    let options = Options {
        trust: &trust,
        at: PLAIN.at,
        within: None,
        expected: None,
        hostname: None,
        addresses: None,
    };
    verify_host(&host.root(), &options).findings
}

/// Verifies while another thread runs `change` over and over, at least so often; all names of findings that
/// were seen.
fn race(host: &Host, least: u32, change: impl Fn(u32) + Sync) -> BTreeSet<String> {
    let (done, changes) = (AtomicBool::new(false), AtomicU32::new(0));
    let mut seen = BTreeSet::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                change(changes.fetch_add(1, Ordering::Relaxed));
            }
        });
        let mut looks = 0;
        let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while looks < LOOKS || changes.load(Ordering::Relaxed) < least {
                let findings = findings(host);
                assert!(!findings.is_empty(), "a pass in look {looks}: the host was never right");
                seen.extend(names(&findings));
                looks += 1;
            }
        }));
        done.store(true, Ordering::Relaxed);
        if let Err(panic) = looked {
            std::panic::resume_unwind(panic);
        }
    });
    seen
}

/// Through the link, a reader finds the right bytes, outside of the root; in the root are wrong ones.
#[test]
fn a_file_swapped_for_a_link() {
    let (host, _) = Host::with(&Draft::new());
    let outside = tempfile::TempDir::new().unwrap();
    fs::copy(host.path(CONF), outside.path().join("conf")).unwrap();
    fs::write(host.path("/wrong"), "conf 2\n").unwrap();
    fs::remove_file(host.path(CONF)).unwrap();
    let seen = race(&host, 2000, |turn| {
        let new = host.path("/new");
        if turn % 2 == 0 {
            symlink(outside.path().join("conf"), &new).unwrap();
        } else {
            fs::copy(host.path("/wrong"), &new).unwrap();
        }
        fs::rename(&new, host.path(CONF)).unwrap();
    });
    // a file that loses its name while it is read has changed
    let possible = ["digest-mismatch", "type-mismatch", "file-missing", "changed-while-reading"];
    let possible = possible.map(|id| format!("{id} {CONF}"));
    assert!(seen.iter().all(|name| possible.contains(name)), "{seen:?}");
    assert!(seen.contains(&possible[0]) && seen.contains(&possible[1]), "the race was none: {seen:?}");
}

/// The directory of a file, swapped for a link to one outside that has the right file.
#[test]
fn a_directory_swapped_for_a_link() {
    let (host, _) = Host::with(&Draft::new());
    let outside = tempfile::TempDir::new().unwrap();
    fs::copy(host.path(CONF), outside.path().join("app.conf")).unwrap();
    fs::write(host.path(CONF), "conf 2\n").unwrap();
    fs::rename(host.path("/etc/app"), host.path("/app")).unwrap();
    let seen = race(&host, 2000, |turn| {
        let place = host.path("/etc/app");
        if turn % 2 == 0 {
            symlink(outside.path(), &place).unwrap();
            fs::remove_file(&place).unwrap();
        } else {
            fs::rename(host.path("/app"), &place).unwrap();
            fs::rename(&place, host.path("/app")).unwrap();
        }
    });
    let possible = ["file-missing /etc/app", "file-missing /etc/app/app.conf", "symlink-in-path /etc/app"];
    let more = ["digest-mismatch /etc/app/app.conf", "changed-while-reading /etc/app"];
    let possible = [&possible[..], &more[..]].concat();
    assert!(seen.iter().all(|name| possible.contains(&name.as_str())), "{seen:?}");
    assert!(seen.contains("symlink-in-path /etc/app"), "the race was none: {seen:?}");
}

/// Two halves, of which one is always wrong: what is read in two moments may look right, and never passes.
#[test]
fn a_file_rewritten_in_place() {
    const HALF: usize = 100_000;
    let mut draft = Draft::new();
    draft.set(POD, &[vec![b'a'; HALF], vec![b'b'; HALF]].concat());
    let (host, _) = Host::with(&draft);
    let states = [(b'a', b'x'), (b'x', b'b')].map(|(one, two)| [vec![one; HALF], vec![two; HALF]].concat());
    fs::write(host.path(POD), &states[0]).unwrap();
    let file = fs::File::options().write(true).open(host.path(POD)).unwrap();
    let seen = race(&host, 500, |turn| {
        use std::os::unix::fs::FileExt;
        // the second half goes wrong before the first comes right, and the other way round
        let (wrong, right) =
            if turn % 2 == 0 { ((0, b'x'), (HALF, b'b')) } else { ((HALF, b'x'), (0, b'a')) };
        for (at, byte) in [wrong, right] {
            file.write_all_at(&vec![byte; HALF], at as u64).unwrap();
        }
        // before Linux 6.13, no time tells two changes within one tick of the clock apart
        thread::sleep(Duration::from_millis(5));
    });
    let possible = ["changed-while-reading", "digest-mismatch"].map(|id| format!("{id} {POD}"));
    assert!(seen.iter().all(|name| possible.contains(name)), "{seen:?}");
    assert!(seen.contains(&possible[0]), "never caught in the act: {seen:?}");
}
