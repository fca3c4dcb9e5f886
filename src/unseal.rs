//! Opens age files (the age-encryption.org/v1 format) with the identities a person or host holds.

use std::{
    fmt,
    io::{self, Read},
};
use thiserror::Error;
use zeroize::Zeroizing;

const MAGIC: &[u8] = b"age-encryption.org/v1\n";
const ARMOR: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const OPENSSH: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const OPENSSH_END: &str = "-----END OPENSSH PRIVATE KEY-----";
/// The longest identity file that is read.
const MAX_IDENTITY_FILE: usize = 1 << 20;

/// Whether bytes begin as an age file does. Armored age files are not used by sealift.
pub fn is_age_file(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Why an identity file is refused or an age file does not open. Never holds key material.
#[derive(Debug, Error)]
pub enum UnsealError {
    /// An identity file that cannot be used.
    #[error("identity file {name}: {problem}")]
    Identity {
        /// The file's name.
        name: String,
        /// What is wrong with it.
        problem: IdentityProblem,
    },
    /// None of the identities is a recipient.
    #[error("none of the identities opens it")]
    NoMatch,
    /// Not an age file, damaged, truncated or with bytes after its end.
    #[error("not an intact age file")]
    Broken(#[source] io::Error),
}

/// What is wrong with an identity file.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum IdentityProblem {
    /// Bytes that are no text.
    #[error("not text")]
    NotText,
    /// Longer than any identity file.
    #[error("too long for an identity file")]
    TooLong,
    /// Nothing but comments.
    #[error("no identity in it")]
    Empty,
    /// Encrypted with a passphrase, as age does.
    #[error("encrypted: decrypt it first, with `age -d`, into a file that only you can read")]
    EncryptedAge,
    /// Encrypted with a passphrase, as OpenSSH does.
    #[error(
        "the ssh key is encrypted: make a copy without passphrase with `ssh-keygen -p`, and delete it afterwards"
    )]
    EncryptedSsh,
    /// A damaged OpenSSH key, or text after it.
    #[error("not an OpenSSH private key and nothing else")]
    MalformedSsh,
    /// A kind of key that is never a recipient.
    #[error("{0} keys are not supported: use an age or an ssh-ed25519 key")]
    Kind(&'static str),
    /// A public key.
    #[error("line {0} is a recipient (a public key): give the private key's file")]
    Recipient(usize),
    /// A line that is no identity; its number only.
    #[error("line {0} is not an age identity")]
    Line(usize),
}

/// Private keys that open age files.
#[derive(Default)]
pub struct Identities {
    keys: Vec<Box<dyn age::Identity + Send + Sync>>,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({})", self.keys.len())
    }
}

impl Identities {
    /// Reads an age identity file (`AGE-SECRET-KEY-1…` lines and comments) or an unencrypted
    /// OpenSSH ed25519 private key. `name` stands for it in errors.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, UnsealError> {
        parse(bytes).map_err(|problem| UnsealError::Identity { name: name.into(), problem })
    }

    /// Adds the identities of another file.
    pub fn extend(&mut self, other: Self) {
        self.keys.extend(other.keys);
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Opens an age file as a whole: the plaintext comes back only after its last chunk proved to be
    /// authentic and the last.
    pub fn open(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        // A plaintext is shorter than its ciphertext, so the buffer never moves and leaves copies.
        let mut plaintext = Zeroizing::new(Vec::with_capacity(ciphertext.len()));
        let keys = self.keys.iter().map(|key| &**key as &dyn age::Identity);
        let mut stream =
            age::Decryptor::new_buffered(ciphertext).and_then(|file| file.decrypt(keys)).map_err(refused)?;
        stream.read_to_end(&mut plaintext).map_err(UnsealError::Broken)?;
        Ok(plaintext)
    }
}

fn refused(error: age::DecryptError) -> UnsealError {
    match error {
        age::DecryptError::NoMatchingKeys => UnsealError::NoMatch,
        age::DecryptError::Io(error) => UnsealError::Broken(error),
        // age's own messages are many lines long and localized: the cause in a word is enough.
        age::DecryptError::InvalidMac => broken("header MAC is wrong"),
        age::DecryptError::DecryptionFailed => broken("cannot be decrypted"),
        age::DecryptError::UnknownFormat => broken("unknown format"),
        _ => broken("header is malformed"),
    }
}

fn broken(reason: &'static str) -> UnsealError {
    UnsealError::Broken(io::Error::new(io::ErrorKind::InvalidData, reason))
}

fn parse(bytes: &[u8]) -> Result<Identities, IdentityProblem> {
    if bytes.len() > MAX_IDENTITY_FILE {
        return Err(IdentityProblem::TooLong);
    }
    if is_age_file(bytes) {
        return Err(IdentityProblem::EncryptedAge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| IdentityProblem::NotText)?;
    let keys = match text.trim_start() {
        start if start.starts_with(ARMOR) => return Err(IdentityProblem::EncryptedAge),
        start if start.starts_with(OPENSSH) => vec![ssh_key(start)?],
        start if start.starts_with("-----BEGIN RSA PRIVATE KEY-----") => {
            return Err(IdentityProblem::Kind("ssh-rsa"));
        }
        _ => age_keys(text)?,
    };
    if keys.is_empty() { Err(IdentityProblem::Empty) } else { Ok(Identities { keys }) }
}

fn ssh_key(text: &str) -> Result<Box<dyn age::Identity + Send + Sync>, IdentityProblem> {
    use age::ssh::{Identity, Recipient, UnsupportedKey};
    // The age crate stops reading at the end marker.
    let (_, after) = text.split_once(OPENSSH_END).ok_or(IdentityProblem::MalformedSsh)?;
    if !after.trim().is_empty() {
        return Err(IdentityProblem::MalformedSsh);
    }
    match Identity::from_buffer(text.as_bytes(), None).map_err(|_| IdentityProblem::MalformedSsh)? {
        key @ Identity::Unencrypted(_) => match Recipient::try_from(key.clone()) {
            Ok(Recipient::SshEd25519(..)) => Ok(Box::new(key)),
            _ => Err(IdentityProblem::Kind("ssh-rsa")),
        },
        Identity::Encrypted(_) | Identity::Unsupported(UnsupportedKey::EncryptedSsh(_)) => {
            Err(IdentityProblem::EncryptedSsh)
        }
        Identity::Unsupported(UnsupportedKey::Hardware(_)) => Err(IdentityProblem::Kind("hardware ssh")),
        Identity::Unsupported(_) => Err(IdentityProblem::Kind("such ssh")),
    }
}

fn age_keys(text: &str) -> Result<Vec<Box<dyn age::Identity + Send + Sync>>, IdentityProblem> {
    let mut keys: Vec<Box<dyn age::Identity + Send + Sync>> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with("AGE-PLUGIN-") {
            return Err(IdentityProblem::Kind("age plugin"));
        }
        if line.starts_with("AGE-SECRET-KEY-PQ-") {
            return Err(IdentityProblem::Kind("post-quantum age"));
        }
        if line.starts_with("age1") || line.starts_with("ssh-") {
            return Err(IdentityProblem::Recipient(index + 1));
        }
        let key = line.parse::<age::x25519::Identity>().map_err(|_| IdentityProblem::Line(index + 1))?;
        keys.push(Box::new(key));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    // Tests seal with stock age, whose keys are random.
    #![allow(clippy::disallowed_methods)]
    use super::{Identities, UnsealError, is_age_file};
    use age::secrecy::ExposeSecret;
    use ssh_key::{LineEnding, PrivateKey, private::Ed25519Keypair};

    fn age_identity() -> (String, age::x25519::Recipient) {
        let key = age::x25519::Identity::generate();
        (key.to_string().expose_secret().to_owned(), key.to_public())
    }

    fn ssh_identity() -> (String, age::ssh::Recipient) {
        let pair = ed25519_dalek::SigningKey::from_bytes(&[9; 32]).to_keypair_bytes();
        let key = PrivateKey::new(Ed25519Keypair::from_bytes(&pair).unwrap().into(), "host").unwrap();
        let recipient = key.public_key().to_openssh().unwrap().parse().unwrap();
        (key.to_openssh(LineEnding::LF).unwrap().to_string(), recipient)
    }

    fn seal(recipient: &impl age::Recipient, plaintext: &[u8]) -> Vec<u8> {
        age::encrypt(recipient, plaintext).unwrap()
    }

    fn problem(text: &[u8]) -> String {
        Identities::parse("key.txt", text).unwrap_err().to_string()
    }

    #[test]
    fn opens_with_age_and_ssh_keys() {
        let ((age_text, age_to), (ssh_text, ssh_to)) = (age_identity(), ssh_identity());
        let file = format!("# created: today\n\n{age_text}\r\n");
        let age_key = Identities::parse("a", file.as_bytes()).unwrap();
        let ssh_key = Identities::parse("s", ssh_text.as_bytes()).unwrap();
        for length in [0, 1, 65_535, 65_536, 65_537, 200_000] {
            let plaintext = vec![b'x'; length];
            let (to_age, to_ssh) = (seal(&age_to, &plaintext), seal(&ssh_to, &plaintext));
            assert!(is_age_file(&to_age));
            assert_eq!(*age_key.open(&to_age).unwrap(), plaintext);
            assert_eq!(*ssh_key.open(&to_ssh).unwrap(), plaintext);
            assert!(matches!(age_key.open(&to_ssh), Err(UnsealError::NoMatch)));
            assert!(matches!(ssh_key.open(&to_age), Err(UnsealError::NoMatch)));
        }
        let mut both = Identities::default();
        assert!(both.is_empty());
        both.extend(age_key);
        both.extend(ssh_key);
        assert_eq!(format!("{both:?}"), "Identities(2)");
        assert_eq!(*both.open(&seal(&ssh_to, b"secret")).unwrap(), b"secret");
    }

    #[test]
    fn nothing_but_the_whole_file_opens() {
        let (text, to) = age_identity();
        let key = Identities::parse("a", text.as_bytes()).unwrap();
        for length in [3, 65_536] {
            let sealed = seal(&to, &vec![b'x'; length]);
            for tail in [1, 16, 17, 65_552, 70_000] {
                let padded = [sealed.as_slice(), &vec![0; tail]].concat();
                assert!(matches!(key.open(&padded), Err(UnsealError::Broken(_))), "{length} + {tail}");
            }
            for cut in [1, 16, sealed.len() - 1, sealed.len()] {
                assert!(key.open(&sealed[..sealed.len() - cut]).is_err(), "{length} - {cut}");
            }
        }
        let sealed = seal(&to, b"abc");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(&changed).is_err(), "byte {at}");
        }
        assert!(matches!(key.open(b""), Err(UnsealError::Broken(_))));
    }

    #[test]
    fn says_what_is_wrong_with_an_identity_file() {
        let (ssh, _) = ssh_identity();
        let (age, to) = age_identity();
        for (text, expected) in [
            ("", "no identity in it"),
            ("# nothing\n", "no identity in it"),
            ("x\n", "line 1 is not an age identity"),
            (&format!("{age}\n{}\n", age.replace('1', "2")), "line 2 is not an age identity"),
            (&format!("#\n{to}\n"), "line 2 is a recipient (a public key): give the private key's file"),
            ("AGE-PLUGIN-YUBIKEY-1X", "age plugin keys are not supported: use an age or an ssh-ed25519 key"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\n",
                "ssh-rsa keys are not supported: use an age or an ssh-ed25519 key",
            ),
            (&format!("{ssh}{ssh}"), "not an OpenSSH private key and nothing else"),
            (&ssh[..200], "not an OpenSSH private key and nothing else"),
            (
                "-----BEGIN AGE ENCRYPTED FILE-----\n",
                "encrypted: decrypt it first, with `age -d`, into a file that only you can read",
            ),
        ] {
            assert_eq!(problem(text.as_bytes()), format!("identity file key.txt: {expected}"));
        }
        assert_eq!(problem(b"\xff"), "identity file key.txt: not text");
        let sealed = "encrypted: decrypt it first, with `age -d`, into a file that only you can read";
        assert_eq!(problem(&seal(&to, b"x")), format!("identity file key.txt: {sealed}"));
    }

    /// Made with `ssh-keygen -t ed25519 -N passphrase` and `ssh-keygen -t ecdsa`.
    #[test]
    fn other_ssh_keys_are_refused_by_name() {
        let encrypted = problem(include_bytes!("bundle/testdata/encrypted-ssh-key"));
        assert_eq!(
            encrypted,
            "identity file key.txt: the ssh key is encrypted: make a copy without passphrase with `ssh-keygen -p`, and delete it afterwards"
        );
        let ecdsa = problem(include_bytes!("bundle/testdata/ecdsa-ssh-key"));
        assert_eq!(
            ecdsa,
            "identity file key.txt: such ssh keys are not supported: use an age or an ssh-ed25519 key"
        );
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, text in ".{0,60}") {
            let (key, to) = age_identity();
            let key = Identities::parse("a", key.as_bytes()).unwrap();
            let header = seal(&to, b"x");
            let _ = Identities::parse("a", &bytes);
            let _ = Identities::parse("a", text.as_bytes());
            proptest::prop_assert!(key.open(&bytes).is_err());
            let spliced = [&header[..header.len() / 2], &bytes].concat();
            proptest::prop_assert!(key.open(&spliced).is_err());
        }
    }
}
