//! The lines of docs/plain-tools.md do what they say, with stock tools: they accept what sealift
//! builds and refuse what was forged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::archive::{Member, member, members, write};
use support::example::{ADDRESSES, Built, HOSTS, VALID_AT, spec_of_today, test_only};
use support::{Ran, copy_tree, need, repository, run, temporary};

/// Every identity of every host, by its number.
const ALL_IDENTITIES: [(usize, &str); 4] = [
    (0, "infra0.age.key"),
    (1, "infra1.ssh_host_ed25519_key"),
    (2, "infra2.age.key"),
    (2, "infra2.ssh_host_ed25519_key"),
];
/// The blocks about one bundle.
const BUNDLE: [&str; 3] = ["bundle", "certificates", "secrets"];

/// Whether all tools are here.
fn tools() -> bool {
    ["tar", "ssh-keygen", "sha256sum", "openssl", "age", "diff"].iter().all(|tool| need(tool).is_some())
}

/// The block of that name.
fn block(name: &str) -> String {
    let text = fs::read_to_string(repository("docs/plain-tools.md")).unwrap();
    let head = format!("```sh plain-tools {name}\n");
    let found: Vec<_> = text.split(&head).skip(1).collect();
    assert_eq!(found.len(), 1, "{head}");
    found[0].split("```").next().unwrap().to_owned()
}

/// An output directory of one's own, with a trust file that came another way.
struct Desk {
    directory: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let directory = temporary();
        copy_tree(&Built::example().out(), &directory.path().join("out"));
        fs::rename(directory.path().join("out/trust"), directory.path().join("trust")).unwrap();
        Self { directory }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn bundle(&self, host: &str) -> PathBuf {
        self.path(&format!("out/{host}.tar.gz"))
    }

    /// Runs these blocks in a new working directory `work`, for one host and identity.
    fn run(&self, blocks: &[&str], number: usize, identity: &Path) -> Ran {
        let work = self.path("work");
        if work.exists() {
            fs::remove_dir_all(&work).unwrap();
        }
        // ssh and age look at the modes of private keys
        let private = self.path("identity");
        let _ = fs::remove_file(&private);
        fs::copy(identity, &private).unwrap();
        fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
        let trust = self.path("trust");
        let cluster = fs::read_to_string(Built::example().path("sealift.yaml")).unwrap();
        let cluster = cluster.split("id: \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let script: String = blocks.iter().map(|name| block(name)).collect();
        run(Command::new("sh")
            .args(["-euc", &script])
            .env("LC_ALL", "C")
            .env("OUT", self.path("out"))
            .env("TRUST", trust)
            .env("CLUSTER", cluster)
            .env("HOST", HOSTS[number])
            .env("ADDRESS", ADDRESSES[number])
            .env("IDENTITY", private)
            .env("AT", VALID_AT.1.to_string())
            .env("WORK", work))
    }

    /// Rewrites infra0's bundle.
    fn forge(&self, change: impl FnOnce(&mut Vec<Member>)) {
        let mut all = members(&self.bundle("infra0"));
        change(&mut all);
        write(&self.bundle("infra0"), &all);
    }

    /// Runs the blocks about infra0's bundle, which must fail and say why.
    #[track_caller]
    fn refuse(&self, blocks: &[&str], reason: &str) {
        let ran = self.run(blocks, 0, &test_only("infra0.age.key"));
        let said = ran.stdout.clone() + &ran.stderr;
        assert!(ran.code != 0 && said.contains(reason), "not refused for {reason:?}: {ran:#?}");
    }
}

#[test]
fn a_good_output_by_every_identity() {
    if !tools() {
        return;
    }
    for (number, identity) in ALL_IDENTITIES {
        let desk = Desk::new();
        let ran = desk.run(&["output", "bundle", "certificates", "secrets"], number, &test_only(identity));
        let ran = ran.expect_code(0);
        let signed = ran.stdout.matches("Good \"sealift-index\" signature for 7e57").count()
            + ran.stdout.matches("Good \"sealift-bundle\" signature for 7e57").count();
        assert_eq!((signed, ran.stdout.matches("server.crt: OK").count()), (2, 3), "{}", ran.stdout);
        let sealed: Vec<_> = members(&desk.bundle(HOSTS[number]))
            .into_iter()
            .filter_map(|member| member.name.strip_suffix(".age").map(str::to_owned))
            .collect();
        assert_eq!(sealed.len(), 4, "{sealed:?}");
        for name in sealed {
            let plain = fs::metadata(desk.path("work").join(&name)).unwrap();
            assert_eq!(plain.permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
}

#[test]
fn forging_nothing_changes_nothing() {
    let desk = Desk::new();
    desk.forge(|_| {});
    assert_eq!(
        fs::read(desk.bundle("infra0")).unwrap(),
        fs::read(Built::example().bundle("infra0")).unwrap()
    );
}

/// `SHA256SUMS` anew, over what is there now.
fn rewrite_sums(all: &mut [Member]) {
    use sha2::{Digest, Sha256};
    let listed = all.iter().filter(|member| !member.name.starts_with("SHA256SUMS"));
    let line =
        |member: &Member| format!("{}  {}\n", hex::encode(Sha256::digest(&member.contents)), member.name);
    let sums: String = listed.map(line).collect();
    all[0].contents = sums.into_bytes();
}

fn named<'a>(all: &'a mut [Member], name: &str) -> &'a mut Member {
    all.iter_mut().find(|member| member.name == name).unwrap()
}

const MANIFEST: &str = "files/etc/kubernetes/manifests/etcd.yaml";

#[test]
fn a_changed_file() {
    if !tools() {
        return;
    }
    let desk = Desk::new();
    desk.forge(|all| named(all, MANIFEST).contents.extend(b"# changed\n"));
    desk.refuse(&["output"], "infra0.tar.gz: FAILED");
    desk.refuse(&BUNDLE, "etcd.yaml: FAILED");
}

#[test]
fn a_changed_file_with_sums_rewritten_to_match() {
    if !tools() {
        return;
    }
    let desk = Desk::new();
    desk.forge(|all| {
        named(all, MANIFEST).contents.extend(b"# changed\n");
        rewrite_sums(all);
    });
    desk.refuse(&BUNDLE, "Could not verify signature");
}

#[test]
fn an_index_rewritten_to_match() {
    if !tools() {
        return;
    }
    let desk = Desk::new();
    desk.forge(|all| named(all, MANIFEST).contents.extend(b"# changed\n"));
    let list = fs::read_to_string(desk.path("out/SHA256SUMS")).unwrap();
    let list: String = list.lines().map(|line| sum_line(&desk, &line[66..])).collect();
    fs::write(desk.path("out/SHA256SUMS"), list).unwrap();
    desk.refuse(&["output"], "Could not verify signature");
}

fn sum_line(desk: &Desk, name: &str) -> String {
    run(Command::new("sha256sum").arg(name).current_dir(desk.path("out"))).expect_code(0).stdout
}

#[test]
fn a_missing_and_an_extra_file() {
    if !tools() {
        return;
    }
    let desk = Desk::new();
    desk.forge(|all| all.retain(|member| member.name != MANIFEST));
    desk.refuse(&BUNDLE, "etcd.yaml: FAILED open or read");
    let desk = Desk::new();
    desk.forge(|all| {
        let extra = Member { name: "files/etc/kubernetes/manifests/evil.yaml".to_owned(), ..all[2].clone() };
        all.push(extra);
    });
    desk.refuse(&BUNDLE, "> files/etc/kubernetes/manifests/evil.yaml");
}

#[test]
fn a_signature_by_another_key() {
    if !tools() {
        return;
    }
    for namespace in ["sealift-bundle", "sealift-index"] {
        let desk = Desk::new();
        let key = desk.path("other");
        let other = key.to_str().unwrap();
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", other]).output();
        assert!(made.unwrap().status.success());
        let sign = |list: &Path| {
            let words = ["-q", "-Y", "sign", "-n", namespace, "-f", other, list.to_str().unwrap()];
            let _ = run(Command::new("ssh-keygen").args(words)).expect_code(0);
        };
        if namespace == "sealift-index" {
            fs::remove_file(desk.path("out/SHA256SUMS.sig")).unwrap();
            sign(&desk.path("out/SHA256SUMS"));
            desk.refuse(&["output"], "Could not verify signature");
            continue;
        }
        let list = desk.path("list");
        fs::write(&list, member(&desk.bundle("infra0"), "SHA256SUMS").contents).unwrap();
        sign(&list);
        desk.forge(|all| all[1].contents = fs::read(desk.path("list.sig")).unwrap());
        desk.refuse(&BUNDLE, "Could not verify signature");
    }
}

#[test]
fn a_signature_for_another_purpose() {
    if !tools() {
        return;
    }
    // the cluster's own key signed this, but as an index
    let desk = Desk::new();
    let (sums, signature) = ["SHA256SUMS", "SHA256SUMS.sig"].map(|name| desk.path("out").join(name)).into();
    desk.forge(|all| {
        all[0].contents = fs::read(&sums).unwrap();
        all[1].contents = fs::read(&signature).unwrap();
    });
    desk.refuse(&BUNDLE, "Could not verify signature");
}

#[test]
fn another_hosts_identity_and_names() {
    if !tools() {
        return;
    }
    let desk = Desk::new();
    let ran = desk.run(&BUNDLE, 0, &test_only("infra1.ssh_host_ed25519_key"));
    assert!(ran.code != 0 && ran.stderr.contains("no identity matched"), "{ran:#?}");
    fs::copy(desk.bundle("infra1"), desk.bundle("infra0")).unwrap();
    desk.refuse(&BUNDLE, "hostname mismatch");
}

/// Public keys as openssl prints them.
fn public_of(kind: &[&str], file: &Path) -> String {
    let ran = run(Command::new("openssl").args(kind).arg("-in").arg(file)).expect_code(0);
    assert!(ran.stdout.starts_with("-----BEGIN PUBLIC KEY-----"), "{ran:?}");
    ran.stdout
}

/// Opens a bundle into a new directory with an identity and returns that directory.
fn opened(host: &str, identity: &str, into: &Path) -> PathBuf {
    for member in members(&Built::example().bundle(host)) {
        let Some(name) = member.name.strip_prefix("files/") else { continue };
        let path = into.join(host).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &member.contents).unwrap();
        if name.strip_suffix(".age").is_some() {
            let plain = path.with_extension("");
            let words =
                [Path::new("-d"), Path::new("-i"), &test_only(identity), Path::new("-o"), &plain, &path];
            let _ = run(Command::new("age").args(words)).expect_code(0);
        }
    }
    into.join(host)
}

#[test]
fn the_ca_key_is_with_the_operators_and_on_no_host() {
    if !tools() {
        return;
    }
    let directory = temporary();
    let operator = opened("operator", "operator.key", directory.path());
    let pki = operator.join("etc/kubernetes/pki");
    let certificate = ["x509", "-noout", "-pubkey"];
    let private = ["pkey", "-pubout"];
    let ca = public_of(&private, &pki.join("etcd/ca.key"));
    assert_eq!(ca, public_of(&certificate, &pki.join("etcd/ca.crt")));
    let client = pki.join("apiserver-etcd-client");
    let public = public_of(&private, &client.with_extension("key"));
    assert_eq!(public, public_of(&certificate, &client.with_extension("crt")));
    for (number, identity) in ALL_IDENTITIES {
        let root = opened(HOSTS[number], identity, directory.path());
        let files = support::tree(&root);
        let private_keys: Vec<_> = files
            .keys()
            .filter(|name| {
                let text = fs::read(root.join(name)).unwrap_or_default();
                String::from_utf8_lossy(&text).contains("PRIVATE KEY")
            })
            .collect();
        let expected = ["healthcheck-client", "peer", "server"]
            .map(|name| format!("etc/kubernetes/pki/etcd/{name}.key"));
        assert_eq!(private_keys, expected.iter().collect::<Vec<_>>(), "{}", HOSTS[number]);
        for key in private_keys {
            assert_ne!(public_of(&private, &root.join(key)), ca, "{key} of {}", HOSTS[number]);
        }
        assert_eq!(public_of(&certificate, &root.join("etc/kubernetes/pki/etcd/ca.crt")), ca);
    }
}

/// No two certificates share a key.
#[test]
fn every_key_is_another() {
    if need("openssl").is_none() {
        return;
    }
    let directory = temporary();
    let mut seen = std::collections::BTreeMap::new();
    for host in HOSTS.into_iter().chain(["operator"]) {
        for member in members(&Built::example().bundle(host)) {
            let certificate = member.name.strip_suffix(".crt");
            if certificate.is_some_and(|name| !name.ends_with("etcd/ca")) {
                let file = directory.path().join("certificate");
                fs::write(&file, &member.contents).unwrap();
                let key = public_of(&["x509", "-noout", "-pubkey"], &file);
                let here = format!("{host}: {}", member.name);
                assert_eq!(seen.insert(key, here.clone()), None, "{here} shares a key");
            }
        }
    }
    assert_eq!(seen.len(), 10);
}

/// README's own lines, in a directory as it describes, on a good bundle and on forged ones.
#[test]
fn the_lines_of_the_readme() {
    if !tools() {
        return;
    }
    let built = Built::of(&spec_of_today());
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let lines = readme.split("```sh plain-tools\n").nth(1).unwrap().split("```").next().unwrap();
    let attempt = |forge: &dyn Fn(&mut Vec<Member>)| {
        let place = temporary();
        let mut all = members(&built.bundle("infra0"));
        forge(&mut all);
        write(&place.path().join("infra0.tar.gz"), &all);
        fs::copy(built.out().join("trust"), place.path().join("trust")).unwrap();
        fs::copy(test_only("infra0.age.key"), place.path().join("infra0.key")).unwrap();
        run(Command::new("bash").args(["-euo", "pipefail", "-c", lines]).current_dir(place.path()))
    };
    let _ = attempt(&|_| {}).expect_code(0);
    let changed = attempt(&|all| named(all, MANIFEST).contents.extend(b"# changed\n"));
    assert!(changed.code != 0 && changed.stdout.contains("etcd.yaml: FAILED"), "{changed:#?}");
    let rewritten = attempt(&|all| {
        named(all, MANIFEST).contents.extend(b"# changed\n");
        rewrite_sums(all);
    });
    let said = rewritten.stdout.clone() + &rewritten.stderr;
    assert!(rewritten.code != 0 && said.contains("Could not verify signature"), "{rewritten:#?}");
    let cut = attempt(&|all| all.retain(|member| member.name != MANIFEST));
    assert!(cut.code != 0 && cut.stderr.contains("etcd.yaml: No such file"), "{cut:#?}");
}

/// Every certificate of every bundle, the CA itself included, by openssl at its strictest.
#[test]
fn openssl_accepts_every_chain() {
    if !tools() {
        return;
    }
    let (mut checked, place) = (0, temporary());
    for host in HOSTS.into_iter().chain(["operator"]) {
        let all = members(&Built::example().bundle(host));
        let certificates =
            all.iter().filter(|member| Path::new(&member.name).extension().is_some_and(|it| it == "crt"));
        let ca = place.path().join("ca.crt");
        fs::write(&ca, &all.iter().find(|member| member.name.ends_with("etcd/ca.crt")).unwrap().contents)
            .unwrap();
        for member in certificates {
            let file = place.path().join("leaf.crt");
            fs::write(&file, &member.contents).unwrap();
            let mut openssl = Command::new("openssl");
            openssl.args(["verify", "-x509_strict", "-attime", &VALID_AT.1.to_string(), "-CAfile"]).arg(&ca);
            if !member.name.ends_with("etcd/ca.crt") {
                openssl.args(["-purpose", "sslclient"]);
            }
            let ran = run(openssl.arg(&file)).expect_code(0);
            assert!(ran.stdout.ends_with("leaf.crt: OK\n"), "{host} {}: {ran:#?}", member.name);
            checked += 1;
        }
    }
    assert_eq!(checked, 3 * 4 + 2);
}

/// The age crate, which is what `verify -i` opens with, on every sealed file of every bundle.
#[test]
fn the_age_crate_opens_every_sealed_file() {
    let built = Built::example();
    let hosts = ALL_IDENTITIES.iter().map(|(number, identity)| (HOSTS[*number], *identity));
    for (host, identity) in hosts.chain([("operator", "operator.key")]) {
        let mut words: Vec<PathBuf> = vec!["verify".into(), built.bundle(host), "--trust".into()];
        words.extend([built.out().join("trust"), "--at".into(), VALID_AT.0.into(), "-i".into()]);
        words.push(test_only(identity));
        let ran = support::sealift(words).expect_code(0);
        assert!(ran.stdout.starts_with("ok "), "{host} by {identity}: {ran:#?}");
    }
}
