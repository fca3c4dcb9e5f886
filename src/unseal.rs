//! Opening age files with identities: age's own keys and OpenSSH ed25519 host keys.

use age::{DecryptError, Decryptor, Identity};
use std::io::Read;
use zeroize::Zeroizing;

/// Keys that open sealed files. Prints nothing.
#[derive(Default)]
pub struct Identities(Vec<Key>);

enum Key {
    Age(age::x25519::Identity),
    Ssh(Box<age::ssh::Identity>),
}

/// Why a file does not open, or an identity cannot be used. Never says what stood in it.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    /// None of the identities is a recipient.
    #[error("none of the identities opens it")]
    NoMatch,
    /// Not an age file, or damaged.
    #[error("it is no age file, or it is damaged")]
    Broken(#[source] DecryptError),
    /// Bytes follow the last chunk, or the payload cannot be read.
    #[error("it is damaged")]
    Payload(#[source] std::io::Error),
    /// A line of an identity file is no age identity.
    #[error("{file}:{line}: this is no age identity")]
    Line {
        /// The file's name.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// The file holds no identity.
    #[error("{file} holds no identity")]
    Empty {
        /// The file's name.
        file: String,
    },
    /// The identity file is itself encrypted.
    #[error("{file} is encrypted; decrypt it first")]
    Encrypted {
        /// The file's name.
        file: String,
    },
    /// An OpenSSH key of another type, or damaged.
    #[error("{file} is no OpenSSH ed25519 key that can be used")]
    Ssh {
        /// The file's name.
        file: String,
    },
}

impl Identities {
    /// Reads an identity file: `AGE-SECRET-KEY-1…` lines with comments, or one unencrypted OpenSSH
    /// ed25519 private key.
    ///
    /// # Errors
    /// [`UnsealError`], without a word of the contents.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, UnsealError> {
        let encrypted = [b"age-encryption.org/".as_slice(), b"-----BEGIN AGE ENCRYPTED FILE"];
        if encrypted.iter().any(|start| bytes.starts_with(start)) {
            return Err(UnsealError::Encrypted { file: file.to_owned() });
        }
        let keys =
            if bytes.starts_with(b"-----BEGIN ") { vec![ssh(file, bytes)?] } else { age_lines(file, bytes)? };
        if keys.is_empty() {
            return Err(UnsealError::Empty { file: file.to_owned() });
        }
        Ok(Self(keys))
    }

    /// Adds the keys of another file.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Opens an age file whole: the plaintext is returned only after its last chunk proved genuine.
    ///
    /// # Errors
    /// [`UnsealError::NoMatch`] when it is sealed to others, else that it is damaged.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let decryptor = Decryptor::new_buffered(sealed).map_err(UnsealError::Broken)?;
        let keys = self.0.iter().map(|key| match key {
            Key::Age(key) => key as &dyn Identity,
            Key::Ssh(key) => key.as_ref() as &dyn Identity,
        });
        let mut reader = decryptor.decrypt(keys).map_err(|error| match error {
            DecryptError::NoMatchingKeys => UnsealError::NoMatch,
            other => UnsealError::Broken(other),
        })?;
        // a plaintext is never longer than its file, so the buffer never moves and leaves copies
        let mut plaintext = Zeroizing::new(Vec::with_capacity(sealed.len()));
        reader.read_to_end(&mut plaintext).map_err(UnsealError::Payload)?;
        Ok(plaintext)
    }
}

fn age_lines(file: &str, bytes: &[u8]) -> Result<Vec<Key>, UnsealError> {
    let mut keys = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let key = std::str::from_utf8(line).ok().and_then(|line| line.parse().ok());
        keys.push(
            key.map(Key::Age).ok_or_else(|| UnsealError::Line { file: file.to_owned(), line: index + 1 })?,
        );
    }
    Ok(keys)
}

fn ssh(file: &str, bytes: &[u8]) -> Result<Key, UnsealError> {
    let unusable = || UnsealError::Ssh { file: file.to_owned() };
    match age::ssh::Identity::from_buffer(bytes, None).map_err(|_| unusable())? {
        key @ age::ssh::Identity::Unencrypted(_) => Ok(Key::Ssh(Box::new(key))),
        age::ssh::Identity::Encrypted(_) => Err(UnsealError::Encrypted { file: file.to_owned() }),
        age::ssh::Identity::Unsupported(_) => Err(unusable()),
    }
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}
