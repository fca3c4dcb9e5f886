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
    /// The last number there is has a seed.
    #[error("the keyring has a seed under the highest number that there is")]
    Full,
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

impl Text {
    fn read(text: &[u8]) -> Result<Self, KeyringError> {
        let text: Self = serde_json::from_slice(text)
            .map_err(|error| KeyringError::Malformed { line: error.line(), column: error.column() })?;
        if text.format == FORMAT { Ok(text) } else { Err(KeyringError::Format) }
    }
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
        text_of(cluster, &[(1, seed.as_str())])
    }

    /// The text of a keyring with one seed more, under the number after the highest, and that
    /// number. The seeds that are there stay as they are. To be encrypted before it is stored.
    ///
    /// # Errors
    /// As [`Keyring::read`], and [`KeyringError::Full`].
    pub fn append(text: &[u8], seed: &[u8; 32]) -> Result<(Zeroizing<String>, u32), KeyringError> {
        let text = Text::read(text)?;
        let numbered = |(number, seed)| Ok((read_seed(number, seed)?.0, seed));
        let mut seeds = text
            .seeds
            .iter()
            .map(|(number, seed)| (number.as_str(), seed.as_str()))
            .map(numbered)
            .collect::<Result<Vec<_>, _>>()?;
        seeds.sort_unstable_by_key(|(number, _)| *number);
        let last = seeds.last().map_or(0, |(number, _)| *number);
        let next = last.checked_add(1).ok_or(KeyringError::Full)?;
        let new = Zeroizing::new(hex::encode(seed));
        seeds.push((next, &new));
        Ok((text_of(&text.cluster, &seeds), next))
    }

    /// Reads the decrypted text of a keyring.
    ///
    /// # Errors
    /// [`KeyringError`], without a word of the contents.
    pub fn read(text: &[u8]) -> Result<Self, KeyringError> {
        let text = Text::read(text)?;
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

/// The JSON of numbered seeds, which are hex digits, in the order given.
fn text_of(cluster: &str, seeds: &[(u32, &str)]) -> Zeroizing<String> {
    // reserved at once: a text that grows leaves copies of seeds behind
    let length = 100 + cluster.len() + seeds.iter().map(|(_, seed)| seed.len() + 30).sum::<usize>();
    let mut text = Zeroizing::new(String::with_capacity(length));
    text.extend(["{\n  \"format\": \"", FORMAT, "\",\n  \"cluster\": \"", cluster, "\",\n  \"seeds\": {\n"]);
    for (index, (number, seed)) in seeds.iter().enumerate() {
        let comma = if index == 0 { "" } else { ",\n" };
        text.extend([comma, "    \"", &number.to_string(), "\": \"", seed, "\""]);
    }
    text.push_str("\n  }\n}\n");
    debug_assert!(text.len() <= length);
    text
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{Keyring, KeyringError};

    const CLUSTER: &str = "7e570000000000000000000000000001";

    fn seeds(numbers: &[&str]) -> String {
        let seed = |number: &&str| format!("\"{number}\": \"{}\"", "0A".repeat(32));
        let seeds: Vec<_> = numbers.iter().map(seed).collect();
        let head = format!("{{\"format\": \"sealift-keyring/v1\", \"cluster\": \"{CLUSTER}\"");
        format!("{head}, \"seeds\": {{{}}}}}", seeds.join(", "))
    }

    #[test]
    fn a_new_keyring_has_one_seed() {
        let text = Keyring::write(CLUSTER, &[7; 32]);
        let lines =
            ["{", "  \"format\": \"sealift-keyring/v1\",", "  \"cluster\": \"CLUSTER\",", "  \"seeds\": {"];
        let expected = format!("{}\n    \"1\": \"{}\"\n  }}\n}}\n", lines.join("\n"), "07".repeat(32));
        assert_eq!(*text, expected.replace("CLUSTER", CLUSTER));
    }

    #[test]
    fn seeds_are_appended_and_stay() {
        let one = Keyring::write(CLUSTER, &[1; 32]);
        let (two, number) = Keyring::append(one.as_bytes(), &[2; 32]).unwrap();
        assert_eq!(number, 2);
        let (three, number) = Keyring::append(two.as_bytes(), &[3; 32]).unwrap();
        assert_eq!(number, 3);
        let head = one.strip_suffix("\n  }\n}\n").unwrap();
        let (second, third) = ("02".repeat(32), "03".repeat(32));
        assert_eq!(*three, format!("{head},\n    \"2\": \"{second}\",\n    \"3\": \"{third}\"\n  }}\n}}\n"));
        let (before, after) =
            (Keyring::read(one.as_bytes()).unwrap(), Keyring::read(three.as_bytes()).unwrap());
        assert_eq!(before.seed_id(1), after.seed_id(1));
        assert_ne!(after.seed_id(2), after.seed_id(3));
        after.belongs_to(CLUSTER).unwrap();
    }

    #[test]
    fn numbers_are_numbers_not_words() {
        let (text, number) = Keyring::append(seeds(&["9", "10", "2"]).as_bytes(), &[1; 32]).unwrap();
        assert_eq!(number, 11);
        let numbers: Vec<_> = text.lines().filter_map(|line| line.trim().split('"').nth(1)).skip(3).collect();
        assert_eq!(numbers, ["2", "9", "10", "11"]);
        assert!(text.contains(&"0A".repeat(32)), "a seed stays as it was written");
        assert_eq!(Keyring::append(seeds(&[]).as_bytes(), &[1; 32]).unwrap().1, 1);
    }

    #[test]
    fn what_is_no_keyring_gets_no_seed() {
        let append = |text: &str| Keyring::append(text.as_bytes(), &[1; 32]).map(|(_, number)| number);
        assert_eq!(append(&seeds(&["4294967295"])), Err(KeyringError::Full));
        assert_eq!(append(&seeds(&["01"])), Err(KeyringError::Seed("01".to_owned())));
        assert_eq!(append("{"), Err(KeyringError::Malformed { line: 1, column: 1 }));
        let other = seeds(&["1"]).replace("keyring/v1", "keyring/v2");
        assert_eq!(append(&other), Err(KeyringError::Format));
    }
}
