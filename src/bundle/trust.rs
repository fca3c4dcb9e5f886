//! Whom to believe: the trust file, in OpenSSH's `allowed_signers` form (ssh-keygen(1), ALLOWED
//! SIGNERS).
//!
//! One key a line: `CLUSTER-ID[,…] [OPTIONS] ssh-ed25519 BASE64 [COMMENT]`. What is not fully
//! understood is refused, never skipped: a line that is read more widely than OpenSSH reads it
//! would trust what its author did not.

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use thiserror::Error;
use time::{Date, Month, Time, UtcDateTime};

const KEY_TYPE: &str = "ssh-ed25519";
/// The wire form of an Ed25519 public key is this and the key's 32 bytes.
const BLOB_PREFIX: &[u8] = b"\0\0\0\x0bssh-ed25519\0\0\0\x20";

/// The keys that may sign, for which clusters, purposes and times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    signers: Vec<Signer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signer {
    clusters: Vec<String>,
    /// `None`: every namespace, as OpenSSH reads a line without the option.
    namespaces: Option<Vec<String>>,
    valid_after: Option<i64>,
    valid_before: Option<i64>,
    key: [u8; 32],
}

/// Why a trust file is refused.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct TrustError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: TrustProblem,
}

/// What is wrong with a line of a trust file.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum TrustProblem {
    /// A field is missing.
    #[error("a line reads: CLUSTER-ID namespaces=\"…\" ssh-ed25519 KEY")]
    Shape,
    /// Wildcards, negations and quotes in a principal or namespace.
    #[error("{0:?} is a pattern: name each cluster and namespace in full")]
    Pattern(String),
    /// A certificate authority.
    #[error("cert-authority is not supported: name the signing key itself")]
    CertAuthority,
    /// An option that OpenSSH does not have, or that stands twice.
    #[error("option {0:?} is unknown or stands twice")]
    Option(String),
    /// A time that is not `YYYYMMDD[HHMM[SS]]Z`.
    #[error(
        "time {0:?} is not YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ (without Z it would mean another moment on each machine)"
    )]
    Time(String),
    /// A validity that ends before it begins.
    #[error("valid-before is not later than valid-after")]
    Order,
    /// Another kind of key.
    #[error("{0} keys are not supported: sealift signs with ssh-ed25519")]
    KeyType(String),
    /// A key that cannot be read, or is of low order.
    #[error("not an ssh-ed25519 public key")]
    Key,
}

impl Trust {
    /// Reads a trust file. Blank lines and lines that begin with `#` say nothing.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let mut signers = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_matches([' ', '\t']);
            if !line.is_empty() && !line.starts_with('#') {
                let at_line = |problem| TrustError { line: index + 1, problem };
                signers.push(Signer::parse(line).map_err(at_line)?);
            }
        }
        Ok(Self { signers })
    }

    /// Whether this Ed25519 key may sign for a cluster in a namespace, at a time in seconds since
    /// 1970.
    pub fn accepts(&self, cluster_id: &str, namespace: &str, key: &[u8; 32], at: i64) -> bool {
        self.signers.iter().any(|signer| {
            signer.covers(namespace, key, at) && signer.clusters.iter().any(|id| id == cluster_id)
        })
    }

    /// Whether this key may sign for some cluster: all that can be asked before the signed bytes
    /// that name the cluster are believed.
    pub fn knows(&self, namespace: &str, key: &[u8; 32], at: i64) -> bool {
        self.signers.iter().any(|signer| signer.covers(namespace, key, at))
    }
}

/// The line that makes a key trusted for one cluster's bundles and indexes, with its newline.
pub fn trust_line(cluster_id: &str, key: &[u8; 32]) -> String {
    let namespaces = format!("{},{}", crate::bundle::BUNDLE_NAMESPACE, crate::bundle::INDEX_NAMESPACE);
    format!("{cluster_id} namespaces=\"{namespaces}\" {}\n", public_key(key))
}

/// An Ed25519 public key as OpenSSH writes it, without a comment.
pub fn public_key(key: &[u8; 32]) -> String {
    format!("{KEY_TYPE} {}", BASE64_STANDARD.encode([BLOB_PREFIX, key.as_slice()].concat()))
}

impl Signer {
    fn parse(line: &str) -> Result<Self, TrustProblem> {
        let (principals, rest) = token(line);
        let mut signer = Self {
            clusters: plain_list(principals)?,
            namespaces: None,
            valid_after: None,
            valid_before: None,
            key: [0; 32],
        };
        let (mut kind, mut rest) = token(rest);
        if !["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| kind.starts_with(prefix)) {
            signer.read_options(kind)?;
            (kind, rest) = token(rest);
        }
        match kind {
            KEY_TYPE => signer.key = read_key(token(rest).0)?,
            "" => return Err(TrustProblem::Shape),
            other => return Err(TrustProblem::KeyType(other.into())),
        }
        Ok(signer)
    }

    fn read_options(&mut self, options: &str) -> Result<(), TrustProblem> {
        for option in split_unquoted(options, |c| c == ',') {
            let refused = || TrustProblem::Option(option.into());
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if name == "cert-authority" {
                return Err(TrustProblem::CertAuthority);
            }
            let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).ok_or_else(refused)?;
            let twice = match name {
                "namespaces" => self.namespaces.replace(plain_list(value)?).is_some(),
                "valid-after" => self.valid_after.replace(read_time(value)?).is_some(),
                "valid-before" => self.valid_before.replace(read_time(value)?).is_some(),
                _ => return Err(refused()),
            };
            if twice {
                return Err(refused());
            }
        }
        match (self.valid_after, self.valid_before) {
            (Some(after), Some(before)) if before <= after => Err(TrustProblem::Order),
            _ => Ok(()),
        }
    }

    /// Both ends of the validity count, as in OpenSSH's `check_allowed_keys_line`.
    fn covers(&self, namespace: &str, key: &[u8; 32], at: i64) -> bool {
        self.key == *key
            && self.namespaces.as_ref().is_none_or(|names| names.iter().any(|name| name == namespace))
            && self.valid_after.is_none_or(|after| at >= after)
            && self.valid_before.is_none_or(|before| at <= before)
    }
}

/// The first field, blanks in double quotes kept, and what follows it.
fn token(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches([' ', '\t']);
    let field = split_unquoted(text, |c| c == ' ' || c == '\t').next().unwrap_or_default();
    (field, text.get(field.len()..).unwrap_or_default())
}

fn split_unquoted(text: &str, separator: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        !quoted && separator(c)
    })
}

fn plain_list(list: &str) -> Result<Vec<String>, TrustProblem> {
    let plain = |name: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@:+".contains(&byte);
        match name {
            "" => Err(TrustProblem::Shape),
            name if name.bytes().all(allowed) => Ok(name.to_owned()),
            name => Err(TrustProblem::Pattern(name.into())),
        }
    };
    list.split(',').map(plain).collect()
}

fn read_key(base64: &str) -> Result<[u8; 32], TrustProblem> {
    let blob = BASE64_STANDARD.decode(base64).map_err(|_| TrustProblem::Key)?;
    let key = blob.strip_prefix(BLOB_PREFIX).and_then(|key| <[u8; 32]>::try_from(key).ok());
    key.filter(|key| VerifyingKey::from_bytes(key).is_ok_and(|point| !point.is_weak()))
        .ok_or(TrustProblem::Key)
}

fn read_time(text: &str) -> Result<i64, TrustProblem> {
    parse_time(text).ok_or_else(|| TrustProblem::Time(text.into()))
}

fn parse_time(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    if ![8, 12, 14].contains(&digits.len()) {
        return None;
    }
    let number =
        |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<u16>().ok());
    let small = |from: usize| u8::try_from(number(from, from + 2)?).ok();
    let month = Month::try_from(small(4)?).ok()?;
    let date = Date::from_calendar_date(number(0, 4)?.into(), month, small(6)?).ok()?;
    let time = Time::from_hms(small(8)?, small(10)?, small(12)?).ok()?;
    Some(UtcDateTime::new(date, time).unix_timestamp())
}
