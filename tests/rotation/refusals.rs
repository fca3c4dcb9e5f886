//! What no proof helps against.

use super::{PROMOTE, RETIRE, STAGE, Walk};

/// What is refused at the line of `rotation` or, without, of `generation`.
#[track_caller]
fn refused(before: &str, now: &str, expected: &str) {
    let walk = Walk::at(before);
    let ran = walk.check(2, now, &[]).expect_code(2);
    let line = format!("20 |   cas: {{etcd: {{{now}}}}}\n");
    let (head, hint) = ran.stderr.split_once("hint: ").unwrap();
    assert!(head.contains(&line), "{}", ran.stderr);
    let message = head.lines().next().unwrap();
    let hint = hint.strip_suffix("\n\nsealift.yaml: 1 error\n").unwrap();
    assert_eq!(format!("{message}\nhint: {hint}"), expected, "{before} -> {now}");
    assert_eq!(ran.stdout, "");
    // no proof helps
    let _ = walk.check(2, now, &["--unproven", "etcd"]).expect_code(2);
}

#[test]
fn a_whole_message() {
    let walk = Walk::at("");
    let ran = walk.check(2, PROMOTE, &[]).expect_code(2);
    let expected = "error: pki.cas.etcd: `promote` before `stage` was built: no host trusts generation 2 (seed 1, ecdsa-p256) yet
  --> sealift.yaml:20:41
   |
20 |   cas: {etcd: {generation: 2, rotation: promote}}
   |                                         ^^^^^^^
hint: write `rotation: stage`, build, and install it on every host first

sealift.yaml: 1 error
";
    assert_eq!(ran.stderr, expected);
}

#[test]
fn skipped_steps() {
    let steps = "go in three builds, each installed on every host before the next: `rotation: stage`, then `promote`, then `retire`";
    let at_once = |new: &str| {
        format!(
            "error: pki.cas.etcd: {new} at once after generation 1 (seed 1, ecdsa-p256): no host trusts it yet\nhint: {steps}"
        )
    };
    refused("", "generation: 2", &at_once("generation 2 (seed 1, ecdsa-p256)"));
    refused("", RETIRE, &at_once("generation 2 (seed 1, ecdsa-p256)"));
    refused("", "algorithm: ecdsa-p384", &at_once("generation 1 (seed 1, ecdsa-p384)"));
    refused(
        STAGE,
        RETIRE,
        "error: pki.cas.etcd: `promote` is left out: generation 1 (seed 1, ecdsa-p256) is still in use\nhint: write `rotation: promote`, build, and install it on every host first",
    );
    refused(
        STAGE,
        "generation: 2",
        "error: pki.cas.etcd: `promote` is left out: generation 1 (seed 1, ecdsa-p256) is still in use\nhint: write `rotation: promote`, build, and install it on every host first",
    );
    refused(
        PROMOTE,
        "generation: 1",
        "error: pki.cas.etcd: back to generation 1 (seed 1, ecdsa-p256) alone while generation 2 (seed 1, ecdsa-p256) is in use\nhint: build and install `rotation: stage` first: then the old one is in use and both are trusted",
    );
}

#[test]
fn changes_in_the_middle() {
    refused(
        "generation: 2",
        "generation: 4, rotation: stage",
        "error: pki.cas.etcd: generation 3 (seed 1, ecdsa-p256) is replaced, but the cluster has generation 2 (seed 1, ecdsa-p256)\nhint: describe generation 2 (seed 1, ecdsa-p256) as `previous`",
    );
    refused(
        STAGE,
        "generation: 3, rotation: stage, previous: {generation: 1}",
        "error: pki.cas.etcd: another change in the middle of the rotation from generation 1 (seed 1, ecdsa-p256) to generation 2 (seed 1, ecdsa-p256)\nhint: describe the two as they were and go on with `promote`, or go back to generation 1 (seed 1, ecdsa-p256) first, without `rotation`",
    );
    refused(
        PROMOTE,
        "generation: 3, rotation: promote, previous: {generation: 1}",
        "error: pki.cas.etcd: another change in the middle of the rotation from generation 1 (seed 1, ecdsa-p256) to generation 2 (seed 1, ecdsa-p256)\nhint: describe the two as they were and go on with `retire`, or go back to `stage` first",
    );
    refused(
        PROMOTE,
        "generation: 3, rotation: stage",
        "error: pki.cas.etcd: a second rotation before generation 1 (seed 1, ecdsa-p256) is retired\nhint: build and install `rotation: retire` of generation 2 (seed 1, ecdsa-p256) first",
    );
}
