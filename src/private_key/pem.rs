//! PEM (RFC 7468): one private key, and nothing beside it.

use super::KeyError;
use p256::pkcs8::LineEnding;
use p256::pkcs8::der::pem;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
/// What openssl writes before a key from `openssl ecparam -genkey`; the key says the same.
const PARAMETERS: &str = "EC PARAMETERS";

/// How the DER of a block is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `ECPrivateKey`, RFC 5915.
    Sec1,
    /// `RSAPrivateKey`, RFC 8017.
    Pkcs1,
    /// `OneAsymmetricKey`, RFC 5958.
    Pkcs8,
}

/// The DER of a private key.
pub(super) struct Block {
    pub(super) form: Form,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// One block of a text, not decoded.
struct Raw<'a> {
    label: &'a str,
    whole: &'a str,
    rest: &'a str,
}

/// Reads the one private key of a text.
pub(super) fn read(text: &[u8]) -> Result<Block, KeyError> {
    let text = std::str::from_utf8(text).map_err(|_| KeyError::NotPem)?;
    let mut block = first(text)?;
    if block.label == PARAMETERS {
        let key = first(block.rest).map_err(|error| match error {
            KeyError::NotPem => KeyError::Block(PARAMETERS.to_owned()),
            error => error,
        })?;
        if key.label != "EC PRIVATE KEY" {
            return Err(KeyError::Surrounded);
        }
        block = key;
    }
    let form = form(block.label)?;
    // RFC 1421 section 4.6, as openssl's old `-aes256` writes it
    if block.whole.contains("Proc-Type:") {
        return Err(KeyError::Encrypted);
    }
    if !block.rest.trim_ascii().is_empty() {
        let several = block.rest.contains(BEGIN) && block.rest.contains("PRIVATE KEY-----");
        return Err(if several { KeyError::Several } else { KeyError::Surrounded });
    }
    let (_, der) = pem::decode_vec(block.whole.as_bytes()).map_err(|_| KeyError::Damaged)?;
    Ok(Block { form, der: Zeroizing::new(der) })
}

/// Writes a private key.
pub(super) fn write(label: &str, der: &[u8]) -> Result<Zeroizing<String>, KeyError> {
    pem::encode_string(label, LineEnding::LF, der).map(Zeroizing::new).map_err(|_| KeyError::Encode)
}

fn form(label: &str) -> Result<Form, KeyError> {
    match label {
        "EC PRIVATE KEY" => Ok(Form::Sec1),
        "RSA PRIVATE KEY" => Ok(Form::Pkcs1),
        "PRIVATE KEY" => Ok(Form::Pkcs8),
        "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
        other => Err(KeyError::Block(other.to_owned())),
    }
}

/// The block that a text begins with, after white space.
fn first(text: &str) -> Result<Raw<'_>, KeyError> {
    let text = text.trim_ascii();
    let Some(after) = text.strip_prefix(BEGIN) else {
        return Err(if text.contains(BEGIN) { KeyError::Surrounded } else { KeyError::NotPem });
    };
    let (label, body) = after.split_once(DASHES).ok_or(KeyError::Damaged)?;
    // such a label is safe to repeat: nobody's secret, and no control characters
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
    if label.len() > 40 || !label.bytes().all(plain) {
        return Err(KeyError::Damaged);
    }
    let end = format!("-----END {label}-----");
    let (_, rest) = body.split_once(&end).ok_or(KeyError::Damaged)?;
    let whole = text.strip_suffix(rest).ok_or(KeyError::Damaged)?;
    Ok(Raw { label, whole, rest })
}
