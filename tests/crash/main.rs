//! An install that is killed, or refused, at each of its calls that change files: in between `verify`
//! says so, and the next install ends it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "tests run programs and read files")]

#[path = "../support/mod.rs"]
mod support;

mod afterwards;
mod bundles;
mod errors;
mod machine;
mod strace;

use machine::{Laboratory, Tree, copy, dangling, ids, is_of_install, mixed, tree};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use strace::{Call, calls, wrong};
use support::{Ran, need_working};

static LABORATORY: LazyLock<Laboratory> = LazyLock::new(Laboratory::new);

/// Whether calls can be made to go wrong here.
fn can_inject() -> bool {
    need_working(
        "strace",
        &["-f", "-qq", "-e", "trace=openat", "-e", "inject=openat:signal=KILL:when=9999", "true"],
    )
    .is_some()
}

/// From which state an install of the newer bundle starts.
#[derive(Clone, Copy)]
struct Start {
    name: &'static str,
    before: &'static Tree,
    after: &'static Tree,
}

fn upgrade() -> Start {
    Start { name: "older", before: &LABORATORY.older, after: &LABORATORY.newer }
}

fn first() -> Start {
    Start { name: "bare", before: &LABORATORY.bare, after: &LABORATORY.first }
}

impl Start {
    /// A fresh host in this state, on a worker's bench.
    fn host(&self, bench: &Path) -> PathBuf {
        let root = bench.join("root");
        copy(&LABORATORY.state(self.name), &root);
        root
    }

    fn calls(&self, bench: &Path) -> Vec<Call> {
        let root = self.host(bench);
        let calls = calls(&LABORATORY.command(&root, "b"), bench);
        assert_eq!(&tree(&root), self.after);
        calls
    }
}

/// Does each task once, on as many benches as there are processors.
fn each<T: Sync>(name: &str, tasks: &[T], work: impl Fn(&Path, usize, &T) + Sync) {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get).min(8);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (next, work) = (&next, &work);
            let bench = LABORATORY.bench(&format!("{name}{worker}"));
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(number) else { break };
                    work(&bench, number, task);
                }
            });
        }
    });
}

/// What holds of a host on which an install did not end; whether `verify` says that it was interrupted.
fn judge(start: Start, root: &Path, call: &Call) -> bool {
    let dangling = dangling(root);
    assert_eq!(dangling, Vec::<String>::new(), "{call:?}");
    judge_all_but_manifests(start, root, call)
}

/// The same where files may be missing for a moment.
fn judge_all_but_manifests(start: Start, root: &Path, call: &Call) -> bool {
    let verified = LABORATORY.verify(root);
    let found = ids(&verified);
    let interrupted = found.iter().any(|id| id == "interrupted");
    let now = tree(root);
    let said = format!("{call:?}: {found:?}");
    if interrupted {
        assert_ne!(verified.code, 0, "{said}");
        // nothing of the install itself is a stray
        let strays = verified.stdout.matches("/.sealift-").count();
        assert_eq!(strays, 0, "{said}: {}", verified.stdout);
    } else {
        // the record's directory is made before there is a journal
        let own = |path: &str| matches!(path, "/var" | "/var/lib" | "/var/lib/sealift");
        let same: Tree = now
            .clone()
            .into_iter()
            .filter(|(path, _)| start.before.contains_key(path) || !own(path))
            .collect();
        assert!(
            &now == start.after || &same == start.before,
            "{said}: neither old nor new\n{}",
            differences(&now, start)
        );
    }
    let host: Tree = now.clone().into_iter().filter(|(path, _)| !is_of_install(path)).collect();
    let record = "/var/lib/sealift/installed.json";
    if now.contains_key(record) && now.get(record).map(digest) == start.after.get(record).map(digest) {
        let plain = |tree: &Tree| -> Tree {
            tree.iter().map(|(path, line)| (path.clone(), without_links(line))).collect()
        };
        assert_eq!(plain(&host), plain(start.after), "{said}: the record says more than is true");
    }
    let mixed = mixed(&now, [start.before, start.after]);
    assert!(mixed.is_empty() || interrupted, "{said}: {mixed:?}");
    interrupted
}

fn digest(line: impl AsRef<str>) -> String {
    line.as_ref().rsplit(' ').next().unwrap().to_owned()
}

/// A kept second name counts as a link.
fn without_links(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        [mode, owner, "links", _, digest] => format!("{mode} {owner} {digest}"),
        _ => line.to_owned(),
    }
}

fn differences(now: &Tree, start: Start) -> String {
    let mut paths: Vec<&String> = now.keys().chain(start.before.keys()).chain(start.after.keys()).collect();
    paths.sort();
    paths.dedup();
    let differs = |path: &&&String| now.get(**path) != start.before.get(**path);
    let lines = paths.iter().filter(differs).map(|path| {
        format!(
            "{path}\n  is     {:?}\n  before {:?}\n  after  {:?}\n",
            now.get(*path),
            start.before.get(*path),
            start.after.get(*path)
        )
    });
    lines.collect()
}

/// The next install of the newer bundle makes exactly that of the host, and tells what it found.
fn ends(start: Start, root: &Path, interrupted: bool, said: &str) {
    let next = LABORATORY.install(root, "b");
    assert_eq!(next.code, 0, "{said}: {next:?}");
    let json: serde_json::Value = serde_json::from_str(&next.stdout).unwrap();
    assert_eq!(json["recovered"].is_object(), interrupted, "{said}: {}", next.stdout);
    assert_eq!(next.stderr.contains("was interrupted"), interrupted, "{said}: {}", next.stderr);
    let now = tree(root);
    assert!(&now == start.after, "{said}: not the new state\n{}", differences(&now, start));
    let _ = LABORATORY.verify(root).expect_code(0);
}

fn killed(ran: &Ran, call: &Call) {
    assert_eq!(ran.code, 128 + 9, "{call:?} was not reached: {ran:?}");
}

fn kill_everywhere(name: &str, start: Start) {
    let calls = start.calls(&LABORATORY.bench(name));
    let kinds = calls.iter().fold(BTreeMap::new(), |mut kinds, call| {
        *kinds.entry(call.name.as_str()).or_insert(0) += 1;
        kinds
    });
    println!("{name}: {} calls: {kinds:?}", calls.len());
    let (mixes, open) = (AtomicUsize::new(0), AtomicUsize::new(0));
    each(name, &calls, |bench, number, call| {
        let root = start.host(bench);
        killed(&wrong(&LABORATORY.command(&root, "b"), call, "signal=KILL", ""), call);
        let interrupted = judge(start, &root, call);
        open.fetch_add(usize::from(interrupted), Ordering::Relaxed);
        mixes.fetch_add(mixed(&tree(&root), [start.before, start.after]).len(), Ordering::Relaxed);
        if start.name == "older" && number % 5 == 0 {
            // and back
            let other = bench.join("back");
            copy(&root, &other);
            let back = LABORATORY.install(&other, "a");
            assert_eq!(back.code, 0, "{call:?}: {back:?}");
            let now = tree(&other);
            // the second name of a managed file is drift, which it mends, and a break of its own
            let plain = |tree: &Tree| -> Vec<String> {
                tree.iter().map(|(path, line)| format!("{path} {}", without_links(line))).collect()
            };
            // of an install that was committed nothing is taken back
            let committed = now == LABORATORY.back && !back.stdout.contains("taken-back");
            assert!(
                plain(&now) == plain(start.before) || committed,
                "{call:?}: not the old state\n{}",
                differences(&now, start)
            );
        }
        ends(start, &root, interrupted, &format!("{number} {call:?}"));
    });
    let (mixes, open) = (mixes.into_inner(), open.into_inner());
    println!("{name}: {open} interrupted, {mixes} with a mixed pair");
    // Else this test would prove nothing.
    assert!(calls.len() > 100 && open * 10 > calls.len() * 8, "{open} of {}", calls.len());
    assert!(mixes > 0, "no kill between key and certificate");
}

#[test]
fn an_upgrade_is_killed_at_every_call() {
    if can_inject() {
        kill_everywhere("upgrade", upgrade());
    }
}

#[test]
fn a_first_install_is_killed_at_every_call() {
    if can_inject() {
        kill_everywhere("first", first());
    }
}

/// The way back is killed too, at calls of several ways back.
#[test]
fn what_ends_an_interrupted_install_is_killed() {
    if !can_inject() {
        return;
    }
    let start = upgrade();
    let bench = LABORATORY.bench("again");
    let calls_of_install = start.calls(&bench);
    let mut tasks = Vec::new();
    for share in [3, 5, 6, 7, 8, 9] {
        let point = calls_of_install[calls_of_install.len() * share / 10].clone();
        let root = start.host(&bench);
        killed(&wrong(&LABORATORY.command(&root, "b"), &point, "signal=KILL", ""), &point);
        let next = calls(&LABORATORY.command(&root, "b"), &bench);
        tasks.extend(
            next.into_iter()
                .enumerate()
                .filter(|(at, _)| at % 6 == share % 6)
                .map(|(_, call)| (point.clone(), call)),
        );
    }
    println!("{} kills of the next install", tasks.len());
    each("again", &tasks, |bench, _, (point, call)| {
        let root = start.host(bench);
        killed(&wrong(&LABORATORY.command(&root, "b"), point, "signal=KILL", ""), point);
        killed(&wrong(&LABORATORY.command(&root, "b"), call, "signal=KILL", ""), call);
        let interrupted = judge(start, &root, call);
        ends(start, &root, interrupted, &format!("{point:?}, then {call:?}"));
    });
}

/// The system refuses one call, or all of that name from there on.
fn refuse_everywhere(name: &str, start: Start) {
    let calls = start.calls(&LABORATORY.bench(name));
    let taken_back = AtomicUsize::new(0);
    each(name, &calls, |bench, number, call| {
        let error = ["ENOSPC", "EIO", "EROFS", "EDQUOT", "EACCES"][number % 5];
        // without any write, nobody could be told
        let later = if number % 3 == 0 && call.name != "write" { "+" } else { "" };
        let root = start.host(bench);
        let ran = wrong(&LABORATORY.command(&root, "b"), call, &format!("error={error}"), later);
        let said = format!("{error}{later} at {call:?}: {ran:?}");
        let now = tree(&root);
        let interrupted = match ran.code {
            // harmless, or all was done
            0 => {
                assert!(&now == start.after, "{said}\n{}", differences(&now, start));
                false
            }
            7 => {
                assert!(ran.stderr.contains("hint: "), "{said}");
                let interrupted = judge(start, &root, call);
                if !interrupted {
                    taken_back.fetch_add(1, Ordering::Relaxed);
                    // where removing fails too, the record's directory may stay
                    let exact = later.is_empty() || start.name == "older";
                    assert!(&now == start.before || !exact, "{said}\n{}", differences(&now, start));
                    assert!(&now != start.after, "{said}");
                }
                interrupted
            }
            _ => panic!("{said}"),
        };
        ends(start, &root, interrupted, &said);
    });
    let taken_back = taken_back.into_inner();
    println!("{name}: {taken_back} of {} left the host as it was", calls.len());
    assert!(taken_back * 2 > calls.len(), "{taken_back} of {}", calls.len());
}

#[test]
fn an_upgrade_is_refused_every_call() {
    if can_inject() {
        refuse_everywhere("refused", upgrade());
    }
}

#[test]
fn a_first_install_is_refused_every_call() {
    if can_inject() {
        refuse_everywhere("refused-first", first());
    }
}
