//! Every way to change a bundle that we could think of, and the findings that each must give.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::bundle::{
    BUNDLE_NAMESPACE, MANIFEST, SIGNATURE, SUMS, canonical, gzip,
    manifest::{ClusterRef, Directory, FORMAT, File, HostRef, Manifest, Policy, Revision},
    open::{Verified, open},
    pack::{Packed, pack},
    sshsig,
    sums::{self, Sum, sha256_hex},
    trust::{Trust, trust_line},
};
use crate::finding::Finding;
use ed25519_dalek::SigningKey;
use std::{collections::BTreeMap, io::Write};
use tar::{EntryType, Header};

pub(crate) const CLUSTER: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const EPOCH: u64 = 1_795_132_800;
const NAME: &str = "infra0.tar.gz";

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn trust() -> Trust {
    Trust::parse(&trust_line(CLUSTER, &key(7).verifying_key().to_bytes())).unwrap()
}

pub(crate) fn file(path: &str, sealed: bool) -> File {
    File {
        path: path.into(),
        mode: if sealed { "0600" } else { "0644" }.into(),
        uid: 0,
        gid: 0,
        policy: Policy::Managed,
        fields: None,
        size: 0,
        sha256: String::new(),
        sealed,
        hmac: sealed.then(|| sha256_hex(path.as_bytes())),
        certificate: None,
        origin: None,
        inputs: None,
        restart: vec!["unit/nginx".into()],
        run: Vec::new(),
    }
}

pub(crate) fn manifest(host: &str, files: Vec<File>) -> Manifest {
    Manifest {
        keep_previous: false,
        format: FORMAT,
        cluster: ClusterRef { id: CLUSTER.into(), name: "prod".into() },
        host: HostRef {
            name: host.into(),
            addresses: vec!["10.0.0.6".into(), "fd00::6".into()],
            machine_id: None,
            generation: 1,
            recipients: Vec::new(),
        },
        revision: Revision { cluster: 1, host: 1 },
        sealift: "0.1.0".into(),
        inputs: sha256_hex(host.as_bytes()),
        epoch: String::new(),
        valid_until: "2027-11-20T00:00:00Z".into(),
        trust: Vec::new(),
        directories: vec![Directory {
            path: "/etc/pki".into(),
            mode: "0755".into(),
            uid: 0,
            gid: 0,
            owned: true,
            allow: vec!["/etc/pki/local".into()],
        }],
        files,
    }
}

fn contents(host: &str) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([
        // `key-2` sorts between `key` and `key.age`: the archive's order is not the manifest's.
        ("/etc/pki/key".into(), b"age-encryption.org/v1\nsealed".to_vec()),
        ("/etc/pki/key-2".into(), vec![b'x'; 600]),
        ("/etc/pki/empty".into(), Vec::new()),
        ("/etc/hostname".into(), host.as_bytes().to_vec()),
    ])
}

fn small(host: &str, signer: &SigningKey) -> Packed {
    let mut files = vec![file("/etc/pki/key", true)];
    files.extend(["/etc/pki/empty", "/etc/pki/key-2", "/etc/hostname"].map(|path| file(path, false)));
    files[0].certificate = Some("/etc/pki/key-2".into());
    pack(manifest(host, files), &contents(host), EPOCH, signer).unwrap()
}

fn read(bytes: &[u8]) -> Result<Verified, Vec<Finding>> {
    open(bytes, NAME, &trust(), 0)
}

/// What is found: `id path`, in order.
fn found(bytes: &[u8]) -> Vec<String> {
    match read(bytes) {
        Ok(_) => Vec::new(),
        Err(findings) => {
            assert!(!findings.is_empty());
            findings.iter().map(|it| format!("{} {}", it.id, it.path.replace("infra0.tar.gz", "@"))).collect()
        }
    }
}

fn tar_of(bytes: &[u8]) -> Vec<u8> {
    gzip::decode(bytes, 1 << 20).unwrap()
}

fn gzipped(tar: &[u8]) -> Vec<u8> {
    let mut encoder = gzip::encoder(Vec::new());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// An entry to forge: any header, any contents.
#[derive(Clone)]
struct Raw {
    header: Header,
    contents: Vec<u8>,
}

impl Raw {
    fn new(name: &str, contents: &[u8]) -> Self {
        let mut raw = Self { header: Header::new_ustar(), contents: contents.into() };
        raw.header.set_path(name).unwrap();
        raw.header.set_mode(0o644);
        raw.header.set_uid(0);
        raw.header.set_gid(0);
        raw.header.set_mtime(EPOCH);
        raw.header.set_device_major(0).unwrap();
        raw.header.set_device_minor(0).unwrap();
        raw.header.set_entry_type(EntryType::Regular);
        raw.with(|_| {})
    }

    fn with(mut self, change: impl FnOnce(&mut Header)) -> Self {
        self.header.set_size(self.contents.len() as u64);
        change(&mut self.header);
        self.header.set_cksum();
        self
    }

    fn name(&self) -> String {
        String::from_utf8(self.header.path_bytes().into_owned()).unwrap()
    }
}

fn raws(bytes: &[u8]) -> Vec<Raw> {
    let tar = tar_of(bytes);
    let mut archive = tar::Archive::new(tar.as_slice());
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let mut contents = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut contents).unwrap();
        Raw { header: entry.header().clone(), contents }
    };
    archive.entries().unwrap().map(read).collect()
}

fn tar_from(raws: &[Raw]) -> Vec<u8> {
    let mut tar = Vec::new();
    for raw in raws {
        tar.extend_from_slice(raw.header.as_bytes());
        tar.extend_from_slice(&raw.contents);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn forged(change: impl FnOnce(&mut Vec<Raw>)) -> Vec<u8> {
    let mut raws = raws(&small("infra0", &key(7)).bytes);
    change(&mut raws);
    gzipped(&tar_from(&raws))
}

/// The same with digests and signature made anew, as the holder of the key could.
fn resigned(signer: &SigningKey, change: impl FnOnce(&mut Vec<Raw>)) -> Vec<u8> {
    forged(|raws| {
        change(raws);
        let sum = |raw: &Raw| Sum { name: raw.name(), sha256: sha256_hex(&raw.contents) };
        let text = sums::write(&raws[2..].iter().map(sum).collect::<Vec<_>>()).unwrap();
        sign_text(signer, raws, &text);
    })
}

fn sign_text(signer: &SigningKey, raws: &mut [Raw], text: &str) {
    raws[0] = Raw::new(SUMS, text.as_bytes());
    raws[1] =
        Raw::new(SIGNATURE, sshsig::sign(signer, BUNDLE_NAMESPACE, text.as_bytes()).unwrap().as_bytes());
}

/// A signed bundle whose manifest alone was changed.
fn with_manifest(change: impl FnOnce(&mut Manifest)) -> Vec<u8> {
    resigned(&key(7), |raws| {
        let mut manifest = canonical::from_bytes(&raws[2].contents).unwrap();
        change(&mut manifest);
        raws[2] = Raw::new(MANIFEST, &canonical::to_bytes(&manifest).unwrap());
    })
}

const ENTRIES: [&str; 7] = [
    SUMS,
    SIGNATURE,
    MANIFEST,
    "files/etc/hostname",
    "files/etc/pki/empty",
    "files/etc/pki/key-2",
    "files/etc/pki/key.age",
];

#[test]
fn a_bundle_is_these_bytes() {
    let packed = small("infra0", &key(7));
    assert_eq!(packed.sha256, sha256_hex(&packed.bytes));
    assert_eq!(raws(&packed.bytes).iter().map(Raw::name).collect::<Vec<_>>(), ENTRIES);
    assert_eq!(
        sha256_hex(&tar_of(&packed.bytes)),
        "8c28119623a9776c4c387a9b98a022fc4bf5e7a5eb28f35a5ca243bd6582ec83"
    );
    assert_eq!(packed.sha256, "6ceba35aacb469738f49f7ff3584614f66055bbe131c16ffd43a16bced164dd8");
    assert_eq!(tar_from(&raws(&packed.bytes)), tar_of(&packed.bytes), "the forger writes what pack writes");
}

#[test]
fn a_good_bundle_opens() {
    let packed = small("infra0", &key(7));
    let verified = read(&packed.bytes).unwrap();
    assert_eq!(verified.manifest(), &packed.manifest);
    assert_eq!(verified.manifest_bytes(), canonical::to_bytes(&packed.manifest).unwrap());
    assert_eq!(verified.manifest_sha256(), sha256_hex(verified.manifest_bytes()));
    assert_eq!(verified.valid_until(), 1_826_668_800);
    assert_eq!(verified.key(), &key(7).verifying_key().to_bytes());
    for (path, bytes) in contents("infra0") {
        assert_eq!(verified.contents(&path), Some(bytes.as_slice()));
        assert_eq!(verified.file(&path).unwrap().size, bytes.len() as u64);
    }
    assert_eq!(verified.contents("/etc/pki/key.age"), None);
    assert_eq!(sshsig::verify(verified.signature(), BUNDLE_NAMESPACE, verified.sums()), Ok(*verified.key()));
}

mod form;
mod policies;
mod signed;
