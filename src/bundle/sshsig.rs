//! Detached signatures as `ssh-keygen -Y sign` makes them (OpenSSH's PROTOCOL.sshsig): Ed25519 over
//! SHA-512 of the message, bound to a namespace, armored.

use crate::finding::{Finding, Id};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use ssh_key::{
    Algorithm, HashAlg, LineEnding, Signature, SshSig,
    public::{Ed25519PublicKey, KeyData},
};
use thiserror::Error;

/// Why a signature does not hold.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// Not SSHSIG, or not in the one form that `ssh-keygen` writes.
    #[error("not an armored ssh signature as ssh-keygen writes it")]
    Malformed,
    /// Made for another purpose.
    #[error("namespace {found:?} where {expected:?} belongs")]
    Namespace {
        /// The namespace asked for.
        expected: String,
        /// The signature's.
        found: String,
    },
    /// Another kind of key or hash than Ed25519 with SHA-512.
    #[error("{0}, where only ssh-ed25519 with sha512 is read")]
    Algorithm(String),
    /// The signature does not fit these bytes.
    #[error("signature does not fit the signed bytes")]
    Wrong,
}

impl SignatureError {
    /// The finding that says so of a signature file.
    pub fn finding(&self, path: &str) -> Finding {
        let id = if *self == Self::Wrong { Id::SignatureWrong } else { Id::SignatureMalformed };
        Finding::new(id, path, "do not use it: get the files again from where they were built")
            .found(self.to_string())
    }
}

/// Signs a message; the armored text that `ssh-keygen -Y sign -n NAMESPACE` writes.
/// Fails only for an empty namespace.
pub fn sign(key: &SigningKey, namespace: &str, message: &[u8]) -> Result<String, ssh_key::Error> {
    let data = SshSig::signed_data(namespace, HashAlg::Sha512, message)?;
    let signature = Signature::new(Algorithm::Ed25519, key.sign(&data).to_bytes())?;
    let public = KeyData::Ed25519(Ed25519PublicKey(key.verifying_key().to_bytes()));
    SshSig::new(public, namespace, HashAlg::Sha512, signature)?.to_pem(LineEnding::LF)
}

/// Verifies a signature and gives the Ed25519 public key that made it. Whether that key is trusted
/// is another question: [`crate::bundle::trust::Trust`].
pub fn verify(armored: &[u8], namespace: &str, message: &[u8]) -> Result<[u8; 32], SignatureError> {
    let signature = SshSig::from_pem(armored).map_err(|_| SignatureError::Malformed)?;
    let KeyData::Ed25519(Ed25519PublicKey(public)) = signature.public_key() else {
        return Err(SignatureError::Algorithm(signature.public_key().algorithm().to_string()));
    };
    if signature.hash_alg() != HashAlg::Sha512 {
        return Err(SignatureError::Algorithm(signature.hash_alg().to_string()));
    }
    if signature.namespace() != namespace {
        let found = signature.namespace().into();
        return Err(SignatureError::Namespace { expected: namespace.into(), found });
    }
    // One signature has one text: nothing may hide in line breaks, padding or reserved fields.
    let text = signature.to_pem(LineEnding::LF).map_err(|_| SignatureError::Malformed)?;
    let bytes = <[u8; 64]>::try_from(signature.signature_bytes()).map_err(|_| SignatureError::Malformed)?;
    if text.as_bytes() != armored || !signature.reserved().is_empty() {
        return Err(SignatureError::Malformed);
    }
    let data =
        SshSig::signed_data(namespace, HashAlg::Sha512, message).map_err(|_| SignatureError::Malformed)?;
    VerifyingKey::from_bytes(public)
        .and_then(|key| key.verify_strict(&data, &ed25519_dalek::Signature::from_bytes(&bytes)))
        .map_err(|_| SignatureError::Wrong)?;
    Ok(*public)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    #![allow(clippy::disallowed_methods, clippy::print_stderr)]
    use super::{SignatureError, sign, verify};
    use ed25519_dalek::SigningKey;
    use ssh_key::{LineEnding, private::Ed25519Keypair};
    use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn write_private_key(path: &Path) {
        let pair = Ed25519Keypair::from_bytes(&key().to_keypair_bytes()).unwrap();
        let private = ssh_key::PrivateKey::new(pair.into(), "test").unwrap();
        fs::write(path, private.to_openssh(LineEnding::LF).unwrap()).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn equals_ssh_keygen() {
        let dir = tempfile::tempdir().unwrap();
        let (private, message) = (dir.path().join("key"), dir.path().join("message"));
        write_private_key(&private);
        for text in ["", "e3b0c442  manifest.json\n", &"long\n".repeat(10_000)] {
            fs::write(&message, text).unwrap();
            let _ = fs::remove_file(dir.path().join("message.sig"));
            let made = Command::new("ssh-keygen")
                .args(["-q", "-Y", "sign", "-n", "sealift-bundle", "-f"])
                .args([&private, &message])
                .output();
            let made = match made {
                Ok(output) => output,
                Err(error) => {
                    assert!(std::env::var_os("CI").is_none(), "ssh-keygen is needed: {error}");
                    eprintln!("skipped: ssh-keygen cannot run: {error}");
                    return;
                }
            };
            assert!(made.status.success(), "{made:?}");
            let theirs = fs::read_to_string(dir.path().join("message.sig")).unwrap();
            assert_eq!(sign(&key(), "sealift-bundle", text.as_bytes()).unwrap(), theirs);
            let signer = verify(theirs.as_bytes(), "sealift-bundle", text.as_bytes());
            assert_eq!(signer, Ok(key().verifying_key().to_bytes()));
        }
    }

    #[test]
    fn known_answer() {
        assert_eq!(sign(&key(), "sealift-bundle", b"").unwrap(), include_str!("testdata/empty.sig"));
    }

    #[test]
    fn tells_what_is_wrong() {
        let text = sign(&key(), "sealift-bundle", b"message").unwrap();
        assert_eq!(verify(text.as_bytes(), "sealift-bundle", b"massage"), Err(SignatureError::Wrong));
        let found = verify(text.as_bytes(), "sealift-index", b"message");
        let (expected, other) = ("sealift-index".into(), "sealift-bundle".into());
        assert_eq!(found, Err(SignatureError::Namespace { expected, found: other }));
        for other in [
            "",
            "x",
            &text.replace('\n', "\r\n"),
            &format!("{text}\n"),
            &format!("\n{text}"),
            text.trim_end(),
        ] {
            let read = verify(other.as_bytes(), "sealift-bundle", b"message");
            assert_eq!(read, Err(SignatureError::Malformed), "{other:?}");
        }
        // The same signature in lines of another length.
        let lines: Vec<_> = text.lines().collect();
        let body = lines[1..lines.len() - 1].concat();
        let wrapped = format!("{}\n{}\n{}\n{}\n", lines[0], &body[..64], &body[64..], lines[lines.len() - 1]);
        let read = verify(wrapped.as_bytes(), "sealift-bundle", b"message");
        assert_eq!(read, Err(SignatureError::Malformed));
    }

    #[test]
    fn no_changed_byte_passes() {
        let text = sign(&key(), "sealift-bundle", b"message").unwrap().into_bytes();
        for at in 0..text.len() {
            for flip in [0x01, 0x20, 0xff] {
                let mut changed = text.clone();
                changed[at] ^= flip;
                let read = verify(&changed, "sealift-bundle", b"message");
                assert!(read.is_err(), "byte {at} ^ {flip:#x}");
            }
        }
    }

    #[test]
    fn other_kinds_of_key_are_named() {
        let read = verify(include_bytes!("testdata/rsa.sig"), "sealift-bundle", b"");
        assert_eq!(read, Err(SignatureError::Algorithm("ssh-rsa".into())));
    }

    /// A public key of low order accepts one signature for every message in lenient verifiers.
    #[test]
    fn weak_keys_are_refused() {
        use ssh_key::{
            Algorithm, HashAlg, Signature, SshSig,
            public::{Ed25519PublicKey, KeyData},
        };
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut bytes = [0; 64];
        bytes[0] = 1;
        let public = KeyData::Ed25519(Ed25519PublicKey(identity));
        let signature = Signature::new(Algorithm::Ed25519, bytes.as_slice()).unwrap();
        let forged = SshSig::new(public, "n", HashAlg::Sha512, signature).unwrap();
        let text = forged.to_pem(LineEnding::LF).unwrap();
        assert_eq!(verify(text.as_bytes(), "n", b"any"), Err(SignatureError::Wrong));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, text in "[A-Za-z0-9+/=\n]{0,200}") {
            let armored = format!("-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n");
            proptest::prop_assert!(verify(&bytes, "n", b"").is_err());
            proptest::prop_assert!(verify(armored.as_bytes(), "n", b"").is_err());
        }
    }
}
