//! The keyring: a cluster's id and its numbered seeds, the contents of `seed.age`.

use super::label::{Deriver, Label, Purpose};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zeroize::{Zeroize, Zeroizing};

const FORMAT: &str = "sealift-keyring/v1";

/// A cluster's seeds. Prints nothing.
pub struct Keyring {
    cluster: String,
    seeds: BTreeMap<u32, Deriver>,
}

/// Why a keyring cannot be used. Never says what stood in it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyringError {
    /// Not the JSON of [`Keyring::write`].
    #[error("this is not a sealift keyring, or it is damaged (line {line}, column {column})")]
    Malformed {
        /// Line of the decrypted text, from 1.
        line: usize,
        /// Column of the decrypted text.
        column: usize,
    },
    /// Another version of the format.
    #[error("the keyring has another format than {FORMAT}")]
    Format,
    /// A seed is not 64 hex digits, or its number is not a positive one.
    #[error("seed {0} of the keyring is not 64 hex digits under a positive number")]
    Seed(String),
    /// A seed that the spec asks for is not in the keyring.
    #[error("the keyring has no seed {0}")]
    NoSeed(u32),
    /// The keyring of another cluster.
    #[error("the keyring belongs to cluster {found}, the spec to cluster {wanted}")]
    OtherCluster {
        /// The spec's cluster id.
        wanted: String,
        /// The keyring's cluster id.
        found: String,
    },
}

/// The text of a keyring: JSON with the seeds in hex.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: String,
    cluster: String,
    seeds: BTreeMap<String, String>,
}

impl Drop for Text {
    fn drop(&mut self) {
        self.seeds.values_mut().for_each(Zeroize::zeroize);
    }
}

impl Keyring {
    /// The text of a new keyring with one seed, number 1. To be encrypted before it is stored.
    pub fn write(cluster: &str, seed: &[u8; 32]) -> Zeroizing<String> {
        let seed = Zeroizing::new(hex::encode(seed));
        Zeroizing::new(format!(
            "{{\n  \"format\": \"{FORMAT}\",\n  \"cluster\": \"{cluster}\",\n  \"seeds\": {{\n    \"1\": \"{}\"\n  }}\n}}\n",
            *seed
        ))
    }

    /// Reads the decrypted text of a keyring.
    ///
    /// # Errors
    /// [`KeyringError`], without a word of the contents.
    pub fn read(text: &[u8]) -> Result<Self, KeyringError> {
        let text: Text = serde_json::from_slice(text)
            .map_err(|error| KeyringError::Malformed { line: error.line(), column: error.column() })?;
        if text.format != FORMAT {
            return Err(KeyringError::Format);
        }
        let seeds = text.seeds.iter().map(|(number, seed)| read_seed(number, seed));
        Ok(Self { cluster: text.cluster.clone(), seeds: seeds.collect::<Result<_, _>>()? })
    }

    /// Makes sure that this is the keyring of a cluster, so that one seed never makes two.
    ///
    /// # Errors
    /// [`KeyringError::OtherCluster`].
    pub fn belongs_to(&self, cluster: &str) -> Result<(), KeyringError> {
        if self.cluster == cluster {
            return Ok(());
        }
        Err(KeyringError::OtherCluster { wanted: cluster.to_owned(), found: self.cluster.clone() })
    }

    /// The seed of a number.
    ///
    /// # Errors
    /// [`KeyringError::NoSeed`].
    pub fn seed(&self, number: u32) -> Result<&Deriver, KeyringError> {
        self.seeds.get(&number).ok_or(KeyringError::NoSeed(number))
    }

    /// A seed's public name, 32 hex digits: tells seeds apart and says nothing else about them.
    ///
    /// # Errors
    /// [`KeyringError::NoSeed`].
    pub fn seed_id(&self, number: u32) -> Result<String, KeyringError> {
        let label = Label { cluster: &self.cluster, ..Label::default() };
        let id = self.seed(number)?.secret::<16>(Purpose::SeedId, &label);
        Ok(hex::encode(*id))
    }
}

fn read_seed(number: &str, seed: &str) -> Result<(u32, Deriver), KeyringError> {
    let broken = || KeyringError::Seed(number.chars().take(10).collect());
    let canonical = number.parse::<u32>().ok().filter(|parsed| *parsed > 0 && parsed.to_string() == number);
    let mut bytes = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(seed, bytes.as_mut()).map_err(|_| broken())?;
    Ok((canonical.ok_or_else(broken)?, Deriver::new(&bytes)))
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}
