//! What a build does to a directory that is there already, and what it never does; what is never
//! believed, and what never passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "prepares directories and runs the binary")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use support::example::{Built, replaced, spec, spec_of_today, test_only};
use support::{contents, run, sealift};

/// Writes another spec into the place of the first.
fn change(built: &Built, from: &str, to: &str) {
    fs::write(built.path("sealift.yaml"), replaced(&spec(), from, to)).unwrap();
}

#[track_caller]
fn refused(built: &Built, arguments: &[&str], message: &str) {
    let before = contents(&built.out());
    let ran = built.build(arguments).expect_code(2);
    let said = ran.stderr.replace(built.out().to_str().unwrap(), "OUT");
    assert!(said.starts_with(&format!("error: {message}\nhint: ")), "{said}");
    assert_eq!(contents(&built.out()), before, "a refused build changed the directory");
}

#[test]
fn files_that_no_build_made_stay() {
    let built = Built::of(&spec());
    fs::write(built.out().join("backup.tar.gz"), "precious").unwrap();
    refused(&built, &["--rebuild"], "OUT holds backup.tar.gz, which no build of this cluster made");

    let built = Built::staged(&spec());
    fs::create_dir(built.out()).unwrap();
    fs::write(built.out().join("infra0.tar.gz"), "precious").unwrap();
    refused(&built, &[], "OUT holds infra0.tar.gz, which no build of this cluster made");
}

#[test]
fn another_clusters_output_stays() {
    let built = Built::of(&spec());
    let mut index = fs::read_to_string(built.out().join("index.json")).unwrap();
    index = replaced(&index, "7e570000000000000000000000000001", "7e570000000000000000000000000002");
    fs::write(built.out().join("index.json"), index).unwrap();
    refused(&built, &[], "OUT holds SHA256SUMS, which no build of this cluster made");
}

#[test]
fn one_host_anew_keeps_the_others_or_fails() {
    let built = Built::of(&spec());
    let before = contents(&built.out());
    change(&built, "revision: 1", "revision: 2");
    let ran = built.build(&["--host", "infra1"]).expect_code(0);
    assert!(ran.stdout.ends_with(": infra1 (3 kept as they were)\n"), "{}", ran.stdout);
    let after = contents(&built.out());
    for name in ["infra0.tar.gz", "infra2.tar.gz", "operator.tar.gz"] {
        assert_eq!(before[name], after[name]);
    }
    assert_ne!(before["infra1.tar.gz"], after["infra1.tar.gz"]);

    // signed by another key than today's: nothing there can be kept
    change(&built, "pki:\n", "signing: {generation: 2}\npki:\n");
    refused(&built, &["--host", "infra1"], "OUT does not hold a bundle of infra0 that can be kept");
    let _ = built.build(&[]).expect_code(0);

    fs::write(built.out().join("infra2.tar.gz"), "damaged").unwrap();
    refused(&built, &["--host", "infra1"], "OUT does not hold a bundle of infra2 that can be kept");
    let _ = built.build(&[]).expect_code(0);
}

#[test]
fn one_host_into_a_new_directory_is_that_host_alone() {
    let built = Built::staged(&spec());
    let _ = built.build(&["--host", "infra1"]).expect_code(0);
    let names: Vec<_> = contents(&built.out()).into_keys().collect();
    assert_eq!(names, ["SHA256SUMS", "SHA256SUMS.sig", "index.json", "infra1.tar.gz", "trust"]);
}

#[test]
fn a_kept_bundle_is_the_one_that_a_new_build_makes() {
    let built = Built::of(&spec());
    change(&built, "  infra1:\n", "  infra1:\n    revision: 7\n");
    let kept = built.build(&[]).expect_code(0);
    assert!(kept.stdout.ends_with(": infra1 (3 kept as they were)\n"), "{}", kept.stdout);
    let incremental = contents(&built.out());
    let _ = built.build(&["--rebuild"]).expect_code(0);
    assert_eq!(contents(&built.out()), incremental);
}

#[test]
fn a_link_stays_a_link() {
    let built = Built::staged(&spec());
    fs::create_dir(built.path("real")).unwrap();
    std::os::unix::fs::symlink("real", built.out()).unwrap();
    let _ = built.build(&[]).expect_code(0);
    assert_eq!(fs::read_link(built.out()).unwrap(), Path::new("real"));
    assert!(built.path("real/index.json").is_file());
}

#[test]
fn a_failed_build_leaves_no_directories() {
    let built = Built::staged(&spec());
    let seed = built.path("test-only/seed.age");
    let words = ["build".into(), built.path("sealift.yaml"), "--seed".into(), seed, "-i".into()];
    let more = [test_only("operator.key"), "-o".into(), built.path("a/b/out"), "--templates".into()];
    fs::create_dir_all(built.path("templates/etc/etcd")).unwrap();
    fs::write(built.path("templates/etc/etcd/etcdctl.env.j2"), "{{ nothing }}").unwrap();
    let ran = sealift(words.into_iter().chain(more).chain([built.path("templates")])).expect_code(2);
    assert!(
        ran.stderr.starts_with("error: template /etc/etcd/etcdctl.env: undefined value"),
        "{}",
        ran.stderr
    );
    assert!(!built.path("a").exists());
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    for words in [&["schema"][..], &["completions", "bash"], &["man"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output =
            Command::new(support::SEALIFT).args(words).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.as_str()),
            (Some(7), "error: cannot write the output: no space left on device\n")
        );
    }
    let closed = run(Command::new("bash").args([
        "-c",
        "\"$0\" schema | head -c 1; exit ${PIPESTATUS[0]}",
        support::SEALIFT,
    ]));
    assert_eq!((closed.code, closed.stderr.as_str()), (0, ""));
}

#[test]
fn tolerance_covers_its_own_findings_only() {
    let built = Built::of(&replaced(&spec_of_today(), "leaf: 1y", "leaf: 30d"));
    let root = built.root("infra0");
    let trust = built.out().join("trust").display().to_string();
    let _ = built.install("infra0", &root, &["--trust", &trust]).expect_code(0);
    let verify = |arguments: &[&str]| {
        let base = ["verify", "--root", root.to_str().unwrap(), "--within", "60d"];
        sealift(base.into_iter().chain(arguments.iter().copied())).code
    };
    assert_eq!(verify(&[]), 6);
    assert_eq!(verify(&["--tolerate", "6"]), 0);
    fs::write(root.join("etc/etcd/etcdctl.env"), "changed").unwrap();
    assert_eq!(verify(&[]), 1);
    assert_eq!(verify(&["--tolerate", "6"]), 1, "drift beside what is tolerated");
    assert_eq!(verify(&["--tolerate", "1"]), 6, "expiry beside what is tolerated");
    assert_eq!(verify(&["--tolerate", "1", "--tolerate", "6"]), 0);
    fs::write(root.join("etc/hostname"), "other\n").unwrap();
    assert_eq!(verify(&["--tolerate", "1", "--tolerate", "6"]), 4);
    assert_eq!(verify(&["--tolerate", "4"]), 1);
    for code in ["0", "2", "3", "8", "x"] {
        assert_eq!(verify(&["--tolerate", code]), 2, "{code}");
    }
}

/// Neither what lies beside a bundle nor where the user happens to be says whom to trust.
#[test]
fn trust_is_never_found_by_chance() {
    let built = Built::of(&spec_of_today());
    fs::write(built.out().join("sealift.yaml"), "").unwrap();
    let inside = run(Command::new(support::SEALIFT).args(["verify", "."]).current_dir(built.out()));
    assert_eq!((inside.code, inside.stdout.as_str()), (3, ""));
    assert!(inside.stderr.starts_with("error: nothing says whose signature to trust\n"), "{}", inside.stderr);
    fs::copy(built.out().join("trust"), built.path("trust")).unwrap();
    let beside = run(Command::new(support::SEALIFT).args(["verify", "out"]).current_dir(built.path("")));
    assert_eq!(beside.code, 3);
}

/// The host's own trust file is read through no link, from no pipe, and only when nobody else could
/// have written it.
#[test]
fn a_trust_file_that_others_could_write() {
    let built = Built::of(&spec_of_today());
    let root = built.root("infra0");
    let trust = built.out().join("trust").display().to_string();
    let _ = built.install("infra0", &root, &["--trust", &trust]).expect_code(0);
    let file = root.join("etc/sealift/trust");
    let _ = built.install("infra0", &root, &[]).expect_code(0);
    let refused = || {
        let install = built.install("infra0", &root, &[]).expect_code(3);
        let words = ["verify".into(), "--root".into(), root.clone()];
        assert_eq!(sealift(words).code, 3);
        install.stderr.lines().next().unwrap().replace(root.to_str().unwrap(), "ROOT")
    };
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let said = refused();
    assert!(said.starts_with("error: ROOT/etc/sealift/trust cannot be trusted: mode 0666, owner "), "{said}");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(built.out().join("trust"), &file).unwrap();
    assert!(refused().starts_with("error: ROOT/etc/sealift/trust cannot be trusted: "));
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    assert!(refused().starts_with("error: ROOT/etc/sealift/trust cannot be trusted: "));
}

/// A file that grew beyond all measure is a finding at once, not after it was read.
#[test]
fn a_file_of_a_tebibyte() {
    let built = Built::of(&spec_of_today());
    let root = built.root("infra0");
    let trust = built.out().join("trust").display().to_string();
    let _ = built.install("infra0", &root, &["--trust", &trust]).expect_code(0);
    let file = fs::OpenOptions::new().write(true).open(root.join("etc/etcd/etcdctl.env")).unwrap();
    file.set_len(1 << 40).unwrap();
    let ran = sealift(["verify".into(), "--root".into(), root.clone()]).expect_code(1);
    let expected = "digest-mismatch /etc/etcd/etcdctl.env: expected ";
    assert!(
        ran.stdout.starts_with(expected) && ran.stdout.contains("found 1099511627776 bytes"),
        "{}",
        ran.stdout
    );
    let _ = built.install("infra0", &root, &[]).expect_code(0);
    let _ = sealift(["verify".into(), "--root".into(), root.clone()]).expect_code(0);
}

/// A seed or a keyring that somebody pastes into a spec is not shown again.
#[test]
fn a_seed_in_a_spec_is_not_repeated() {
    let seed = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let keyring = format!("{{\"format\": \"sealift-keyring/v1\", \"seeds\": {{\"1\": \"{seed}\"}}}}");
    for text in [
        format!("seed: {seed}\n"),
        format!("apiVersion: sealift/v1\n# {seed}\n"),
        keyring,
        format!("cluster:\n  - {seed}: 1\n"),
    ] {
        let built = Built::staged(&text);
        let ran = sealift(["check".into(), built.path("sealift.yaml")]).expect_code(2);
        assert!(!ran.stderr.contains("00112233") && !ran.stdout.contains("00112233"), "{}", ran.stderr);
        assert!(ran.stderr.contains("private key"), "{}", ran.stderr);
    }
}
