//! The targets of `fuzz/` on stable Rust: every seed, and inputs mutated from them, always the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests read files")]

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// Mutated inputs for each target; `SEALIFT_FUZZ_INPUTS` says another number.
const INPUTS: usize = 3000;
/// The longest input.
const LONGEST: usize = 64 << 10;

macro_rules! smoke {
    ($($name:ident)+) => {
        const NAMES: &[&str] = &[$(stringify!($name)),+];
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })+
    };
}

smoke! {
    age archive bundle canonical certificates component_fields contents fields identities index journal
    key_matches keyring kubeconfig manifest manifests patch pem private_key receipt spec sshsig sums trust units
    verify_key
}

#[test]
fn every_target_runs_here_and_in_libfuzzer() {
    let targets: Vec<_> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(targets, NAMES);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in targets {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name} in fuzz/Cargo.toml");
        assert!(fuzz().join(format!("fuzz_targets/{name}.rs")).is_file(), "fuzz/fuzz_targets/{name}.rs");
    }
}

/// What makes the seeds worth mutating: their readers accept them.
#[test]
fn seeds_are_accepted() {
    let trust = sealift::bundle::trust::Trust::parse(&text("trust/example")).unwrap();
    let seed = fs::read(fuzz().join("seeds/bundle/infra0.tar.gz")).unwrap();
    let opened = sealift::bundle::open::open(&seed, "infra0.tar.gz", &trust, 1_798_761_600).unwrap();
    assert_eq!(opened.manifest().host.name, "infra0");
    let tar = fs::read(fuzz().join("seeds/archive/infra0.tar")).unwrap();
    assert_eq!(sealift::bundle::gzip::decode(&seed, tar.len()), Ok(tar));
    for seed in ["everything", "etcd-systemd", "etcd-statefulset", "nginx-local-proxy", "members"] {
        let loaded = sealift::spec::load(&text(&format!("spec/{seed}.yaml")));
        assert!(!loaded.has_errors(), "{seed}: {:?}", loaded.problems);
    }
    assert!(sealift::derive::keyring::Keyring::read(text("keyring/example").as_bytes()).is_ok());
    let kubeconfig = sealift::check::kubeconfig::read(text("kubeconfig/admin.conf").as_bytes());
    assert_eq!(kubeconfig.unwrap().unwrap().users.len(), 1);
    assert!(sealift::bundle::index::Index::parse(text("index/example.json").as_bytes()).is_ok());
    for seed in ["p256.key", "p384.key", "ed25519.pkcs8.key", "rsa2048.key"] {
        let key = text(&format!("private_key/{seed}"));
        assert!(sealift::private_key::PrivateKey::from_pem(key.as_bytes()).is_ok(), "{seed}");
    }
    let manifest = text("manifest/policies.json");
    let manifest: sealift::bundle::manifest::Manifest =
        sealift::bundle::canonical::from_bytes(manifest.as_bytes()).unwrap();
    assert!(sealift::bundle::consistency::check(&manifest).is_empty());
    for seed in ["staging", "placing", "committed"] {
        let journal = text(&format!("journal/{seed}.json"));
        assert!(sealift::check::journal::parse(journal.as_bytes()).is_ok(), "{seed}");
    }
    let pair = fs::read(fuzz().join("seeds/key_matches/sec1")).unwrap();
    let (certificate, key) = pair.split_at(pair.iter().position(|byte| *byte == 0).unwrap());
    assert_eq!(sealift::check::certificates::key_matches(certificate, &key[1..]), Ok(true));
}

/// The same, of what a spec passes on to components.
#[test]
fn seeds_of_components_are_accepted() {
    for seed in ["flannel.yaml", "crd.yaml", "list-crlf.yaml"] {
        let mut imports = sealift::imports::Imports::default();
        let at = sealift::spec::Path::root();
        let problems =
            imports.add_manifests(vec![(at, "x.yaml", Ok(text(&format!("manifests/{seed}")).into()))]);
        assert!(problems.is_empty(), "{seed}: {problems:?}");
    }
    for seed in ["one", "several"] {
        let read = text(&format!("pem/{seed}")).parse::<sealift::spec::scalars::Certificates>();
        assert!(read.is_ok(), "{seed}");
    }
    for seed in ["kubelet", "kube-proxy", "cluster", "wrong"] {
        assert!(sealift::spec::yaml::document(&text(&format!("component_fields/{seed}"))).is_ok(), "{seed}");
    }
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn text(seed: &str) -> String {
    fs::read_to_string(fuzz().join("seeds").join(seed)).unwrap()
}

fn run(name: &str) {
    let (_, target) = targets::TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let seeds = seeds(name);
    for (number, seed) in seeds.iter().enumerate() {
        attempt(*target, name, &format!("seed{number}"), seed);
    }
    let inputs = std::env::var("SEALIFT_FUZZ_INPUTS").map_or(INPUTS, |number| number.parse().unwrap());
    let mut dice = Dice(0x5ea1_1f70);
    for number in 0..inputs {
        let input = mutate(&seeds, &mut dice);
        attempt(*target, name, &number.to_string(), &input);
    }
}

/// The seeds of a target, in byte order of their names.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let directory = fuzz().join("seeds").join(name);
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{name} has no seed");
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

fn attempt(target: targets::Target, name: &str, label: &str, input: &[u8]) {
    if catch_unwind(|| target(input)).is_err() {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{label}"));
        fs::write(&path, input).unwrap();
        panic!("{name} fails on {}", path.display());
    }
}

/// `SplitMix64`, so that every run sees the same inputs.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 when that is 0.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % (limit.max(1) as u64)).unwrap()
    }

    /// A short range within `length`.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let longest = if self.below(8) == 0 { length } else { 32 };
        start..(start + self.below(longest + 1)).min(length)
    }
}

/// What breaks readers more often than chance would find.
const TOKENS: &[&[u8]] = &[
    b"\n",
    b"\r\n",
    b"\0",
    b" ",
    b"\t",
    b"\"",
    b"'",
    b"\\",
    b":",
    b": ",
    b"- ",
    b",",
    b"{",
    b"}",
    b"[",
    b"]",
    b"#",
    b"&a ",
    b"*a",
    b"!",
    b"<<",
    b"../",
    b"/",
    b"--- ",
    b"-----BEGIN ",
    b"-----END ",
    b"-> ",
    b"=",
    b"-1",
    b"0",
    b"1e9",
    b"9007199254740992",
    b"18446744073709551616",
    b"\xff",
    b"\xc0\x80",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"\xf0\x9f\x98\x80",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
];

/// One seed after one to four changes.
fn mutate(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(4) {
        match dice.below(7) {
            0 => flip(&mut input, dice),
            1 => drop(input.drain(dice.range(input.len()))),
            2 => input.truncate(dice.below(input.len() + 1)),
            3 => {
                let piece = input[dice.range(input.len())].to_vec();
                insert(&mut input, &piece, dice);
            }
            4 => {
                let other = &seeds[dice.below(seeds.len())];
                let piece = other[dice.range(other.len())].to_vec();
                insert(&mut input, &piece, dice);
            }
            5 => overwrite(&mut input, dice),
            _ => insert(&mut input, TOKENS[dice.below(TOKENS.len())], dice),
        }
    }
    input.truncate(LONGEST);
    input
}

fn flip(input: &mut [u8], dice: &mut Dice) {
    let (at, bit) = (dice.below(input.len()), dice.below(8));
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

fn overwrite(input: &mut [u8], dice: &mut Dice) {
    let (token, at) = (TOKENS[dice.below(TOKENS.len())], dice.below(input.len()));
    input.iter_mut().skip(at).zip(token).for_each(|(byte, new)| *byte = *new);
}

fn insert(input: &mut Vec<u8>, piece: &[u8], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    input.splice(at..at, piece.iter().copied());
}
