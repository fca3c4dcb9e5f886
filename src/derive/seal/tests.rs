//! Sealed files open with the age crate, and their dice depend on everything.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::{CHUNK, Dice, Place, SealError, seal};
use crate::derive::label::Deriver;
use crate::spec::scalars::Recipient;
use crate::unseal::Identities;
use proptest::prelude::{any, prop_assert_eq, prop_assert_ne, proptest};

const AGE_KEY: &str = include_str!("../../../bundles/etcd-static-pods/test-only/infra2.age.key");
const SSH_KEY: &str = include_str!("../../../bundles/etcd-static-pods/test-only/infra2.ssh_host_ed25519_key");
const AGE: &str = "age1s8hcwpexnlmx2h3aj28m32ue36nk33cmudctqhqrntvag7ytmdaqtqzfs4";
const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDqk7SYtCfw8fKmINr4T4QOihxXsHJ7T8qDOMdyDfxl";
const PLACE: Place<'_> =
    Place { cluster: "0123456789abcdef0123456789abcdef", host: "infra2", path: "/a", generation: "1" };

fn deriver() -> Deriver {
    Deriver::new(&std::array::from_fn(|index| u8::try_from(index).unwrap()))
}

fn recipients(texts: &[&str]) -> Vec<Recipient> {
    let mut recipients: Vec<Recipient> = texts.iter().map(|text| text.parse().unwrap()).collect();
    recipients.sort();
    recipients
}

#[test]
fn every_recipient_opens_every_size_around_the_chunk() {
    let sizes = [0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1];
    for texts in [&[AGE][..], &[SSH], &[AGE, SSH]] {
        for size in sizes {
            let plaintext: Vec<u8> = (0..size).map(|index| u8::try_from(index % 251).unwrap()).collect();
            let sealed = seal(&deriver(), PLACE, &recipients(texts), &plaintext).unwrap();
            for (key, text) in [(AGE_KEY, AGE), (SSH_KEY, SSH)] {
                let opened = Identities::parse("test", key.as_bytes()).unwrap().open(&sealed);
                assert_eq!(opened.is_ok(), texts.contains(&text), "{texts:?} {size}");
                if let Ok(opened) = opened {
                    assert_eq!(*opened, plaintext, "{texts:?} {size}");
                }
            }
        }
    }
}

#[test]
fn nobody_is_no_recipient() {
    assert!(matches!(seal(&deriver(), PLACE, &[], b"x"), Err(SealError::NoRecipient)));
}

/// All that would be random, as one value.
fn dice(place: Place<'_>, recipients: &[Recipient], plaintext: &[u8]) -> [Vec<u8>; 4] {
    let dice = Dice::new(&deriver(), place, recipients, plaintext);
    let ephemeral = |index| dice.ephemeral(index).to_bytes().to_vec();
    [dice.file_key().to_vec(), dice.nonce().to_vec(), ephemeral(0), ephemeral(1)]
}

#[test]
fn labels_are_injective() {
    let texts = recipients(&[AGE]);
    let ab = dice(Place { host: "ab", path: "c", ..PLACE }, &texts, b"x");
    let a = dice(Place { host: "a", path: "bc", ..PLACE }, &texts, b"x");
    assert!(ab.iter().zip(&a).all(|(one, other)| one != other));
}

proptest! {
    /// Any flipped bit of any input gives another file key, nonce and ephemeral keys.
    #[test]
    fn every_bit_counts(plaintext in proptest::collection::vec(any::<u8>(), 1..200), at in any::<usize>(), bit in 0..8_u32) {
        let texts = recipients(&[AGE, SSH]);
        let before = dice(PLACE, &texts, &plaintext);
        let mut flipped = plaintext.clone();
        let at = at % flipped.len();
        flipped[at] ^= 1 << bit;
        let others = [
            dice(PLACE, &texts, &flipped),
            dice(Place { cluster: "1123456789abcdef0123456789abcdef", ..PLACE }, &texts, &plaintext),
            dice(Place { host: "infra3", ..PLACE }, &texts, &plaintext),
            dice(Place { path: "/b", ..PLACE }, &texts, &plaintext),
            dice(Place { generation: "2", ..PLACE }, &texts, &plaintext),
            dice(PLACE, &recipients(&[AGE]), &plaintext),
        ];
        for other in others {
            for (one, another) in before.iter().zip(&other) {
                prop_assert_ne!(one, another);
            }
        }
        prop_assert_eq!(before, dice(PLACE, &texts, &plaintext));
    }

    /// A flipped bit anywhere in a sealed file never opens to anything.
    #[test]
    fn no_flipped_bit_opens(at in any::<usize>(), bit in 0..8_u32) {
        let mut sealed = seal(&deriver(), PLACE, &recipients(&[AGE]), b"a secret").unwrap();
        let at = at % sealed.len();
        sealed[at] ^= 1 << bit;
        let identities = Identities::parse("test", AGE_KEY.as_bytes()).unwrap();
        proptest::prop_assert!(identities.open(&sealed).is_err());
    }
}
