//! The keys of imported authorities.

use super::{Issuer, unreadable};
use crate::private_key::PrivateKey;
use crate::spec::{Path, Problem};
use zeroize::Zeroizing;

/// What a key's file holds.
pub enum KeyFile {
    /// A text that should be a key.
    Open(Zeroizing<Vec<u8>>),
    /// A file that age encrypted.
    Sealed(Vec<u8>),
    /// In words, why there is nothing.
    Unreadable(String),
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(_) => f.write_str("Open(..)"),
            Self::Sealed(_) => f.write_str("Sealed(..)"),
            Self::Unreadable(reason) => f.debug_tuple("Unreadable").field(reason).finish(),
        }
    }
}

const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// The key in a text.
pub(super) fn read(text: &[u8], at: &Path, name: &str) -> Result<PrivateKey, Box<Problem>> {
    if text.trim_ascii_start().starts_with(ARMOR) {
        let message = format!("{at}: {name}: an armored age file");
        return Err(Box::new(Problem::error(at.clone(), message).hint("encrypt it without --armor")));
    }
    PrivateKey::from_pem(text).map_err(|error| {
        let error = error.to_string();
        let (what, hint) = error.split_once("; ").unwrap_or((&error, "get the file again"));
        Box::new(Problem::error(at.clone(), format!("{at}: {name}: {what}")).hint(hint))
    })
}

/// Gives an issuer its key, when it is its key.
pub(super) fn give(issuer: &mut Issuer, key: PrivateKey, at: &Path, name: &str) -> Result<(), Box<Problem>> {
    if !key.matches_spki(&issuer.spki) {
        let message = format!("{at}: {name}: the private key is not the one of the certificate");
        let problem = Problem::error(at.clone(), message);
        return Err(Box::new(problem.hint("name the certificate and the key of one authority")));
    }
    issuer.key = Some(key);
    Ok(())
}

/// The same for a key that was encrypted; `opened` says in words why it is not open.
pub(super) fn open(
    issuer: &mut Issuer,
    opened: Result<Zeroizing<Vec<u8>>, String>,
    at: &Path,
    name: &str,
) -> Result<(), Box<Problem>> {
    match opened {
        Ok(text) => give(issuer, read(&text, at, name)?, at, name),
        Err(reason) => Err(Box::new(unreadable(at, name, &reason).hint(
            "encrypt it to an operator with age, and name that operator's identity file: -i operator.key",
        ))),
    }
}
