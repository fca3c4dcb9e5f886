//! Secrets in every form that they could slip out in, and where they are found.

use crate::support::opened::{Files, pem_blocks};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use hkdf::Hkdf;
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes that a needle is looked up by; no needle is shorter.
const KEY: usize = 8;
/// No needle is shorter: what is may stand anywhere by chance.
const SHORTEST: usize = 12;

/// What must be found nowhere.
#[derive(Default)]
pub(crate) struct Needles {
    /// What each is: the secret's name and the form.
    forms: BTreeMap<Vec<u8>, String>,
    by_start: BTreeMap<[u8; KEY], Vec<Vec<u8>>>,
    /// A bit for the start of each, by a hash: most places of a haystack end here.
    filter: Vec<u64>,
    secrets: BTreeSet<String>,
}

impl Needles {
    /// A secret of any bytes: raw, in hex of both cases, and in base64 of both alphabets wherever it may
    /// stand within what was encoded.
    pub(crate) fn secret(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= SHORTEST, "{name} has {} bytes", secret.len());
        let _ = self.secrets.insert(name.to_owned());
        self.form(format!("{name}, raw"), secret);
        self.form(format!("{name}, hex"), hex::encode(secret).as_bytes());
        self.form(format!("{name}, HEX"), hex::encode_upper(secret).as_bytes());
        for before in 0..3 {
            let mut padded = vec![0; before];
            padded.extend(secret);
            // whole groups of three bytes, and those of the secret alone
            padded.truncate(padded.len() / 3 * 3);
            let skip = before.div_ceil(3) * 4;
            for (alphabet, engine) in [("base64", &BASE64_STANDARD), ("base64url", &BASE64_URL_SAFE)] {
                let text = engine.encode(&padded);
                self.form(format!("{name}, {alphabet} at {before}"), &text.as_bytes()[skip..]);
            }
        }
    }

    /// The private keys of a text in PEM: the key's bytes, and the lines that hold them.
    pub(crate) fn pem(&mut self, name: &str, text: &[u8]) {
        for (label, block) in pem_blocks(text).iter().filter(|(label, _)| label.ends_with("PRIVATE KEY")) {
            let lines: Vec<_> = block.lines().filter(|line| !line.starts_with("-----")).collect();
            let der = BASE64_STANDARD.decode(lines.concat()).unwrap();
            // what follows the first line may be the public point
            let line = if label.starts_with("OPENSSH") { lines[lines.len() - 2] } else { lines[0] };
            self.secret(&format!("{name}: {label}, a line"), line.as_bytes());
            match der.as_slice() {
                // ECPrivateKey of RFC 5915: version 1, then the number itself
                [0x30, _, 2, 1, 1, 4, length, rest @ ..] if rest.len() >= usize::from(*length) => {
                    self.secret(&format!("{name}: {label}"), &rest[..usize::from(*length)]);
                }
                // OpenSSH's: 64 bytes, of which the first half is the seed
                _ => {
                    let at = der.windows(4).rposition(|window| window == [0, 0, 0, 64]).unwrap();
                    self.secret(&format!("{name}: {label}"), &der[at + 4..at + 36]);
                }
            }
        }
    }

    /// A seed, what is expanded from it before any label, and the keyring's text.
    pub(crate) fn seed(&mut self, seed: &[u8; 32], keyring: &str) {
        self.secret("seed", seed);
        self.secret("the keyring's seeds", keyring.split_once("\"seeds\"").unwrap().1.as_bytes());
        let (extracted, hkdf) = Hkdf::<Sha256>::extract(Some(b"sealift/v1"), seed);
        self.secret("extracted from the seed", &extracted);
        for purpose in ["key", "serial", "seal", "sign", "hmac", "seed-id", "at-rest", "token", "password"] {
            let mut key = [0; 32];
            hkdf.expand(purpose.as_bytes(), &mut key).unwrap();
            self.secret(&format!("the key of purpose {purpose}"), &key);
        }
    }

    /// Whatever is secret in the sealed files of a bundle.
    pub(crate) fn sealed(&mut self, host: &str, files: &Files) {
        for (path, file) in files.iter().filter(|(_, file)| file.sealed) {
            let before = self.secrets.len();
            let name = format!("{host}:{path}");
            self.pem(&name, &file.contents);
            for field in ["secret:", "token:", "tlsBootstrapToken:", "token-secret:"] {
                for (number, value) in values(file.text(), field).enumerate() {
                    self.secret(&format!("{name} {field}{number}"), value.as_bytes());
                    if let Ok(key) = BASE64_STANDARD.decode(value)
                        && key.len() >= 16
                    {
                        self.secret(&format!("{name} {field}{number}, decoded"), &key);
                    }
                }
            }
            if path.starts_with("/etc/sealift/") {
                let text = file.text().trim();
                self.secret(&name, text.as_bytes());
                if let Ok(key) = hex::decode(text) {
                    self.secret(&format!("{name}, decoded"), &key);
                }
            }
            assert!(self.secrets.len() > before, "{name} has no secret that this test knows");
        }
    }

    fn form(&mut self, name: String, bytes: &[u8]) {
        assert!(bytes.len() >= SHORTEST, "{name} has {} bytes", bytes.len());
        if self.forms.insert(bytes.to_vec(), name).is_some() {
            return;
        }
        let start = start(bytes);
        self.by_start.entry(start).or_default().push(bytes.to_vec());
        self.filter.resize(1 << 14, 0);
        let bit = hash(start);
        self.filter[bit / 64] |= 1 << (bit % 64);
    }

    /// How many secrets there are.
    pub(crate) fn secrets(&self) -> usize {
        self.secrets.len()
    }

    /// Every form, with its name.
    pub(crate) fn forms(&self) -> &BTreeMap<Vec<u8>, String> {
        &self.forms
    }

    /// What is found in these bytes, and how often.
    pub(crate) fn within(&self, haystack: &[u8]) -> BTreeMap<&str, usize> {
        let mut found = BTreeMap::new();
        for window in haystack.windows(KEY) {
            let start = start(window);
            let bit = hash(start);
            if self.filter[bit / 64] & (1 << (bit % 64)) == 0 {
                continue;
            }
            let at = window.as_ptr().addr() - haystack.as_ptr().addr();
            let here = self.by_start.get(&start).into_iter().flatten();
            for needle in here.filter(|needle| haystack[at..].starts_with(needle)) {
                *found.entry(self.forms[needle].as_str()).or_default() += 1;
            }
        }
        found
    }

    /// The same of a file of any size; runs of zeros, of which a disk's image has many, are passed over.
    pub(crate) fn within_file(&self, path: &Path) -> BTreeMap<&str, usize> {
        const PIECE: usize = 1 << 20;
        let longest = self.forms.keys().map(Vec::len).max().unwrap_or(0);
        let file = fs::File::open(path).unwrap();
        let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
        let mut found = BTreeMap::new();
        for at in (0..length).step_by(PIECE) {
            let mut piece = vec![0; (PIECE + longest - 1).min(length - at)];
            file.read_exact_at(&mut piece, at as u64).unwrap();
            let zeros = piece.iter().all(|byte| *byte == 0);
            if zeros {
                continue;
            }
            for (name, times) in self.within(&piece) {
                // what lies in the overlap whole is the next piece's
                let overlap =
                    if piece.len() > PIECE { self.within(&piece[PIECE..]) } else { BTreeMap::new() };
                let times = times - overlap.get(name).copied().unwrap_or(0);
                if times > 0 {
                    *found.entry(name).or_default() += times;
                }
            }
        }
        found
    }

    /// The same of every file below a directory, links not followed; names count too.
    pub(crate) fn below<'a>(&'a self, directory: &Path) -> BTreeMap<&'a str, usize> {
        let mut found = BTreeMap::new();
        let mut waiting = vec![directory.to_path_buf()];
        while let Some(path) = waiting.pop() {
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            let mut here = self.within(path.as_os_str().as_encoded_bytes());
            if kind.is_dir() {
                waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if kind.is_file() {
                here.extend(self.within(&fs::read(&path).unwrap()));
            }
            for (name, times) in here {
                *found.entry(name).or_default() += times;
            }
        }
        found
    }

    /// Nothing in these bytes.
    #[track_caller]
    pub(crate) fn nowhere_in(&self, what: &str, haystack: &[u8]) {
        let found = self.within(haystack);
        assert!(found.is_empty(), "{what} has {found:#?}");
    }
}

fn start(bytes: &[u8]) -> [u8; KEY] {
    bytes[..KEY].try_into().unwrap()
}

fn hash(start: [u8; KEY]) -> usize {
    usize::try_from(u64::from_le_bytes(start).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44).unwrap()
}

/// The values of a field in a text of YAML.
fn values<'a>(text: &'a str, field: &'a str) -> impl Iterator<Item = &'a str> {
    let values = text.lines().filter_map(move |line| {
        line.trim_start().trim_start_matches("- ").strip_prefix(field).map(str::trim)
    });
    values.map(|value| value.trim_matches('"')).filter(|value| !value.is_empty())
}
