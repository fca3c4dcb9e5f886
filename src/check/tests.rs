//! Bundles and output directories with something wrong in them, and what must be found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
// Tests seal with stock age, whose keys are random.
#![allow(clippy::disallowed_methods)]

use crate::bundle::{
    INDEX_NAMESPACE, SIGNATURE, SUMS,
    forgery::{CLUSTER, EPOCH, file, key, manifest, trust},
    index::{self, BundleRef, INDEX, Index},
    manifest::{ClusterRef, Manifest, Policy},
    open::{Verified, open},
    pack::{Packed, pack},
    sshsig,
    sums::sha256_hex,
    trust::{Trust, trust_line},
};
use crate::check::{
    bundle::verify_bundle,
    fields::testkit::{CA, SERVER, expected, fields_of, placed},
    output::{OutputDirectory, Terms, verify_output},
};
use crate::finding::{Finding, Id};
use crate::unseal::Identities;
use crate::verify_key::{VERIFY_KEY_PATH, VerifyKey};
use age::secrecy::ExposeSecret;
use std::{collections::BTreeMap, io};
use zeroize::Zeroizing;

const CRT: &[u8] = include_bytes!("testdata/bundle-leaf.crt");
const KEY: &[u8] = include_bytes!("testdata/bundle-leaf.key");
const PKCS8: &[u8] = include_bytes!("testdata/bundle-leaf.pkcs8.key");
const OTHER_KEY: &[u8] = include_bytes!("testdata/bundle-other.key");
const CRT_PATH: &str = "/etc/pki/server.crt";
const KEY_PATH: &str = "/etc/pki/server.key";
/// 2026-11-20 and 2027-11-20, the validity of certificate and bundle.
const START: i64 = 1_795_132_800;
const END: i64 = 1_826_668_800;

pub(super) struct Host {
    identity: age::x25519::Identity,
    verify_key: VerifyKey,
    manifest: Manifest,
    /// By host path; sealed when packed.
    plaintexts: BTreeMap<String, Vec<u8>>,
}

impl Host {
    pub(super) fn new(name: &str) -> Self {
        let mut files = vec![file(CRT_PATH, false), file(KEY_PATH, true), file(VERIFY_KEY_PATH, true)];
        files[1].certificate = Some(CRT_PATH.into());
        let verify_key = VerifyKey::new(Zeroizing::new([5; 32]));
        let plaintexts = BTreeMap::from([
            (CRT_PATH.into(), CRT.to_vec()),
            (KEY_PATH.into(), KEY.to_vec()),
            (VERIFY_KEY_PATH.into(), verify_key.to_file().as_bytes().to_vec()),
        ]);
        let identity = age::x25519::Identity::generate();
        Self { identity, verify_key, manifest: manifest(name, files), plaintexts }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// With a file more.
    pub(super) fn with_file(self, path: &str, text: String, sealed: bool) -> Self {
        self.with(|host| {
            host.manifest.files.push(file(path, sealed));
            host.manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
            host.plaintexts.insert(path.into(), text.into_bytes());
        })
    }

    pub(super) fn identities(&self) -> Identities {
        let text = self.identity.to_string();
        Identities::parse("test", text.expose_secret().as_bytes()).unwrap()
    }

    fn pack(&self) -> Packed {
        self.pack_with(|_| {})
    }

    fn pack_with(&self, change: impl FnOnce(&mut Manifest)) -> Packed {
        let mut manifest = self.manifest.clone();
        let mut contents = self.plaintexts.clone();
        for file in manifest.files.iter_mut().filter(|file| file.sealed) {
            let plaintext = contents.get_mut(&file.path).unwrap();
            file.hmac = Some(self.verify_key.digest(&file.path, plaintext));
            *plaintext = age::encrypt(&self.identity.to_public(), plaintext).unwrap();
        }
        change(&mut manifest);
        pack(manifest, &contents, EPOCH, &key(7)).unwrap()
    }
}

fn opened(packed: &Packed) -> Verified {
    open(&packed.bytes, "x.tar.gz", &trust(), START).unwrap()
}

/// A host's bundle, opened again.
pub(super) fn host_bundle(host: &Host) -> Verified {
    opened(&host.pack())
}

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{} {}", finding.id, finding.path)).collect()
}

fn found(packed: &Packed, identities: &Identities) -> Vec<String> {
    lines(&verify_bundle(&opened(packed), START, None, Some(identities)))
}

#[test]
fn a_good_bundle_has_no_findings() {
    let host = Host::new("infra0");
    assert_eq!(found(&host.pack(), &host.identities()), [""; 0]);
    let pkcs8 =
        Host::new("infra0").with(|host| drop(host.plaintexts.insert(KEY_PATH.into(), PKCS8.to_vec())));
    assert_eq!(found(&pkcs8.pack(), &pkcs8.identities()), [""; 0]);
}

#[test]
fn times_of_bundle_and_certificates() {
    let verified = opened(&Host::new("infra0").pack());
    let at = |at: i64, within: Option<u64>| lines(&verify_bundle(&verified, at, within, None));
    let both = |bundle: &str, certificate: &str| {
        [format!("{bundle} x.tar.gz"), format!("{certificate} x.tar.gz:{CRT_PATH}")]
    };
    assert_eq!(at(START, None), [""; 0]);
    assert_eq!(at(START - 1, None), [format!("certificate-not-yet-valid x.tar.gz:{CRT_PATH}")]);
    assert_eq!(at(END, None), [""; 0]);
    assert_eq!(at(END + 1, None), both("bundle-expired", "certificate-expired"));
    assert_eq!(at(END - 86_400, Some(86_400)), [""; 0]);
    assert_eq!(at(END - 86_400, Some(86_401)), both("bundle-expiring", "certificate-expiring"));
    assert_eq!(at(START, Some(u64::MAX)), both("bundle-expiring", "certificate-expiring"));
    assert_eq!(at(i64::MAX, Some(u64::MAX)), both("bundle-expired", "certificate-expired"));
}

#[test]
fn secrets_that_are_not_what_they_should_be() {
    let key_file = format!("x.tar.gz:{KEY_PATH}");
    let with_key = |bytes: &[u8]| {
        let host =
            Host::new("infra0").with(|host| drop(host.plaintexts.insert(KEY_PATH.into(), bytes.to_vec())));
        found(&host.pack(), &host.identities())
    };
    assert_eq!(with_key(OTHER_KEY), [format!("key-cert-mismatch {key_file}")]);
    assert_eq!(with_key(b"not a key"), [format!("key-malformed {key_file}")]);
    let host = Host::new("infra0");
    let hmac = host.pack_with(|manifest| manifest.files[1].hmac = Some("0".repeat(64)));
    assert_eq!(found(&hmac, &host.identities()), [format!("digest-mismatch {key_file}")]);
    let stranger = Host::new("infra1");
    let unmatched = [VERIFY_KEY_PATH, KEY_PATH].map(|path| format!("not-sealed-to-identity x.tar.gz:{path}"));
    let mut sorted = found(&host.pack(), &stranger.identities());
    sorted.sort();
    let mut expected = unmatched.to_vec();
    expected.sort();
    assert_eq!(sorted, expected);
}

#[test]
fn a_sealed_file_that_is_damaged() {
    let host = Host::new("infra0");
    let packed = host.pack();
    let verified = opened(&packed);
    let mut contents: BTreeMap<_, _> = packed
        .manifest
        .files
        .iter()
        .map(|file| (file.path.clone(), verified.contents(&file.path).unwrap().to_vec()))
        .collect();
    *contents.get_mut(KEY_PATH).unwrap().last_mut().unwrap() ^= 1;
    let broken = pack(packed.manifest, &contents, EPOCH, &key(7)).unwrap();
    assert_eq!(found(&broken, &host.identities()), [format!("seal-broken x.tar.gz:{KEY_PATH}")]);
}

#[test]
fn verify_keys_that_are_missing_or_malformed() {
    let path = format!("x.tar.gz:{VERIFY_KEY_PATH}");
    let missing = Host::new("infra0").with(|host| {
        host.manifest.files.retain(|file| file.path != VERIFY_KEY_PATH);
        host.plaintexts.remove(VERIFY_KEY_PATH);
    });
    assert_eq!(found(&missing.pack(), &missing.identities()), [format!("manifest-inconsistent {path}")]);
    let short = Host::new("infra0")
        .with(|host| drop(host.plaintexts.insert(VERIFY_KEY_PATH.into(), b"00\n".to_vec())));
    assert_eq!(found(&short.pack(), &short.identities()), [format!("key-malformed {path}")]);
}

const KUBECONFIG: &str = "/etc/pki/kubelet.conf";

/// A host with an initial file of these contents.
fn initial(contents: &str, sealed: bool) -> Host {
    Host::new("infra0").with(|host| {
        let mut file = file(KUBECONFIG, sealed);
        file.policy = Policy::Initial;
        file.fields = Some(expected(SERVER, CA));
        host.manifest.files.push(file);
        host.plaintexts.insert(KUBECONFIG.into(), contents.into());
    })
}

#[test]
fn initial_files_keep_to_their_own_fields() {
    let other = "https://other:6443";
    for sealed in [true, false] {
        let good = initial(&placed(SERVER, CA), sealed);
        assert_eq!(found(&good.pack(), &good.identities()), [""; 0]);
        assert_eq!(Files::build(&[&good], |_| {}).found(Some(&good.identities())), [""; 0]);
        let bad = initial(&placed(other, CA), sealed);
        let findings = verify_bundle(&opened(&bad.pack()), START, None, Some(&bad.identities()));
        let mend = "rebuild the bundle with sealift";
        let finding = Finding::new(Id::ManifestInconsistent, format!("x.tar.gz:{KUBECONFIG}"), mend)
            .expected(format!("server: {SERVER}"))
            .found(format!("server: {other}"));
        assert_eq!(findings, [finding], "sealed: {sealed}");
        let without_key = verify_bundle(&opened(&bad.pack()), START, None, None);
        assert_eq!(without_key.is_empty(), sealed, "only who can open it sees what it holds");
        let line = format!("manifest-inconsistent out/infra0.tar.gz:{KUBECONFIG}");
        assert_eq!(Files::build(&[&bad], |_| {}).found(Some(&bad.identities())), [line]);

        let unknown = good.pack_with(|manifest| {
            let file = manifest.files.iter_mut().find(|file| file.path == KUBECONFIG).unwrap();
            file.fields = Some(fields_of("other", &[("server", SERVER)]));
        });
        assert_eq!(
            found(&unknown, &good.identities()),
            [format!("manifest-malformed x.tar.gz:{KUBECONFIG}")]
        );
    }
}

#[test]
fn a_verify_key_is_managed() {
    let host = Host::new("infra0");
    let packed = host.pack_with(|manifest| {
        manifest.files.iter_mut().for_each(|file| file.policy = Policy::Bootstrap);
    });
    let expected = [format!("manifest-inconsistent x.tar.gz:{VERIFY_KEY_PATH}")];
    assert_eq!(found(&packed, &host.identities()), expected);
}

/// An output directory in memory; `None` cannot be read.
#[derive(Clone, Default)]
struct Files(BTreeMap<String, Option<Vec<u8>>>);

impl OutputDirectory for Files {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        file.clone().ok_or_else(|| io::ErrorKind::PermissionDenied.into())
    }
}

impl Files {
    fn put(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.0.insert(name.into(), Some(bytes.into()));
    }

    fn build(hosts: &[&Host], change: impl FnOnce(&mut Index)) -> Self {
        let mut files = Self::default();
        let mut bundles = Vec::new();
        for host in hosts {
            let packed = host.pack();
            let name = packed.manifest.host.name.clone();
            let Manifest { revision, inputs, .. } = packed.manifest;
            files.put(&format!("{name}.tar.gz"), packed.bytes);
            bundles.push(BundleRef {
                file: format!("{name}.tar.gz"),
                host: name,
                sha256: packed.sha256,
                revision,
                inputs,
                stale: false,
            });
        }
        let mut index = Index {
            format: index::FORMAT,
            cluster: ClusterRef { id: CLUSTER.into(), name: "prod".into() },
            seeds: std::collections::BTreeMap::new(),
            cluster_digest: sha256_hex(b"cluster"),
            sealift: "0.1.0".into(),
            items: std::collections::BTreeMap::new(),
            bundles,
        };
        change(&mut index);
        files.sign(index);
        files
    }

    fn sign(&mut self, index: Index) {
        let signed = index.sign(&key(7)).unwrap();
        self.put(INDEX, signed.index);
        self.put(SUMS, signed.sums);
        self.put(SIGNATURE, signed.signature);
    }

    fn found(&self, identities: Option<&Identities>) -> Vec<String> {
        self.found_by(&trust(), identities)
    }

    fn found_by(&self, trust: &Trust, identities: Option<&Identities>) -> Vec<String> {
        lines(&verify_output(self, "out", Terms { trust, at: START, within: None, identities }))
    }
}

#[test]
fn a_good_output_directory_has_no_findings() {
    let (one, two) = (Host::new("infra0"), Host::new("infra1"));
    let mut files = Files::build(&[&one, &two], |_| {});
    files.put("trust", "never read");
    assert_eq!(files.found(None), [""; 0]);
    // The identity of one host opens its bundle, and the other is passed over.
    assert_eq!(files.found(Some(&one.identities())), [""; 0]);
    let stranger = files.found(Some(&Host::new("infra2").identities()));
    let one_each =
        ["infra0", "infra1"].map(|host| format!("not-sealed-to-identity out/{host}.tar.gz:{KEY_PATH}"));
    assert_eq!(stranger, one_each);
}

#[test]
fn files_of_the_index_that_are_missing_or_changed() {
    let host = Host::new("infra0");
    let changed = |change: fn(&mut Files)| {
        let mut files = Files::build(&[&host], |_| {});
        change(&mut files);
        files.found(None)
    };
    assert_eq!(
        changed(|files| files.0.clear()),
        ["entry-missing out/SHA256SUMS", "signature-missing out/SHA256SUMS.sig"]
    );
    assert_eq!(changed(|files| drop(files.0.remove(SIGNATURE))), ["signature-missing out/SHA256SUMS.sig"]);
    assert_eq!(changed(|files| drop(files.0.remove(INDEX))), ["entry-missing out/index.json"]);
    assert_eq!(changed(|files| drop(files.0.insert(SUMS.into(), None))), ["unreadable out/SHA256SUMS"]);
    assert_eq!(changed(|files| files.put(SUMS, "x\n")), ["signature-wrong out/SHA256SUMS.sig"]);
    assert_eq!(changed(|files| files.put(INDEX, "{}")), ["index-mismatch out/index.json"]);
    let good = Files::build(&[&host], |_| {});
    let signed = |text: &str, namespace: &str| {
        let mut files = good.clone();
        files.put(SUMS, text);
        files.put(SIGNATURE, sshsig::sign(&key(7), namespace, text.as_bytes()).unwrap());
        files.found(None)
    };
    assert_eq!(signed("x\n", INDEX_NAMESPACE), ["sums-malformed out/SHA256SUMS"]);
    assert_eq!(signed("x\n", "sealift-bundle"), ["signature-malformed out/SHA256SUMS.sig"]);
    let no_index = format!("{}  infra0.tar.gz\n", sha256_hex(b""));
    assert_eq!(signed(&no_index, INDEX_NAMESPACE), ["index-mismatch out/SHA256SUMS"]);
    let index_only = format!("{}  index.json\n", sha256_hex(&good.read(INDEX).unwrap()));
    assert_eq!(signed(&index_only, INDEX_NAMESPACE), ["index-mismatch out/SHA256SUMS"]);
}

#[test]
fn an_index_by_a_key_that_is_not_this_clusters() {
    let files = Files::build(&[&Host::new("infra0")], |_| {});
    let public = key(7).verifying_key().to_bytes();
    for line in [
        trust_line(CLUSTER, &key(8).verifying_key().to_bytes()),
        trust_line("fedcba9876543210fedcba9876543210", &public),
        trust_line(CLUSTER, &public).replace(",sealift-index", ""),
    ] {
        let trust = Trust::parse(&line).unwrap();
        assert_eq!(files.found_by(&trust, None), ["not-trusted out/SHA256SUMS.sig"], "{line}");
    }
}

#[test]
fn bundles_missing_extra_or_of_another_build() {
    let (one, two) = (Host::new("infra0"), Host::new("infra1"));
    let changed = |change: &dyn Fn(&mut Files)| {
        let mut files = Files::build(&[&one, &two], |_| {});
        change(&mut files);
        files.found(None)
    };
    let first = ["index-mismatch out/infra0.tar.gz"];
    assert_eq!(changed(&|files| drop(files.0.remove("infra0.tar.gz"))), first);
    assert_eq!(
        changed(&|files| drop(files.0.insert("infra0.tar.gz".into(), None))),
        ["unreadable out/infra0.tar.gz"]
    );
    assert_eq!(
        changed(&|files| files.put("infra9.tar.gz", one.pack().bytes)),
        ["index-mismatch out/infra9.tar.gz"]
    );
    // Well signed, but sealed anew: another build of the same host.
    assert_eq!(changed(&|files| files.put("infra0.tar.gz", one.pack().bytes)), first);
    assert_eq!(changed(&|files| files.put("infra0.tar.gz", two.pack().bytes)), first);
    assert_eq!(
        changed(&|files| files.put("infra0.tar.gz", "")),
        [first[0], "gzip-invalid out/infra0.tar.gz"]
    );
}

#[test]
fn an_index_that_contradicts_its_bundles() {
    let (one, two) = (Host::new("infra0"), Host::new("infra1"));
    let found = |change: fn(&mut Index)| Files::build(&[&one, &two], change).found(None);
    let first = "index-mismatch out/infra0.tar.gz";
    let second = "index-mismatch out/infra1.tar.gz";
    assert_eq!(found(|index| index.bundles[0].revision.host += 1), [first]);
    assert_eq!(found(|index| index.bundles[1].inputs = "0".repeat(64)), [second]);
    assert_eq!(found(|index| index.cluster.name = "test".into()), [first, second]);
    assert_eq!(found(|index| drop(index.bundles.remove(1))), [second]);
}
