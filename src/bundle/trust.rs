//! Whom to believe: the trust file, in OpenSSH's `allowed_signers` form (ssh-keygen(1), ALLOWED
//! SIGNERS).
//!
//! One key a line: `CLUSTER-ID[,…] [OPTIONS] ssh-ed25519 BASE64 [COMMENT]`. What is not fully
//! understood is refused, never skipped: a line that is read more widely than OpenSSH reads it
//! would trust what its author did not.

mod amend;
mod standing;

pub use amend::{amended, read_public_key};
pub use standing::Standing;

use crate::bundle::{BUNDLE_NAMESPACE, INDEX_NAMESPACE};
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
        self.standing(Some(cluster_id), namespace, key, at) == Standing::Trusted
    }
}

/// Whose signature counts.
#[derive(Clone, Copy, Debug)]
pub enum Signers<'a> {
    /// Those of a trust file, at a time in seconds since 1970.
    Trusted(&'a Trust, i64),
    /// Whoever signed. The bytes are whole, and nothing says who made them: for comparing, never for
    /// using.
    Anyone,
}

/// The line that makes a key trusted for one cluster's bundles and indexes, with its newline.
pub fn trust_line(cluster_id: &str, key: &[u8; 32]) -> String {
    let namespaces = format!("{BUNDLE_NAMESPACE},{INDEX_NAMESPACE}");
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
        if !["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| kind.starts_with(prefix)) && !kind.is_empty() {
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

    fn has_namespace(&self, namespace: &str) -> bool {
        self.namespaces.as_ref().is_none_or(|names| names.iter().any(|name| name == namespace))
    }

    fn is_for(&self, namespace: &str, key: &[u8; 32]) -> bool {
        self.key == *key && self.has_namespace(namespace)
    }

    /// Both ends of the validity count, as in OpenSSH's `check_allowed_keys_line`.
    fn covers(&self, namespace: &str, key: &[u8; 32], at: i64) -> bool {
        self.is_for(namespace, key)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::{Standing, Trust, TrustError, TrustProblem, public_key, trust_line};
    use ed25519_dalek::SigningKey;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn key(seed: u8) -> [u8; 32] {
        SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes()
    }

    fn problem(line: &str) -> TrustProblem {
        let TrustError { line: number, problem } = Trust::parse(&format!("# one\n\n{line}\n")).unwrap_err();
        assert_eq!(number, 3);
        problem
    }

    #[test]
    fn reads_its_own_line() {
        let line = trust_line(ID, &key(7));
        assert_eq!(
            line,
            "0123456789abcdef0123456789abcdef namespaces=\"sealift-bundle,sealift-index\" ssh-ed25519 \
             AAAAC3NzaC1lZDI1NTE5AAAAIOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs\n"
        );
        let trust = Trust::parse(&line).unwrap();
        assert!(trust.accepts(ID, "sealift-bundle", &key(7), 0));
        assert!(trust.accepts(ID, "sealift-index", &key(7), 0));
        assert_eq!(trust.standing(None, "sealift-index", &key(7), 0), Standing::Trusted);
        assert!(!trust.accepts(ID, "file", &key(7), 0));
        assert!(!trust.accepts(ID, "sealift-bundle", &key(8), 0));
        assert!(!trust.accepts(&ID.replace('0', "1"), "sealift-bundle", &key(7), 0));
        let nobody = Trust::parse("").unwrap().standing(None, "sealift-bundle", &key(7), 0);
        assert_eq!(nobody, Standing::Unknown);
    }

    #[test]
    fn reads_lists_comments_and_validity() {
        let (old, new) = (public_key(&key(1)), public_key(&key(2)));
        let text = format!(
            "# rotation\r\n  a,b valid-before=\"20260101Z\",namespaces=\"sealift-bundle\" {old} old key\n\
             \n\tb\tvalid-after=\"202512312359Z\",valid-before=\"20270101000001Z\"\t{new}\n"
        );
        let trust = Trust::parse(&text).unwrap();
        let new_year = 1_767_225_600;
        for (cluster, namespace, seed, at, accepted) in [
            ("a", "sealift-bundle", 1, new_year, true),
            ("b", "sealift-bundle", 1, 0, true),
            ("a", "sealift-bundle", 1, new_year + 1, false),
            ("a", "sealift-index", 1, 0, false),
            ("a", "sealift-bundle", 2, new_year, false),
            ("b", "sealift-bundle", 2, new_year, true),
            ("b", "anything", 2, new_year - 60, true),
            ("b", "sealift-bundle", 2, new_year - 61, false),
            ("b", "sealift-bundle", 2, new_year + 365 * 86400 + 1, true),
            ("b", "sealift-bundle", 2, new_year + 365 * 86400 + 2, false),
        ] {
            let found = trust.accepts(cluster, namespace, &key(seed), at);
            assert_eq!(found, accepted, "{cluster} {namespace} {seed} {at}");
        }
    }

    #[test]
    fn refuses_what_it_does_not_fully_understand() {
        let good = public_key(&key(1));
        let weak = public_key(&std::array::from_fn(|index| u8::from(index == 0)));
        let pattern = |text: &str| TrustProblem::Pattern(text.into());
        let option = |text: &str| TrustProblem::Option(text.into());
        let time = |text: &str| TrustProblem::Time(text.into());
        for (line, expected) in [
            (format!("* {good}"), pattern("*")),
            (format!("a,!b {good}"), pattern("!b")),
            (format!("\"a b\" {good}"), pattern("\"a b\"")),
            (format!("a, {good}"), TrustProblem::Shape),
            ("a".into(), TrustProblem::Shape),
            ("a namespaces=\"x\"".into(), TrustProblem::Shape),
            (format!("a namespaces=\"sealift-*\" {good}"), pattern("sealift-*")),
            (format!("a namespaces=\"\" {good}"), TrustProblem::Shape),
            (format!("a namespaces=x {good}"), option("namespaces=x")),
            (format!("a namespaces=\"x {good}"), option(&format!("namespaces=\"x {good}"))),
            (format!("a namespaces=\"x\",namespaces=\"y\" {good}"), option("namespaces=\"y\"")),
            (format!("a no-touch-required {good}"), option("no-touch-required")),
            (format!("a cert-authority {good}"), TrustProblem::CertAuthority),
            (format!("a valid-after=\"20260101\" {good}"), time("20260101")),
            (format!("a valid-after=\"20260231Z\" {good}"), time("20260231Z")),
            (format!("a valid-before=\"2026010124Z\" {good}"), time("2026010124Z")),
            (format!("a valid-before=\"202601012400Z\" {good}"), time("202601012400Z")),
            (format!("a valid-before=\"+0260101Z\" {good}"), time("+0260101Z")),
            (format!("a valid-after=\"20260101Z\",valid-before=\"20260101Z\" {good}"), TrustProblem::Order),
            ("a ssh-rsa AAAA".into(), TrustProblem::KeyType("ssh-rsa".into())),
            (
                "a sk-ssh-ed25519@openssh.com AAAA".into(),
                TrustProblem::KeyType("sk-ssh-ed25519@openssh.com".into()),
            ),
            ("a ssh-ed25519".into(), TrustProblem::Key),
            ("a ssh-ed25519 AAAA".into(), TrustProblem::Key),
            (format!("a {good}A"), TrustProblem::Key),
            (format!("a {weak}"), TrustProblem::Key),
        ] {
            assert_eq!(problem(&line), expected, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in ".{0,80}", options in "[a-z=\", -]{0,40}") {
            let _ = Trust::parse(&text);
            let _ = Trust::parse(&format!("a {options} {}", public_key(&key(1))));
        }
    }
}
