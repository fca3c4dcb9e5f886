//! The key that signs is replaced in three builds: what each host trusts at each step, whom it refuses, and what
//! a host that missed a step needs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "prepares specs and runs the binary")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::archive::member;
use support::example::{Built, HOSTS, replaced, spec_of_today};
use support::{Ran, sealift, tree};

/// The example of today with this as `signing`, and a revision.
fn spec(revision: u32, signing: &str) -> String {
    let text = replaced(&spec_of_today(), "  revision: 1\n", &format!("  revision: {revision}\n"));
    if signing.is_empty() {
        text
    } else {
        replaced(&text, "pki:\n", &format!("signing: {{{signing}}}\npki:\n"))
    }
}

const STAGE: &str = "generation: 2, rotation: stage";
const PROMOTE: &str = "generation: 2, rotation: promote";
const RETIRE: &str = "generation: 2, rotation: retire";

/// One directory for each build, and hosts' roots in the first one's.
struct Cluster {
    builds: Vec<Built>,
}

impl Cluster {
    /// The builds of all steps, one after the other.
    fn of_all_steps() -> Self {
        let steps = ["", STAGE, PROMOTE, RETIRE];
        let builds = (1..).zip(steps).map(|(revision, step)| Built::of(&spec(revision, step))).collect();
        Self { builds }
    }

    fn root(&self, host: &str) -> PathBuf {
        let root = self.builds[0].path("roots").join(host);
        if root.exists() { root } else { self.builds[0].root(host) }
    }

    /// Installs a step's bundle by the trust that the host has.
    fn install(&self, step: usize, host: &str, arguments: &[&str]) -> Ran {
        self.builds[step].install(host, &self.root(host), arguments)
    }

    /// The same, the first time: the host is given a build's trust file.
    fn first(&self, step: usize, host: &str) {
        let trust = self.builds[step].out().join("trust");
        let _ = self.install(step, host, &["--trust", trust.to_str().unwrap()]).expect_code(0);
    }

    fn trust(&self, host: &str) -> String {
        fs::read_to_string(self.root(host).join("etc/sealift/trust")).unwrap()
    }

    fn verify(&self, host: &str) -> Ran {
        sealift(["verify", "--root", self.root(host).to_str().unwrap()])
    }
}

/// The lines of a build's `trust`.
fn lines(built: &Built) -> Vec<String> {
    let text = fs::read_to_string(built.out().join("trust")).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn manifest(built: &Built, host: &str) -> serde_json::Value {
    serde_json::from_str(member(&built.bundle(host), "manifest.json").text()).unwrap()
}

/// The key of a line, as the manifest has it.
fn key(line: &str) -> String {
    line.split(' ').skip(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn three_steps_over_installed_hosts() {
    let cluster = Cluster::of_all_steps();
    let [before, staged, promoted, retired] = [0, 1, 2, 3].map(|step| lines(&cluster.builds[step]));
    let (old, new) = (&before[0], &retired[0]);
    assert_ne!(old, new);
    assert_eq!(staged, [old.clone(), new.clone()]);
    assert_eq!(promoted, [new.clone(), old.clone()]);
    assert_eq!((before.len(), retired.len()), (1, 1));
    let told = [0, 1, 2, 3].map(|step| manifest(&cluster.builds[step], "infra0")["trust"].clone());
    let keys = |lines: &[String]| serde_json::json!(lines.iter().map(|line| key(line)).collect::<Vec<_>>());
    assert_eq!(told, [serde_json::Value::Null, keys(&staged), keys(&promoted), keys(&retired)]);
    assert_eq!(manifest(&cluster.builds[1], "operator")["trust"], keys(&staged));

    cluster.first(0, "infra0");
    // who administers the host wrote these
    let others = "# the lab's\nffffffffffffffffffffffffffffffff ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs lab\n";
    let file = cluster.root("infra0").join("etc/sealift/trust");
    fs::write(&file, format!("{others}{old}\n")).unwrap();
    for (step, expected) in [
        (1, format!("{others}{old}\n{new}\n")),
        (2, format!("{others}{old}\n{new}\n")),
        (3, format!("{others}{new}\n")),
    ] {
        // the host takes each by what it trusts already
        let _ = cluster.install(step, "infra0", &[]).expect_code(0);
        assert_eq!(cluster.trust("infra0"), expected);
        let _ = cluster.verify("infra0").expect_code(0);
        // the output verifies by its own file, by everybody's both lines, and by the host's
        for trust in [cluster.builds[step].out().join("trust"), file.clone()] {
            let words = ["verify".into(), cluster.builds[step].out(), "--trust".into(), trust];
            let _ = sealift(words).expect_code(0);
        }
        // again is no change
        let again = cluster.install(step, "infra0", &[]).expect_code(0);
        assert!(again.stdout.starts_with("unchanged "), "{}", again.stdout);
    }
}

#[test]
fn a_host_that_missed_a_step() {
    let cluster = Cluster::of_all_steps();
    let root = cluster.root("infra1");
    cluster.first(0, "infra1");
    // stage was missed: what the new key signed says nothing to this host
    for step in [2, 3] {
        let before = tree(&root);
        let ran = cluster.install(step, "infra1", &[]).expect_code(3);
        assert!(ran.stdout.starts_with("not-trusted ") && ran.stdout.contains("--trust"), "{}", ran.stdout);
        assert_eq!(tree(&root), before);
    }
    // given the new key by another way, it goes on; the file that was given is the host's, and then the manifest's
    cluster.first(3, "infra1");
    assert_eq!(cluster.trust("infra1"), format!("{}\n", lines(&cluster.builds[3])[0]));
    let _ = cluster.verify("infra1").expect_code(0);

    // promote was missed: stage is enough
    cluster.first(0, "infra2");
    let _ = cluster.install(1, "infra2", &[]).expect_code(0);
    let _ = cluster.install(3, "infra2", &[]).expect_code(0);
    assert_eq!(cluster.trust("infra2"), format!("{}\n", lines(&cluster.builds[3])[0]));
    let _ = cluster.verify("infra2").expect_code(0);
}

#[test]
fn what_the_old_key_signed_is_worth_nothing_after_retire() {
    let cluster = Cluster::of_all_steps();
    cluster.first(0, "infra0");
    for step in [1, 2, 3] {
        let _ = cluster.install(step, "infra0", &[]).expect_code(0);
    }
    let root = cluster.root("infra0");
    let before = tree(&root);
    // replayed: it does not even come to the revision, and no flag helps
    for step in [0, 1] {
        for more in [&[][..], &["--allow-rollback", "--force", "--allow-expired"]] {
            let ran = cluster.install(step, "infra0", more).expect_code(3);
            assert!(ran.stdout.starts_with("not-trusted "), "{}", ran.stdout);
        }
    }
    // whoever has the old key builds anew, of a later revision, with itself trusted again
    for signing in
        ["", "generation: 2, rotation: stage", "generation: 3, rotation: stage, previous: {generation: 1}"]
    {
        let thief = Built::of(&spec(9, signing));
        let ran = thief.install("infra0", &root, &[]).expect_code(3);
        assert!(ran.stdout.starts_with("not-trusted "), "{}", ran.stdout);
    }
    assert_eq!(tree(&root), before);
    // of promote, the new key's signature holds; the revision is older
    let ran = cluster.install(2, "infra0", &[]).expect_code(5);
    assert!(ran.stdout.starts_with("revision-older "), "{}", ran.stdout);
}

#[test]
fn a_trust_file_that_is_not_the_manifests() {
    let cluster = Cluster::of_all_steps();
    cluster.first(0, "infra0");
    let _ = cluster.install(1, "infra0", &[]).expect_code(0);
    let file = cluster.root("infra0").join("etc/sealift/trust");
    let [old, new] = [0, 1].map(|line| lines(&cluster.builds[1])[line].clone());
    let given = cluster.builds[1].out().join("trust");
    let words = ["verify".into(), "--root".into(), cluster.root("infra0"), "--trust".into(), given.clone()];
    let id = old.split(' ').next().unwrap();
    let strange =
        format!("{id} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs");
    let mend = "  mend: install this host's bundle again, with --trust if it is refused; find out who changed the file\n";
    for (text, expected) in [
        (
            format!("{old}\n{new}\n{strange}\n"),
            format!(
                "trust-differs /etc/sealift/trust: expected only the keys that the manifest names, found {}\n{mend}",
                strange.split_once(' ').unwrap().1
            ),
        ),
        (
            format!("{old}\n"),
            format!(
                "trust-differs /etc/sealift/trust: expected {}, found no line of this key for bundles\n{mend}",
                key(&new)
            ),
        ),
        (
            format!("{old}\n{}\n", new.replace("sealift-bundle,", "")),
            format!(
                "trust-differs /etc/sealift/trust: expected {}, found no line of this key for bundles\n{mend}",
                key(&new)
            ),
        ),
        (
            "nonsense\n".to_owned(),
            format!(
                "trust-differs /etc/sealift/trust: expected a trust file, found line 1: a line reads: CLUSTER-ID namespaces=\"…\" ssh-ed25519 KEY\n{mend}"
            ),
        ),
    ] {
        fs::write(&file, text).unwrap();
        let ran = sealift(&words).expect_code(1);
        assert_eq!(ran.stdout, expected);
    }
    fs::remove_file(&file).unwrap();
    let ran = sealift(&words).expect_code(1);
    assert!(ran.stdout.starts_with("file-missing /etc/sealift/trust\n"), "{}", ran.stdout);
    // install mends it
    let _ = cluster.install(1, "infra0", &["--trust", given.to_str().unwrap()]).expect_code(0);
    let _ = sealift(&words).expect_code(0);
    // lines of other clusters, comments and restrictions are the administrator's
    let theirs =
        format!("# mine\nelsewhere {}\n{id} valid-before=\"20991231Z\" {}\n{new}\n", key(&new), key(&old));
    fs::write(&file, theirs).unwrap();
    let _ = sealift(&words).expect_code(0);
    // a file that others may write is not even read
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let ran = cluster.verify("infra0").expect_code(3);
    assert!(ran.stderr.contains("others may write it"), "{}", ran.stderr);
    let ran = sealift(&words).expect_code(1);
    assert!(ran.stdout.starts_with("mode-mismatch /etc/sealift/trust: "), "{}", ran.stdout);
}

/// Several keys, names and times in one file.
#[test]
fn lines_that_have_ended_or_not_begun() {
    let built = Built::example();
    let line = lines(built)[0].clone();
    let (id, key) = (line.split(' ').next().unwrap(), key(&line));
    let file = |name: &str, text: String| {
        let path = built.path(name);
        fs::write(&path, text).unwrap();
        path
    };
    let verify = |trust: &Path, at: &str| {
        let words = [built.bundle("infra0"), built.out()].map(|path| {
            let words: [PathBuf; 6] =
                ["verify".into(), path, "--trust".into(), trust.to_path_buf(), "--at".into(), at.into()];
            sealift(words)
        });
        let [bundle, output] = words;
        assert_eq!(bundle.code, output.code, "{}\n{}", bundle.stdout, output.stdout);
        (bundle.code, [bundle.stdout, output.stdout])
    };
    let strange = "AAAAC3NzaC1lZDI1NTE5AAAAIOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";
    let ended = file(
        "ended",
        format!(
            "other,{id} valid-before=\"202611302359Z\" {key} old\n{id} ssh-ed25519 {strange}\nother {key}\n"
        ),
    );
    assert_eq!(verify(&ended, "2026-11-25T00:00:00Z").0, 0);
    assert_eq!(verify(&ended, "2026-11-30T23:59:00Z").0, 0);
    let (code, said) = verify(&ended, "2026-11-30T23:59:01Z");
    assert_eq!(code, 3);
    for text in said {
        assert!(text.starts_with("signing-key-expired "), "{text}");
        assert!(text.contains(&format!("found {key}, trusted until 2026-11-30T23:59:00Z\n")), "{text}");
        assert!(text.contains("\n  mend: check this machine's clock; else take a bundle that the cluster's present key signed,"), "{text}");
    }
    let begins = file("begins", format!("{id} valid-after=\"20261201Z\" {key}\n"));
    assert_eq!(verify(&begins, "2026-12-01T00:00:00Z").0, 0);
    let (code, said) = verify(&begins, "2026-11-30T00:00:00Z");
    assert_eq!(code, 3);
    assert!(
        said.iter().all(|text| text.starts_with("not-trusted ")
            && text.contains(", trusted from 2026-12-01T00:00:00Z on\n")),
        "{said:?}"
    );
    // another cluster's line, and one for another use, are none
    for text in [
        format!("other {key}\n"),
        format!("{id} namespaces=\"file\" {key}\n"),
        format!("{id} ssh-ed25519 {strange}\n"),
    ] {
        let (code, said) = verify(&file("others", text), "2026-11-25T00:00:00Z");
        assert_eq!(code, 3);
        assert!(said.iter().all(|text| text.starts_with("not-trusted ")), "{said:?}");
    }
}

/// A restriction that an administrator wrote stays when the manifest trusts that key, and holds.
#[test]
fn an_administrators_time_limit_outlives_a_step() {
    let cluster = Cluster::of_all_steps();
    cluster.first(0, "infra0");
    let file = cluster.root("infra0").join("etc/sealift/trust");
    let old = lines(&cluster.builds[0])[0].clone();
    let limited = old.replace(" namespaces=", " valid-before=\"20991231Z\",namespaces=");
    fs::write(&file, format!("{limited}\n")).unwrap();
    let _ = cluster.install(1, "infra0", &[]).expect_code(0);
    assert_eq!(cluster.trust("infra0"), format!("{limited}\n{}\n", lines(&cluster.builds[1])[1]));
    let _ = cluster.verify("infra0").expect_code(0);
}

/// A spec, the output of the build before, and what `check` says.
fn check(built: &Built, spec: &str, arguments: &[&str]) -> Ran {
    let file = built.path("next.yaml");
    fs::write(&file, spec).unwrap();
    let mut words: Vec<PathBuf> = vec!["check".into(), file, "--previous".into(), built.out()];
    words.extend(arguments.iter().map(PathBuf::from));
    let ran = sealift(words);
    let hide = |text: &str| text.replace(built.path("").to_str().unwrap(), "");
    Ran { code: ran.code, stdout: hide(&ran.stdout), stderr: hide(&ran.stderr) }
}

#[test]
fn check_knows_the_steps() {
    let cluster = Cluster::of_all_steps();
    let last = |ran: &Ran| ran.stdout.lines().last().unwrap_or_default().to_owned();
    let ran = check(&cluster.builds[0], &spec(2, STAGE), &[]).expect_code(0);
    assert_eq!(last(&ran), "signing: staged; next: promote, once every host has this build");
    // a step needs proof from every host
    let ran = check(&cluster.builds[1], &spec(3, PROMOTE), &[]).expect_code(2);
    assert!(
        ran.stderr.starts_with("error: signing: nothing proves that every host has the build before: infra0: no receipt; infra1: no receipt; infra2: no receipt\n"),
        "{}",
        ran.stderr
    );
    let receipts = cluster.builds[1].path("receipts");
    fs::create_dir_all(&receipts).unwrap();
    for host in HOSTS {
        cluster.first(0, host);
        let _ = cluster.install(1, host, &[]).expect_code(0);
        let root = cluster.root(host);
        let said = sealift(["verify", "--format", "json", "--root", root.to_str().unwrap()]).expect_code(0);
        fs::write(receipts.join(format!("{host}.json")), said.stdout).unwrap();
    }
    let with = ["--receipts", receipts.to_str().unwrap()];
    let ran = check(&cluster.builds[1], &spec(3, PROMOTE), &with).expect_code(0);
    assert_eq!(last(&ran), "signing: promoted; next: retire, once every host has this build");
    // a step that is left out
    for (step, next, said) in [
        (0, PROMOTE, "signing: `promote` before `stage` was built"),
        (
            0,
            "generation: 2",
            "signing: generation 2 (seed 1, ed25519) at once after generation 1 (seed 1, ed25519)",
        ),
        (1, RETIRE, "signing: `promote` is left out"),
        (
            2,
            "",
            "signing: back to generation 1 (seed 1, ed25519) alone while generation 2 (seed 1, ed25519) is in use",
        ),
    ] {
        let ran = check(&cluster.builds[step], &spec(9, next), &[]).expect_code(2);
        assert!(ran.stderr.starts_with(&format!("error: {said}")), "{}", ran.stderr);
        assert!(ran.stderr.contains("--unproven signing"), "{}", ran.stderr);
        let ran = check(&cluster.builds[step], &spec(9, next), &["--unproven", "signing"]).expect_code(0);
        assert!(ran.stderr.starts_with(&format!("warning: {said}")), "{}", ran.stderr);
    }
    // what is written wrong is told by itself
    let ran = check(&cluster.builds[0], &spec(2, "rotation: stage"), &[]).expect_code(2);
    assert!(
        ran.stderr
            .starts_with("error: signing.rotation: there is nothing to replace: generation 1 is the first\n"),
        "{}",
        ran.stderr
    );
    // the operators read what to do
    let book = member(&cluster.builds[2].bundle("operator"), "files/etc/sealift/RUNBOOK.md");
    assert!(book.text().contains("\n## The key that signs bundles: promote\n"), "{}", book.text());
}

/// What one step of the build looks like to who compares.
#[test]
fn diff_tells_whom_hosts_trust() {
    let cluster = Cluster::of_all_steps();
    let both = cluster.builds[1].out().join("trust");
    let words = ["diff".into(), cluster.builds[0].out(), cluster.builds[1].out(), "--trust".into(), both];
    let ran = sealift(words).expect_code(1);
    assert!(ran.stdout.contains("trust "), "{}", ran.stdout);
    assert!(ran.stdout.contains(&key(&lines(&cluster.builds[3])[0])), "{}", ran.stdout);
}
