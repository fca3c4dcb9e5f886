//! Everything in sealift that reads bytes from outside, as functions of those bytes.
//!
//! A target fails by panicking: in the reader itself, or here where what was read breaks a promise
//! of the reader. `fuzz_targets/` gives them to libFuzzer, `tests/fuzz_smoke.rs` to stable Rust.
#![allow(unreachable_pub, reason = "tests/fuzz_smoke.rs takes this file as a module")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use sealift::bundle::index::Index;
use sealift::bundle::manifest::{Fields, File, Manifest, Policy};
use sealift::bundle::trust::Trust;
use sealift::bundle::{BUNDLE_NAMESPACE, canonical, consistency, gzip, open, sshsig, sums};
use sealift::check::bundle::verify_bundle;
use sealift::check::{certificates, fields as initial};
use sealift::derive::keyring::Keyring;
use sealift::private_key::PrivateKey;
use sealift::unseal::Identities;
use sealift::verify_key::VerifyKey;
use std::io::Write;
use std::sync::LazyLock;

/// A reader under test.
pub type Target = fn(&[u8]);

/// All targets by name, which is also the name of their directory of seeds.
pub const TARGETS: &[(&str, Target)] = &[
    ("age", age),
    ("archive", archive),
    ("bundle", bundle),
    ("canonical", canonical_json),
    ("certificates", certificates_of),
    ("component_fields", component_fields),
    ("contents", contents),
    ("fields", fields),
    ("identities", identities),
    ("index", index),
    ("journal", journal),
    ("key_matches", key_matches),
    ("keyring", keyring),
    ("kubeconfig", kubeconfig),
    ("manifest", manifest),
    ("manifests", manifests),
    ("patch", patch),
    ("pem", pem),
    ("private_key", private_key),
    ("receipt", receipt),
    ("spec", spec),
    ("sshsig", signature),
    ("sums", list_of_sums),
    ("trust", trust),
    ("units", units),
    ("verify_key", verify_key),
];

/// Whom the seeds are signed by: the published test key of bundles/etcd-static-pods.
const TRUST: &str = include_str!("../seeds/trust/example");

/// Who opens the sealed files of the seeds: the published test key of its host infra0.
const IDENTITY: &[u8] = include_bytes!("../../bundles/etcd-static-pods/test-only/infra0.age.key");

/// A moment at which the seeds' certificates are valid: 2027-01-01.
const AT: i64 = 1_798_761_600;

/// What lies where the manifest of a bundle has certificates: parts between zero bytes, one for each path in
/// turn. And the first part as YAML, as JSON and as a unit.
pub fn contents(data: &[u8]) {
    static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
        canonical::from_bytes(include_bytes!("../seeds/manifest/infra0.json")).expect("a manifest")
    });
    let parts: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    let part = |path: &str| {
        let place = MANIFEST.files.iter().position(|file| file.path == path)?;
        parts.get(place % parts.len()).copied()
    };
    let findings = sealift::check::contents::of_host(&MANIFEST, &part, "mend");
    let texts = ["/a.yaml", "/a.json", "/etc/systemd/system/a.service"];
    let broken =
        texts.iter().filter_map(|path| sealift::check::contents::syntax::check(path, parts[0], path));
    for finding in findings.into_iter().chain(broken) {
        let words = [Some(finding.path.clone()), finding.expected.clone(), finding.found.clone()];
        assert!(!words.iter().flatten().any(|text| text.chars().any(char::is_control)), "{finding:?}");
    }
}

/// What `verify` said on a host, as an operator reads it: nothing of it reaches a terminal as it is.
pub fn receipt(data: &[u8]) {
    if let Ok(read) = sealift::check::receipt::Receipt::parse(data) {
        let texts = [&read.cluster, &read.host, &read.revision, &read.manifest];
        assert!(texts.into_iter().chain(&read.dirt).all(|text| !text.chars().any(char::is_control)));
        assert!(read.dirt.is_sorted());
    }
}

/// A unit file, its words, and a file of variables: read up to any damage, line by line.
pub fn units(data: &[u8]) {
    use sealift::check::units::effective::{World, overrides};
    use sealift::check::units::load::{Part, Unit};
    use sealift::check::units::{environment, syntax, words};
    let file = syntax::read(data);
    let lines = data.iter().filter(|byte| matches!(byte, b'\n' | b'\r' | 0)).count() + 2;
    assert!(file.assignments.is_sorted_by_key(|assignment| assignment.line));
    for assignment in &file.assignments {
        assert!(assignment.line <= lines && !assignment.value.contains(['\n', '\r', '\0']), "{assignment:?}");
        let _ = (words::split(&assignment.value), words::variables(&assignment.value));
    }
    assert!(environment::names(data).iter().all(|name| name.len() <= 3 * data.len()));
    // nothing that is ours is overridden, by whatever is not there
    let (at, path) = (data.len() / 2, |name: &str| format!("/etc/systemd/system/{name}"));
    let (first, second) = data.split_at(at);
    let part = |name, bytes| Part { path: path(name), file: Some(syntax::read(bytes)) };
    let unit = Unit {
        fragment: Some(part("a.service", first)),
        drop_ins: vec![part("a.service.d/1.conf", second)],
        ..Unit::default()
    };
    let world = |listed| World { listed, of_package: &|_| false, names: &|_| None };
    assert!(overrides(&unit, &world(&|_| true)).is_empty());
    assert!(overrides(&unit, &world(&|_| false)).is_empty());
    let _ = overrides(&unit, &world(&|path| path == "/etc/systemd/system/a.service"));
}

/// A kubeconfig: an error or entries, never more than fit into the text.
pub fn kubeconfig(data: &[u8]) {
    if let Ok(Some(found)) = sealift::check::kubeconfig::read(data) {
        let users = found.users.len() + found.clusters.len();
        assert!(users <= data.len(), "more entries than bytes");
    }
}

/// A spec: the reader never fails, and every problem has a place and words. What is taken can be written.
pub fn spec(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let loaded = sealift::spec::load(text);
    for problem in &loaded.problems {
        assert!(problem.position.is_some(), "no place: {problem:?}");
        assert!(!problem.message.is_empty(), "no words: {problem:?}");
    }
    if !loaded.has_errors() {
        let (plan, problems) = sealift::plan::plan(&loaded.spec, &sealift::plan::Facts::default());
        let refused = problems.iter().any(sealift::spec::Problem::is_error);
        for problem in problems {
            drop(loaded.locate(problem));
        }
        for host in plan.hosts.values().chain([&plan.operator]).filter(|_| !refused) {
            // only a patch can make a file that cannot be written
            let patched = |error| matches!(error, sealift::render::RenderError::Patch { .. });
            assert!(RENDERER.templates(host).map_or_else(patched, |_| true));
            assert!(RENDERER.pods(host, &sealift::render::Digests::new()).map_or_else(patched, |_| true));
        }
    }
}

/// A bundle file. What opens is checked to its certificates and sealed files.
pub fn bundle(data: &[u8]) {
    let (Ok(trust), Ok(identities)) = (Trust::parse(TRUST), Identities::parse("infra0", IDENTITY)) else {
        panic!("the seeds' own trust file or identity is broken")
    };
    if let Ok(verified) = open::open(data, "infra0.tar.gz", &trust, AT) {
        let foreign = |file: &File| file.policy == Policy::Foreign;
        let held = |file: &File| verified.contents(&file.path).is_some();
        assert!(verified.manifest().files.iter().all(|file| held(file) != foreign(file)));
        drop(verify_bundle(&verified, AT, Some(86_400), Some(&identities)));
    }
}

/// A tar in the right compression, so that what changes is not caught by gzip's checksum.
pub fn archive(data: &[u8]) {
    let mut encoder = gzip::encoder(Vec::new());
    encoder.write_all(data).expect("writing to memory");
    let packed = encoder.finish().expect("writing to memory");
    assert_eq!(gzip::decode(&packed, data.len()).as_deref(), Ok(data));
    bundle(&packed);
}

/// `manifest.json`: one form for each value.
pub fn manifest(data: &[u8]) {
    if let Ok(manifest) = canonical::from_bytes::<Manifest>(data) {
        assert_eq!(canonical::to_bytes(&manifest).ok().as_deref(), Some(data));
        drop(consistency::check(&manifest));
    }
}

/// Canonical JSON of any shape: one form for each value.
pub fn canonical_json(data: &[u8]) {
    if let Ok(value) = canonical::from_bytes::<serde_json::Value>(data) {
        assert_eq!(canonical::to_bytes(&value).ok().as_deref(), Some(data));
    }
}

/// A trust file.
pub fn trust(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(trust) = Trust::parse(text) {
        // the neutral element of the curve: with it anybody signs
        let neutral = std::array::from_fn(|index| u8::from(index == 0));
        assert!(!trust.knows(BUNDLE_NAMESPACE, &neutral, AT));
    }
}

/// An armored signature, over a message that none of the seeds signs.
pub fn signature(data: &[u8]) {
    assert!(sshsig::verify(data, BUNDLE_NAMESPACE, b"never signed").is_err());
}

/// `SHA256SUMS`: one form for each list.
pub fn list_of_sums(data: &[u8]) {
    if let Ok(list) = sums::parse(data) {
        assert_eq!(sums::write(&list).map(String::into_bytes).as_deref(), Ok(data));
    }
}

/// An identity file. No error may repeat any of it.
pub fn identities(data: &[u8]) {
    match Identities::parse("key", data) {
        Ok(identities) => assert!(!identities.is_empty()),
        Err(error) => assert!(!format!("{error} {error:?}").contains("AGE-SECRET-KEY-1")),
    }
}

/// A sealed file.
pub fn age(data: &[u8]) {
    let identities = Identities::parse("infra0", IDENTITY).expect("the example's own identity");
    if let Ok(plaintext) = identities.open(data) {
        assert!(plaintext.len() < data.len());
    }
}

/// `index.json`: one form for each value.
pub fn index(data: &[u8]) {
    if let Ok(index) = Index::parse(data) {
        assert_eq!(canonical::to_bytes(&index).ok().as_deref(), Some(data));
        assert!(sums::write(&index.sums(data)).is_ok(), "an index that nothing can list");
    }
}

/// The journal of an install: one form for each value, and no step outside of the directories that it
/// stages in.
pub fn journal(data: &[u8]) {
    if let Ok(read) = sealift::check::journal::parse(data) {
        assert_eq!(canonical::to_bytes(&read).ok().as_deref(), Some(data));
        let beside = read.beside();
        for step in &read.steps {
            let path = step.path();
            assert!(path.starts_with('/') && !path.split('/').any(|name| matches!(name, "." | "..")));
            let above =
                path.rsplit_once('/').map_or("/", |(above, _)| if above.is_empty() { "/" } else { above });
            let sets = matches!(step, sealift::check::journal::Step::Set { .. });
            assert!(sets || beside.contains_key(above), "a step elsewhere: {path}");
        }
    }
}

/// The decrypted text of a keyring. No error may repeat a seed.
pub fn keyring(data: &[u8]) {
    if let Err(error) = Keyring::read(data) {
        let message = format!("{error} {error:?}");
        let mut words = message.split(|char: char| !char.is_ascii_hexdigit());
        assert!(words.all(|word| word.len() < 16), "{message}");
    }
}

/// A file that a component rewrites. Nothing of it reaches a terminal as it is.
pub fn fields(data: &[u8]) {
    let of = |format: &str, names: &[&str]| Fields {
        format: format.to_owned(),
        values: names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect(),
    };
    for wanted in [
        of("kubeconfig", &["server", "certificateAuthority", "subject"]),
        of("kubelet-configuration", &["staticPodPath", "authentication.anonymous.enabled"]),
    ] {
        let named = |path: &str, _| Ok((path.len().is_multiple_of(2)).then(|| data.to_vec().into()));
        let found = initial::differences(&wanted, data, &named);
        assert!(!found.is_empty(), "no such digest is x");
        let printable = |text: &str| !text.chars().any(char::is_control);
        assert!(found.iter().all(|it| printable(&it.expected) && printable(&it.found)), "{found:?}");
    }
}

/// A file with certificates. What holds none is never passed over in silence.
pub fn certificates_of(data: &[u8]) {
    let findings = certificates::inspect(data, "/cert", AT, Some(86_400));
    let begins = data.windows(11).any(|window| window == b"-----BEGIN ");
    assert!(begins || !findings.is_empty());
    let _ = certificates::carries_certificates(data);
}

/// A certificate and a private key, with a zero byte between.
pub fn key_matches(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (certificate, key) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let _ = certificates::key_matches(certificate, key);
}

/// A private key: what is written of it is read as the same key. No error may repeat any of it.
pub fn private_key(data: &[u8]) {
    match PrivateKey::from_pem(data) {
        Ok(key) => {
            let written = key.to_pem().expect("a key that was read");
            let again = PrivateKey::from_pem(written.as_bytes()).expect("a key that was written");
            assert_eq!(again.to_pem().expect("a key that was read"), written);
            assert!(key.matches_spki(&again.spki_der().expect("a key that was read")));
        }
        Err(error) => {
            let message = format!("{error} {error:?}");
            let mut words = message.split(|char: char| !char.is_ascii_alphanumeric());
            assert!(words.all(|word| word.len() <= 40), "{message}");
        }
    }
}

/// The file of a host's verify key: one form for each key.
pub fn verify_key(data: &[u8]) {
    if let Some(key) = VerifyKey::parse(data) {
        assert_eq!(key.to_file().as_bytes(), data);
    }
}

/// A configuration in a component's own words: no field's name or value reaches a terminal as it is.
pub fn component_fields(data: &[u8]) {
    use sealift::plan::fields::{Configuration, FIRST, LAST, check};
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(value) = sealift::spec::yaml::document(text) else { return };
    let path = sealift::spec::Path::root().key("config");
    for kind in [
        Configuration::Kubelet,
        Configuration::KubeProxy,
        Configuration::Init,
        Configuration::Join,
        Configuration::Cluster,
    ] {
        for minor in [FIRST, LAST] {
            for problem in check(kind, minor, &value, &path) {
                assert!(!problem.message.is_empty(), "no words");
                assert!(!problem.message.chars().any(char::is_control), "{problem:?}");
            }
        }
    }
}

/// A manifest for the operators: what is taken is passed on as it is, and holds no private key.
pub fn manifests(data: &[u8]) {
    let mut imports = sealift::imports::Imports::default();
    let at = sealift::spec::Path::root().key("manifests").index(0);
    let problems = imports.add_manifests(vec![(at, "net/x.yaml", Ok(data.to_vec()))]);
    match imports.facts().manifests.as_slice() {
        [taken] => {
            assert!(problems.is_empty() && taken.name == "x.yaml" && taken.text.as_bytes() == data);
            assert!(!taken.text.contains("PRIVATE KEY-----"), "a private key lies open");
        }
        _ => assert!(problems.iter().all(|it| !it.message.chars().any(char::is_control)), "{problems:?}"),
    }
}

/// A control plane in static pods; its last line waits for a patch of etcd's manifest.
const PATCHED: &str = "apiVersion: sealift/v1
cluster: {name: prod, id: \"7e570000000000000000000000000001\", epoch: 2026-11-20T00:00:00Z, operators: [age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl]}
kubernetes: {version: 1.36.2, provisioner: static-pods, endpoint: \"api.example:6443\"}
loadBalancers: [{kind: external}]
etcd: {run: static-pod}
hosts:
  cp1: {addresses: [192.0.2.1], roles: [control-plane, etcd], recipients: [age1ccl4fap4sn570398ey640unurgs94r70awermwklmuqqp95e35fsshyp05]}
patches:
  /etc/kubernetes/manifests/etcd.yaml:
";

static TEMPLATES: LazyLock<sealift::render::templates::Templates> =
    LazyLock::new(sealift::render::templates::Templates::embedded);
static RENDERER: LazyLock<sealift::render::Renderer<'static>> =
    LazyLock::new(|| sealift::render::Renderer::new(&TEMPLATES).expect("the embedded templates"));

/// A merge patch in a spec: what it makes of a manifest is one document of YAML, and the same again.
pub fn patch(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines = text.split_inclusive('\n').map(|line| format!("    {line}"));
    let loaded = sealift::spec::load(&(PATCHED.to_owned() + &lines.collect::<String>()));
    if loaded.has_errors() {
        return;
    }
    let (plan, _) = sealift::plan::plan(&loaded.spec, &sealift::plan::Facts::default());
    for host in plan.hosts.values() {
        // a patch can turn a mapping into what the manifest cannot be: that is an error, no panic
        let Ok(files) = RENDERER.pods(host, &sealift::render::Digests::new()) else { continue };
        let written = String::from_utf8(files["/etc/kubernetes/manifests/etcd.yaml"].clone()).expect("UTF-8");
        let body = written.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n"));
        let value = sealift::spec::yaml::document(&written).expect("YAML");
        let again = sealift::spec::yaml::block(&value, 0);
        assert_eq!(sealift::spec::yaml::document(&again).as_ref(), Ok(&value));
        assert_eq!(body.count(), again.lines().filter(|line| !line.starts_with('#')).count());
    }
}

/// Certificates in a spec: each line of what is written of them is base64, and they are read again.
pub fn pem(data: &[u8]) {
    use sealift::spec::scalars::Certificates;
    let Ok(text) = std::str::from_utf8(data) else { return };
    match text.parse::<Certificates>() {
        Ok(certificates) => {
            let all = certificates.lines();
            assert!(!all.is_empty());
            let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
            assert!(all.iter().flatten().all(|line| line.len() <= 64 && line.bytes().all(base64)));
            let one = |lines: &Vec<String>| {
                format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
            };
            let written: String = all.iter().map(one).collect();
            assert_eq!(written.parse::<Certificates>(), Ok(certificates));
        }
        Err(error) => assert!(!error.message.chars().any(char::is_control), "{error}"),
    }
}
