//! In which order `install` names what restarts.

use super::support::example::Built;
use super::support::opened::machine_file;
use super::support::sealift;
use super::support::stacked::{HOSTS, spec};
use std::fs;
use std::path::PathBuf;

#[test]
fn what_runs_containers_comes_before_the_kubelet_and_that_before_its_pods() {
    let rest = "hostPrep: {containerd: {}, docker: {}}\n";
    // a proxy's drop-ins sort after the kubelet's own files
    let proxy = "  proxy: {http: \"http://p.example:1\"}\n";
    let built = Built::of(&spec("1.36.2", "static-pods", proxy, rest));
    let root = built.root(HOSTS[0]);
    let identity = built.path("cp1.key");
    fs::write(&identity, machine_file(0)).unwrap();
    let words: [PathBuf; 8] = [
        "install".into(),
        built.bundle(HOSTS[0]),
        "-i".into(),
        identity,
        "--root".into(),
        root,
        "--trust".into(),
        built.out().join("trust"),
    ];
    let said = sealift(words).expect_code(0);
    let both = format!("{}{}", said.stdout, said.stderr);
    let restarts: Vec<_> = both.lines().filter_map(|line| line.trim().strip_prefix("restart: ")).collect();
    let rank = |target: &&str| match *target {
        "unit/containerd" | "unit/docker" => 0,
        "kubelet" => 2,
        target if target.starts_with("static-pod/") => 3,
        _ => 1,
    };
    assert!(restarts.is_sorted_by_key(rank), "{restarts:?}");
    assert_eq!(
        restarts.iter().copied().filter(|target| rank(target) == 0).collect::<Vec<_>>(),
        ["unit/containerd", "unit/docker"]
    );
    assert!(restarts.contains(&"kubelet"), "{restarts:?}");
}
