//! Secrets that are known, looked for in all that any command says and writes, whatever goes wrong.
//!
//! The cluster's seed is a sentence; its keyring, identities and everything derived are known, in every form
//! that they could slip out in. They are looked for in outputs, in a file system's image, deleted files
//! included, and where processes that die leave traces.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod commands;
mod disk;
mod installs;
mod machine;
mod mistakes;
mod needles;
mod process;
mod stage;
#[path = "../support/mod.rs"]
mod support;

use needles::Needles;
use stage::Stage;
use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

/// What the tests share; `None` where its tools are missing.
fn stage() -> Option<&'static Stage> {
    static STAGE: LazyLock<Option<Stage>> = LazyLock::new(|| {
        let tools = ["openssl", "ssh-keygen"].iter().all(|tool| support::need(tool).is_some());
        tools.then(Stage::new)
    });
    STAGE.as_ref()
}

/// The search finds every form, wherever it stands; and finds nothing in what is public.
#[test]
fn the_search_finds_what_it_looks_for() {
    let Some(stage) = stage() else { return };
    let needles = &stage.needles;
    // 2 identities of age, one of OpenSSH and the imported key, twice each; the seed's 12; the files'
    assert!(needles.secrets() > 60, "{}", needles.secrets());
    let file = stage.secret("haystack");
    for (number, (form, name)) in needles.forms().iter().enumerate() {
        let mut haystack = vec![b'='; number % 7];
        haystack.extend(form);
        haystack.push(b'\n');
        assert!(needles.within(&haystack).contains_key(name.as_str()), "{name}");
        if number % 50 == 0 {
            // across the end of a piece of a file
            let mut long = vec![0_u8; (1 << 20) - 5];
            long.extend(&haystack);
            fs::write(&file, &long).unwrap();
            assert_eq!(needles.within_file(&file).get(name.as_str()), Some(&1), "{name}");
        }
    }
    fs::remove_file(file).unwrap();
    // base64 of a text that has the seed somewhere in it
    for before in 0..7 {
        use base64::Engine;
        let text = [&vec![b'x'; before], stage::SEED.as_slice(), b"yz"].concat();
        let found = base64::prelude::BASE64_STANDARD.encode(text);
        assert!(needles.within(found.as_bytes()).keys().all(|name| name.starts_with("seed, base64")));
        assert_eq!(needles.within(found.as_bytes()).len(), 1, "{found}");
    }
    assert!(!needles.below(stage.vault.path()).is_empty());
    assert_eq!(needles.below(stage.public.path()), BTreeMap::new());
}

/// A seed that the program drew itself, and what comes of it.
fn drawn(keyring: &[u8], identity: &str) -> Needles {
    let identity: age::x25519::Identity = identity.trim().parse().unwrap();
    let text = age::decrypt(&identity, keyring).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let mut needles = Needles::default();
    for seed in value["seeds"].as_object().unwrap().values() {
        let seed = hex::decode(seed.as_str().unwrap()).unwrap().try_into().unwrap();
        needles.seed(&seed, std::str::from_utf8(&text).unwrap());
    }
    needles
}
