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
        size: 0,
        sha256: String::new(),
        sealed,
        hmac: sealed.then(|| sha256_hex(path.as_bytes())),
        certificate: None,
        restart: vec!["static-pod/etcd".into()],
        run: Vec::new(),
    }
}

pub(crate) fn manifest(host: &str, files: Vec<File>) -> Manifest {
    Manifest {
        format: FORMAT,
        cluster: ClusterRef { id: CLUSTER.into(), name: "prod".into() },
        host: HostRef {
            name: host.into(),
            addresses: vec!["10.0.0.6".into(), "fd00::6".into()],
            generation: 1,
            recipients: Vec::new(),
        },
        revision: Revision { cluster: 1, host: 1 },
        sealift: "0.1.0".into(),
        inputs: sha256_hex(host.as_bytes()),
        valid_until: "2027-11-20T00:00:00Z".into(),
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
        "8ea1cc678d0a693fb2027e2a1605c91aa4066b80908a69482a557c08bc388787"
    );
    assert_eq!(packed.sha256, "3a1daf0573dea1d18c6d691b6f3488702403168e189f3f06c0bfe824b0113657");
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

#[test]
fn no_flipped_byte_of_the_tar_passes() {
    let tar = tar_of(&small("infra0", &key(7)).bytes);
    for at in 0..tar.len() {
        for flip in [0x01, 0x80] {
            let mut changed = tar.clone();
            changed[at] ^= flip;
            assert!(read(&gzipped(&changed)).is_err(), "byte {at} ^ {flip:#x}");
        }
    }
}

/// Deflate can say one thing in several ways (another distance into a run of zeros, bits after the
/// last block), and the XFL hint means nothing: then it is another compressed form of the same tar.
#[test]
fn no_flipped_byte_of_the_gzip_changes_what_is_read() {
    let packed = small("infra0", &key(7)).bytes;
    let tar = tar_of(&packed);
    for at in 0..packed.len() {
        for flip in [0x01, 0x02, 0x40, 0xff] {
            let mut changed = packed.clone();
            changed[at] ^= flip;
            if read(&changed).is_ok() {
                assert_eq!(tar_of(&changed), tar, "byte {at} ^ {flip:#x}");
            }
        }
    }
}

#[test]
fn the_gzip_form_is_one_member_without_a_past() {
    let packed = small("infra0", &key(7)).bytes;
    for cut in [0, 1, 9, 10, 11, packed.len() / 2, packed.len() - 8, packed.len() - 1] {
        assert_eq!(found(&packed[..cut]), ["gzip-invalid @"], "{cut}");
    }
    for tail in [b"\0".as_slice(), b"\n", &[0; 512], &packed] {
        assert_eq!(found(&[&packed, tail].concat()), ["gzip-trailing @"]);
    }
    let with = |builder: flate2::GzBuilder| {
        let mut encoder = builder.write(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(&tar_of(&packed)).unwrap();
        found(&encoder.finish().unwrap())
    };
    let plain = || flate2::GzBuilder::new().mtime(0).operating_system(255);
    assert_eq!(with(plain()), [""; 0]);
    for other in [
        plain().filename("a"),
        plain().mtime(1),
        plain().comment("a"),
        plain().extra("a"),
        plain().operating_system(3),
    ] {
        assert_eq!(with(other), ["gzip-header @"]);
    }
}

#[test]
fn two_compressed_forms_are_one_bundle() {
    let packed = small("infra0", &key(7)).bytes;
    for level in [0, 1, 9] {
        let mut encoder =
            flate2::GzBuilder::new().operating_system(255).write(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(&tar_of(&packed)).unwrap();
        let other = encoder.finish().unwrap();
        assert_ne!(other, packed);
        assert_eq!(read(&other).unwrap().manifest_sha256(), read(&packed).unwrap().manifest_sha256());
    }
}

#[test]
fn the_tar_form_is_one() {
    let tar = tar_of(&small("infra0", &key(7)).bytes);
    let zeros = |count: usize| gzipped(&[tar.as_slice(), &vec![0; count]].concat());
    for count in [1, 512, 1024, 10240] {
        assert_eq!(found(&zeros(count)), ["archive-not-canonical @"], "{count}");
    }
    assert_eq!(found(&gzipped(&[tar.as_slice(), b"hidden"].concat())), ["archive-not-canonical @"]);
    assert_eq!(found(&gzipped(&tar[..tar.len() - 1])), ["archive-invalid @"]);
    assert_eq!(found(&gzipped(&tar[..tar.len() - 512])), ["archive-invalid @"]);
    assert_eq!(found(&gzipped(&tar[..tar.len() - 1024])), ["archive-invalid @"]);
    assert_eq!(found(&gzipped(&tar[..700])), ["archive-invalid @"]);
    assert_eq!(found(&gzipped(b"")), ["archive-invalid @"]);
    assert_eq!(
        found(&gzipped(&[0; 1024])),
        ["entry-missing @:SHA256SUMS", "signature-missing @:SHA256SUMS.sig"]
    );
}

#[test]
fn header_fields_are_one() {
    let changed = |change: fn(&mut Header)| found(&forged(|raws| raws[4] = raws[4].clone().with(change)));
    let canonical = ["archive-not-canonical @"];
    assert_eq!(changed(|header| header.set_mtime(EPOCH + 1)), canonical);
    assert_eq!(changed(|header| header.set_uid(1)), canonical);
    assert_eq!(changed(|header| header.set_gid(1)), canonical);
    assert_eq!(changed(|header| header.set_username("root").unwrap()), canonical);
    assert_eq!(changed(|header| header.set_groupname("root").unwrap()), canonical);
    assert_eq!(changed(|header| header.set_device_major(1).unwrap()), canonical);
    assert_eq!(changed(|header| header.set_link_name("x").unwrap()), canonical);
    assert_eq!(changed(|header| header.as_old_mut().linkflag = [0]), canonical);
    // The same number in other digits.
    assert_eq!(changed(|header| header.as_old_mut().mode.copy_from_slice(b"   644 \0")), canonical);
    assert_eq!(changed(|header| header.as_mut_bytes()[511] = 1), canonical);
    assert_eq!(changed(|header| header.as_old_mut().size[0] = b'x'), ["archive-invalid @"]);
    assert_eq!(changed(|header| header.as_old_mut().size = [0xff; 12]), ["archive-invalid @"]);
    let gnu = found(&forged(|raws| {
        let mut header = Header::new_gnu();
        header.set_path("files/etc/pki/empty").unwrap();
        header.set_mode(0o644);
        header.set_mtime(EPOCH);
        raws[4] = Raw { header, contents: Vec::new() }.with(|_| {});
    }));
    assert_eq!(gnu, ["archive-invalid @"]);
    let all_modes = found(&forged(|raws| {
        raws.iter_mut().take(3).for_each(|raw| *raw = raw.clone().with(|header| header.set_mode(0o600)))
    }));
    assert_eq!(all_modes, ENTRIES[..3].iter().map(|name| format!("entry-mode @:{name}")).collect::<Vec<_>>());
    assert_eq!(changed(|header| header.set_mode(0o600)), ["entry-mode @:files/etc/pki/empty"]);
    assert_eq!(changed(|header| header.set_mode(0o4644)), ["entry-mode @:files/etc/pki/empty"]);
}

#[test]
fn only_regular_files() {
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::Block,
    ] {
        let changed = forged(|raws| raws[4] = raws[4].clone().with(|header| header.set_entry_type(kind)));
        assert_eq!(found(&changed), ["entry-type @:files/etc/pki/empty"], "{kind:?}");
    }
    for kind in [
        EntryType::XHeader,
        EntryType::XGlobalHeader,
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::GNUSparse,
        EntryType::Continuous,
    ] {
        let extra =
            Raw::new("files/etc/pki/empty", b"13 path=/etc\n").with(|header| header.set_entry_type(kind));
        assert_eq!(
            found(&forged(|raws| raws.insert(4, extra))),
            ["archive-invalid @:files/etc/pki/empty"],
            "{kind:?}"
        );
    }
}

#[test]
fn paths_stay_inside() {
    for name in [
        "/etc/passwd",
        "files/../../etc/passwd",
        "files/./a",
        "files//a",
        "files/a/",
        "files/a b",
        "files/a\nb",
        "files/\u{e4}",
    ] {
        let mut raw = Raw::new("x", b"");
        raw.header.as_old_mut().name = [0; 100];
        raw.header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        let shown = name.as_bytes().escape_ascii();
        assert_eq!(found(&forged(|raws| raws.push(raw.with(|_| {})))), [format!("entry-path @:{shown}")]);
    }
}

mod signed;
