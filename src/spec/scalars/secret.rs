//! What people paste by mistake, and what must never stand in a spec: it is public, as bundles are.

use super::ScalarError;

impl ScalarError {
    /// The text is or holds a secret, and is not repeated.
    pub(crate) fn secret(text: &str) -> Self {
        let (what, hint) = if holds_key(text) {
            (
                "a private key",
                "remove it and treat it as leaked; a recipient is its public half, which `age-keygen -y` prints",
            )
        } else {
            (
                "a token",
                "remove it and treat it as leaked; sealift makes the tokens that `kubernetes.bootstrapTokens` names",
            )
        };
        Self {
            message: format!("this is {what}, which must never stand in a spec"),
            hint: Some(hint.into()),
            secret: true,
        }
    }
}

/// Whether a text is, or holds, a secret.
pub(crate) fn looks_secret(text: &str) -> bool {
    holds_key(text) || holds_token(text)
}

fn holds_key(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    let marks = ["AGE-SECRET-KEY-", "AGE-PLUGIN-", "PRIVATE KEY", "SEALIFT-KEYRING/"];
    marks.iter().any(|mark| upper.contains(mark)) || holds_coded_key(text) || holds_seed(text)
}

/// Whether a text holds a private key. Unlike a spec's, it may talk of them.
pub(crate) fn holds_private_key(text: &str) -> bool {
    ["PRIVATE KEY-----", "AGE-SECRET-KEY-1"].iter().any(|mark| text.contains(mark)) || holds_coded_key(text)
}

/// What a PEM file of a private key begins with, in base64, as kubeconfigs and Secrets have it: plain,
/// `EC`, `RSA`, `OPENSSH` and `ENCRYPTED`.
const CODED: &[&str] = &[
    "LS0tLS1CRUdJTiBQUklWQVRFIEtFW",
    "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFW",
    "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRV",
    "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZ",
    "LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFURSBLRV",
];

fn holds_coded_key(text: &str) -> bool {
    CODED.iter().any(|mark| text.contains(mark))
}

/// Whether a text holds 64 hex digits, as a seed has; before a digest stands what it is.
fn holds_seed(text: &str) -> bool {
    let mut before = "";
    for (end, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_ascii_hexdigit() {
            continue;
        }
        let run = text.get(before.len()..end).unwrap_or_default();
        if run.len() >= 64 && !before.ends_with("sha256:") {
            return true;
        }
        before = text.get(..end + c.len_utf8()).unwrap_or(text);
    }
    false
}

/// Whether a text holds a bootstrap token (`[a-z0-9]{6}\.[a-z0-9]{16}`) or a signed JSON web token.
///
/// A name can have a bootstrap token's form, so its second part must have a letter and a digit: of
/// random ones, one in a hundred and eighty has no digit.
fn holds_token(text: &str) -> bool {
    let part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    let mut words = text.split(|char: char| !part(char)).map(|word| word.trim_matches(['-', '.', '_']));
    words.any(|word| is_bootstrap_token(word) || is_web_token(word))
}

fn is_bootstrap_token(word: &str) -> bool {
    let Some((id, secret)) = word.split_once('.') else { return false };
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let mixed = secret.bytes().any(|byte| byte.is_ascii_digit())
        && secret.bytes().any(|byte| byte.is_ascii_lowercase());
    id.len() == 6 && secret.len() == 16 && letters(id) && letters(secret) && mixed
}

/// Three parts, of which the first two are base64 of `{"`.
fn is_web_token(word: &str) -> bool {
    let mut parts = word.split('.');
    let first = [parts.next(), parts.next()];
    first.iter().all(|part| part.is_some_and(|part| part.starts_with("eyJ")))
        && parts.next().is_some_and(|signature| signature.len() > 20)
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::{ScalarError, holds_private_key, looks_secret};

    #[test]
    fn tokens() {
        let jwt = format!("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.{}", "a".repeat(40));
        for text in [
            "abcdef.0123456789abcdef",
            "--token=abcdef.0123456789abcdef",
            "a, --abcdef.0123456789abcdef.",
            &jwt,
        ] {
            assert!(looks_secret(text), "{text}");
            let error = ScalarError::secret(text);
            assert_eq!(error.message, "this is a token, which must never stand in a spec");
            assert!(error.secret);
        }
        for text in [
            "mirror.exampleregistrys",
            "abcdef.0123456789abcdefg",
            "abcdef.0123456789abcdef.example",
            "www.abcdef.0123456789abcdef",
            "cdefgh.0123456789012345",
            "eyJ.eyJ.short",
            "eyJhbGciOiJSUzI1NiJ9",
        ] {
            assert!(!looks_secret(text), "{text}");
        }
    }

    #[test]
    fn keys_in_base64() {
        for kind in ["", "EC ", "RSA ", "OPENSSH ", "ENCRYPTED "] {
            use base64::prelude::{BASE64_STANDARD, Engine as _};
            let coded = BASE64_STANDARD.encode(format!("-----BEGIN {kind}PRIVATE KEY-----\nMC4C\n"));
            assert!(looks_secret(&coded) && holds_private_key(&coded), "{kind}");
            assert_eq!(
                ScalarError::secret(&coded).message,
                "this is a private key, which must never stand in a spec"
            );
        }
        let certificate = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUI=";
        assert!(!looks_secret(certificate) && !holds_private_key(certificate));
        assert!(!holds_private_key("The private key of a pair, a PRIVATE KEY"));
    }
}
