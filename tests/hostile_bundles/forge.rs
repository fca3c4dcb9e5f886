//! Writes bundles by docs/formats.md alone: gzip, tar, digests, signatures and manifests from bytes up, so
//! that each can be wrong. Shares nothing with the reader.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};
use std::fmt::Write as _;
use std::io::Write as _;

/// The cluster of all vectors but one.
pub(crate) const CLUSTER: &str = "7e570000000000000000000000000009";
/// 2026-11-20T00:00:00Z.
pub(crate) const EPOCH: u64 = 1_795_132_800;
/// The seeds of the key that the trust file names, and of one that it does not.
pub(crate) const SIGNER: u8 = 7;
pub(crate) const STRANGER: u8 = 8;

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The header that sealift writes.
pub(crate) const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// One gzip member; `head` is the header with whatever follows from its flags.
pub(crate) fn member(head: &[u8], contents: &[u8]) -> Vec<u8> {
    let mut deflate = DeflateEncoder::new(head.to_vec(), Compression::new(6));
    deflate.write_all(contents).unwrap();
    let mut out = deflate.finish().unwrap();
    let mut crc = Crc::new();
    crc.update(contents);
    out.extend(crc.sum().to_le_bytes());
    out.extend(crc.amount().to_le_bytes());
    out
}

pub(crate) fn gzip(tar: &[u8]) -> Vec<u8> {
    member(&GZIP, tar)
}

/// An entry of a tar archive, field by field as the header has it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) mode: String,
    pub(crate) uid: String,
    pub(crate) gid: String,
    /// Of the contents when there is none.
    pub(crate) size: Option<String>,
    pub(crate) mtime: String,
    /// Added to the checksum.
    pub(crate) off: u32,
    pub(crate) kind: u8,
    pub(crate) link: Vec<u8>,
    pub(crate) magic: [u8; 8],
    pub(crate) user: String,
    pub(crate) major: String,
    pub(crate) prefix: Vec<u8>,
    pub(crate) contents: Vec<u8>,
}

impl Entry {
    pub(crate) fn new(name: &str, mode: u32, contents: &[u8]) -> Self {
        Self {
            name: name.into(),
            mode: format!("{mode:07o}"),
            uid: "0000000".into(),
            gid: "0000000".into(),
            size: None,
            mtime: format!("{EPOCH:011o}"),
            off: 0,
            kind: b'0',
            link: Vec::new(),
            magic: *b"ustar\x0000",
            user: String::new(),
            major: "0000000".into(),
            prefix: Vec::new(),
            contents: contents.into(),
        }
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name.as_bytes()
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut header = [0; 512];
        let size = self.size.clone().unwrap_or_else(|| format!("{:011o}", self.contents.len()));
        for (at, bytes) in [
            (0, self.name.as_slice()),
            (100, self.mode.as_bytes()),
            (108, self.uid.as_bytes()),
            (116, self.gid.as_bytes()),
            (124, size.as_bytes()),
            (136, self.mtime.as_bytes()),
            (148, b"        "),
            (156, &[self.kind]),
            (157, &self.link),
            (257, &self.magic),
            (265, self.user.as_bytes()),
            (329, self.major.as_bytes()),
            (337, b"0000000"),
            (345, &self.prefix),
        ] {
            header[at..at + bytes.len()].copy_from_slice(bytes);
        }
        let sum = header.iter().map(|byte| u32::from(*byte)).sum::<u32>() + self.off;
        header[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
        out.extend(header);
        out.extend(&self.contents);
        out.resize(out.len().next_multiple_of(512), 0);
    }
}

pub(crate) fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        entry.write(&mut out);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn text(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend(bytes);
}

/// What a signature says of itself; OpenSSH's PROTOCOL.sshsig.
pub(crate) struct Signature {
    pub(crate) seed: u8,
    pub(crate) namespace: &'static str,
    pub(crate) hash: &'static str,
    pub(crate) reserved: &'static [u8],
    pub(crate) version: u32,
    /// Letters in a line of its armor.
    pub(crate) line: usize,
}

pub(crate) const BUNDLE: Signature = Signature {
    seed: SIGNER,
    namespace: "sealift-bundle",
    hash: "sha512",
    reserved: b"",
    version: 1,
    line: 70,
};
pub(crate) const INDEX: Signature = Signature { namespace: "sealift-index", ..BUNDLE };

impl Signature {
    pub(crate) fn blob(&self, message: &[u8]) -> Vec<u8> {
        let digest = match self.hash {
            "sha256" => Sha256::digest(message).to_vec(),
            _ => Sha512::digest(message).to_vec(),
        };
        let mut signed = b"SSHSIG".to_vec();
        for part in [self.namespace.as_bytes(), self.reserved, self.hash.as_bytes(), &digest] {
            text(part, &mut signed);
        }
        let key = key(self.seed);
        let (mut public, mut signature) = (Vec::new(), Vec::new());
        text(b"ssh-ed25519", &mut public);
        text(key.verifying_key().as_bytes(), &mut public);
        text(b"ssh-ed25519", &mut signature);
        text(&key.sign(&signed).to_bytes(), &mut signature);
        let mut blob = b"SSHSIG".to_vec();
        blob.extend(self.version.to_be_bytes());
        for part in
            [&public, self.namespace.as_bytes(), self.reserved, self.hash.as_bytes(), signature.as_slice()]
        {
            text(part, &mut blob);
        }
        blob
    }

    pub(crate) fn of(&self, message: &[u8]) -> String {
        armor(&self.blob(message), self.line)
    }
}

pub(crate) fn armor(blob: &[u8], line: usize) -> String {
    let text = BASE64_STANDARD.encode(blob);
    let mut out = "-----BEGIN SSH SIGNATURE-----\n".to_owned();
    for line in text.as_bytes().chunks(line) {
        writeln!(out, "{}", std::str::from_utf8(line).unwrap()).unwrap();
    }
    out + "-----END SSH SIGNATURE-----\n"
}

/// The line of a trust file.
pub(crate) fn trust(cluster: &str, seed: u8, options: &str) -> String {
    let mut blob = Vec::new();
    text(b"ssh-ed25519", &mut blob);
    text(key(seed).verifying_key().as_bytes(), &mut blob);
    format!("{cluster} {options} ssh-ed25519 {}\n", BASE64_STANDARD.encode(blob))
}

/// A file of a bundle.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) path: &'static str,
    pub(crate) mode: u32,
    /// What the archive holds.
    pub(crate) held: Vec<u8>,
    /// The keyed digest of what is sealed in it.
    pub(crate) hmac: Option<String>,
    /// Members of its manifest's line beside the usual.
    pub(crate) more: Value,
}

impl File {
    pub(crate) fn public(path: &'static str, contents: impl AsRef<[u8]>) -> Self {
        Self { path, mode: 0o644, held: contents.as_ref().into(), hmac: None, more: json!({}) }
    }

    pub(crate) fn entry(&self) -> Entry {
        let end = if self.hmac.is_some() { ".age" } else { "" };
        let mut entry = Entry::new("", self.mode, &self.held);
        let name = format!("files{}{end}", self.path);
        assert!(name.len() <= 100, "{name} wants a prefix");
        entry.name = name.into_bytes();
        entry
    }

    fn line(&self) -> Value {
        let mut line = json!({
            "path": self.path,
            "mode": format!("{:04o}", self.mode),
            "uid": 0,
            "gid": 0,
            "policy": "managed",
            "size": self.held.len(),
            "sha256": sha256(&self.held),
            "sealed": self.hmac.is_some(),
        });
        if let Some(hmac) = &self.hmac {
            line["hmac"] = json!(hmac);
        }
        for (name, value) in self.more.as_object().unwrap() {
            line[name] = value.clone();
        }
        line
    }
}

/// The manifest of these files, which are in byte order.
pub(crate) fn manifest(host: &str, files: &[File]) -> Value {
    json!({
        "format": 1,
        "cluster": {"id": CLUSTER, "name": "hostile"},
        "host": {"name": host, "addresses": ["10.0.0.11", "fd00::11"], "generation": 1, "recipients": []},
        "revision": {"cluster": 1, "host": 0},
        "epoch": "2026-11-20T00:00:00Z",
        "sealift": "0.1.0",
        "inputs": sha256(host.as_bytes()),
        "validUntil": "2027-11-20T00:00:00Z",
        "directories": [
            {"path": "/etc/app", "mode": "0755", "uid": 0, "gid": 0, "owned": true, "allow": ["/etc/app/local"]},
        ],
        "files": files.iter().map(File::line).collect::<Vec<_>>(),
    })
}

/// RFC 8785, as far as manifests go: `serde_json` writes members in byte order, without white space.
pub(crate) fn canonical(value: &Value) -> String {
    serde_json::to_string(value).unwrap()
}

/// What is signed: `manifest.json` and the files, in byte order of their entries.
pub(crate) fn entries(manifest: &str, files: &[File]) -> Vec<Entry> {
    let mut held: Vec<Entry> = files.iter().map(File::entry).collect();
    held.sort_by(|a, b| a.name.cmp(&b.name));
    held.insert(0, Entry::new("manifest.json", 0o644, manifest.as_bytes()));
    held
}

pub(crate) fn sums(entries: &[Entry]) -> String {
    let line = |entry: &Entry| {
        format!("{}  {}\n", sha256(&entry.contents), std::str::from_utf8(&entry.name).unwrap())
    };
    entries.iter().map(line).collect()
}

/// The archive's entries with these before them.
pub(crate) fn signed(sums: &str, signature: &str, mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.insert(0, Entry::new("SHA256SUMS.sig", 0o644, signature.as_bytes()));
    entries.insert(0, Entry::new("SHA256SUMS", 0o644, sums.as_bytes()));
    entries
}

/// A bundle of this manifest and these files, by this key.
pub(crate) fn bundle(manifest: &str, files: &[File], signature: &Signature) -> Vec<u8> {
    let entries = entries(manifest, files);
    let sums = sums(&entries);
    let signature = signature.of(sums.as_bytes());
    gzip(&tar(&signed(&sums, &signature, entries)))
}
