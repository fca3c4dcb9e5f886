//! The keyring's file: opened with identities, encrypted to operators.

use super::failure::{Failure, MACHINE, USAGE};
use super::world::{self, SpecFile};
use crate::derive::keyring::{Keyring, KeyringError};
use crate::unseal::{Identities, UnsealError};
use std::io::Write;
use std::path::Path;
use zeroize::Zeroizing;

/// The keyring's name beside a spec.
pub(super) const FILE: &str = "seed.age";

/// The decrypted text of a keyring.
pub(super) fn open(path: &Path, identities: &Identities) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if !path.exists() {
        return Err(Failure::new(USAGE, format!("there is no keyring at {}", path.display()))
            .hint("name it with --seed FILE, or make one with `sealift init`"));
    }
    let sealed = world::read(path)?;
    if identities.is_empty() {
        return Err(Failure::new(
            USAGE,
            format!("{} is encrypted and no identity was given", path.display()),
        )
        .hint("name an operator's identity file: -i operator.key"));
    }
    identities.open(&sealed).map_err(|error| match error {
        UnsealError::NoMatch => {
            Failure::new(USAGE, format!("none of the identities opens {}", path.display()))
                .hint("use the identity of one of the operators that it was encrypted to")
        }
        other => Failure::from_error(USAGE, &other).about(path).hint("restore seed.age from a copy"),
    })
}

/// A spec's keyring: the one that the user named, or the one beside the spec.
pub(super) fn of_spec(
    named: Option<&Path>,
    identities: &Identities,
    spec: &SpecFile,
) -> Result<Keyring, Failure> {
    let path = named.map_or_else(|| spec.directory.join(FILE), Path::to_path_buf);
    let text = open(&path, identities)?;
    Keyring::read(&text).map_err(|error| failure(&error))
}

/// What is wrong with a keyring, and what to do.
pub(super) fn failure(error: &KeyringError) -> Failure {
    let failure = Failure::from_error(USAGE, error);
    match error {
        KeyringError::NoSeed(_) => {
            failure.hint("the spec's `seed:` fields name seeds by their number in the keyring; `sealift init --add-seed` adds one")
        }
        KeyringError::OtherCluster { .. } => {
            failure.hint("name this cluster's keyring with --seed; one seed never makes two clusters")
        }
        _ => failure.hint("restore seed.age from a copy"),
    }
}

/// Bytes from the operating system's random source. Only `init` draws any for a cluster.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Failure> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut())
        .map_err(|error| Failure::new(MACHINE, format!("no randomness from the system: {error}")))?;
    Ok(bytes)
}

/// Encrypts a text in the age format, with random keys, as `age` does.
pub(super) fn encrypt(text: &str, recipients: &[String]) -> Result<Vec<u8>, Failure> {
    let parsed =
        recipients.iter().map(|recipient| age_recipient(recipient)).collect::<Result<Vec<_>, _>>()?;
    let failed = |error: &dyn std::error::Error| Failure::from_error(MACHINE, error);
    let encryptor =
        age::Encryptor::with_recipients(parsed.iter().map(AsRef::as_ref)).map_err(|error| failed(&error))?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed).map_err(|error| failed(&error))?;
    writer.write_all(text.as_bytes()).map_err(|error| failed(&error))?;
    writer.finish().map_err(|error| failed(&error))?;
    Ok(sealed)
}

fn age_recipient(text: &str) -> Result<Box<dyn age::Recipient>, Failure> {
    if let Ok(recipient) = text.parse::<age::x25519::Recipient>() {
        return Ok(Box::new(recipient));
    }
    match text.parse::<age::ssh::Recipient>() {
        Ok(recipient) => Ok(Box::new(recipient)),
        Err(_) => Err(Failure::new(USAGE, format!("the operator {text} is not usable"))),
    }
}
