//! Sealing: age v1 files whose file key, nonce and ephemeral keys are derived instead of random.
//!
//! The format is age-encryption.org/v1; any age opens the output. As in RFC 6979 and RFC 8452, what
//! would be drawn is computed under a secret key from everything that the file depends on, the
//! SHA-256 of the whole plaintext included, so no key and nonce pair ever meets two plaintexts.

use super::label::{Deriver, Info, Purpose, expand_from};
use crate::spec::scalars::Recipient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// The payload is encrypted in chunks of 64 KiB.
const CHUNK: usize = 64 * 1024;
const SSH_INFO: &[u8] = b"age-encryption.org/v1/ssh-ed25519";
const X25519_INFO: &[u8] = b"age-encryption.org/v1/X25519";

/// Where a sealed file belongs; part of what its keys are derived from.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The cluster's id.
    pub cluster: &'a str,
    /// The host's name.
    pub host: &'a str,
    /// The path on the host.
    pub path: &'a str,
    /// The host's generation, decimal.
    pub generation: &'a str,
}

/// Why a file cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Nobody could open it.
    #[error("a file cannot be sealed to nobody")]
    NoRecipient,
    /// A recipient's point has low order: everybody could open the file.
    #[error("recipient {0} is a point of low order")]
    LowOrder(String),
    /// The cipher or its key derivation refused: impossible for these lengths.
    #[error("sealing failed")]
    Cipher,
}

/// Seals a plaintext to recipients, which must be sorted and distinct.
///
/// # Errors
/// [`SealError`].
pub fn seal(
    deriver: &Deriver,
    place: Place<'_>,
    recipients: &[Recipient],
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    if recipients.is_empty() {
        return Err(SealError::NoRecipient);
    }
    let dice = Dice::new(deriver, place, recipients, plaintext);
    let file_key = dice.file_key();
    let mut output = header(&dice, &file_key, recipients)?;
    payload(&mut output, &file_key, &dice.nonce(), plaintext)?;
    Ok(output)
}

/// Everything that age would draw at random, derived.
struct Dice {
    key: Zeroizing<[u8; 32]>,
    /// cluster, host, path, generation, recipients, SHA-256 of the plaintext
    rest: [Vec<u8>; 6],
}

impl Dice {
    fn new(deriver: &Deriver, place: Place<'_>, recipients: &[Recipient], plaintext: &[u8]) -> Self {
        let rest = [
            place.cluster.as_bytes().to_vec(),
            place.host.as_bytes().to_vec(),
            place.path.as_bytes().to_vec(),
            place.generation.as_bytes().to_vec(),
            recipients_part(recipients),
            Sha256::digest(plaintext).to_vec(),
        ];
        Self { key: deriver.purpose_key(Purpose::Seal), rest }
    }

    fn draw<const N: usize>(&self, label: &[u8]) -> Zeroizing<[u8; N]> {
        let start = Info::new(Purpose::Seal).part(label);
        let info = self.rest.iter().fold(start, |info, part| info.part(part));
        expand_from(&self.key, &info)
    }

    fn file_key(&self) -> Zeroizing<[u8; 16]> {
        self.draw(b"file-key")
    }

    fn nonce(&self) -> Zeroizing<[u8; 16]> {
        self.draw(b"nonce")
    }

    fn ephemeral(&self, index: u32) -> StaticSecret {
        let mut label = b"ephemeral".to_vec();
        label.extend_from_slice(&index.to_be_bytes());
        StaticSecret::from(*self.draw::<32>(&label))
    }
}

/// Each recipient's wire form with its length first.
fn recipients_part(recipients: &[Recipient]) -> Vec<u8> {
    let mut part = Vec::new();
    for recipient in recipients {
        let wire = recipient.wire();
        part.extend_from_slice(&u32::try_from(wire.len()).unwrap_or(u32::MAX).to_be_bytes());
        part.extend_from_slice(&wire);
    }
    part
}

/// The header: version, one stanza per recipient, and a MAC under a key from the file key.
fn header(dice: &Dice, file_key: &[u8; 16], recipients: &[Recipient]) -> Result<Vec<u8>, SealError> {
    let mut text = String::from("age-encryption.org/v1\n");
    for (index, recipient) in (0_u32..).zip(recipients) {
        text.push_str(&stanza(&dice.ephemeral(index), recipient, file_key)?);
    }
    text.push_str("---");
    let mac_key = hkdf32(&[], file_key, b"header")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(mac_key.as_slice()).map_err(|_| SealError::Cipher)?;
    mac.update(text.as_bytes());
    text.push(' ');
    text.push_str(&STANDARD_NO_PAD.encode(mac.finalize().into_bytes()));
    text.push('\n');
    Ok(text.into_bytes())
}

fn stanza(ephemeral: &StaticSecret, recipient: &Recipient, file_key: &[u8; 16]) -> Result<String, SealError> {
    let share = PublicKey::from(ephemeral);
    let (arguments, key) = match recipient {
        Recipient::X25519(point) => {
            let shared = exchange(ephemeral, *point, recipient)?;
            let salt = [share.as_bytes().as_slice(), point].concat();
            let key = hkdf32(&salt, shared.as_slice(), X25519_INFO)?;
            (format!("X25519 {}", STANDARD_NO_PAD.encode(share)), key)
        }
        Recipient::SshEd25519(_) => {
            let point = recipient.montgomery();
            let blob = recipient.wire();
            // the tweak binds the exchange to this SSH key (age's C2SP specification, ssh-ed25519)
            let tweak = StaticSecret::from(*hkdf32(&blob, &[], SSH_INFO)?);
            let shared = exchange(ephemeral, point, recipient)?;
            let shared = exchange(&tweak, *shared, recipient)?;
            let salt = [share.as_bytes().as_slice(), &point].concat();
            let key = hkdf32(&salt, shared.as_slice(), SSH_INFO)?;
            let tag: Vec<u8> = Sha256::digest(&blob).iter().take(4).copied().collect();
            let arguments =
                format!("ssh-ed25519 {} {}", STANDARD_NO_PAD.encode(tag), STANDARD_NO_PAD.encode(share));
            (arguments, key)
        }
    };
    let wrapped =
        cipher(&key).encrypt(&Nonce::default(), file_key.as_slice()).map_err(|_| SealError::Cipher)?;
    // 32 bytes are 43 characters: one short line, as the format wants at the end of a body
    Ok(format!("-> {arguments}\n{}\n", STANDARD_NO_PAD.encode(wrapped)))
}

fn exchange(
    secret: &StaticSecret,
    point: [u8; 32],
    recipient: &Recipient,
) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let shared = secret.diffie_hellman(&PublicKey::from(point));
    if !shared.was_contributory() {
        return Err(SealError::LowOrder(recipient.to_string()));
    }
    Ok(Zeroizing::new(shared.to_bytes()))
}

/// STREAM: chunks under one key, with a counter of 11 bytes and a flag for the last one as nonce.
fn payload(
    output: &mut Vec<u8>,
    file_key: &[u8; 16],
    nonce: &[u8; 16],
    plaintext: &[u8],
) -> Result<(), SealError> {
    output.extend_from_slice(nonce);
    let cipher = cipher(&*hkdf32(nonce, file_key, b"payload")?);
    let mut chunks = plaintext.chunks(CHUNK).peekable();
    let mut counter = 0_u64;
    loop {
        // an empty plaintext is one empty chunk
        let chunk = chunks.next().unwrap_or_default();
        let last = chunks.peek().is_none();
        let start = output.len();
        output.extend_from_slice(chunk);
        let body = output.get_mut(start..).unwrap_or_default();
        let tag = cipher
            .encrypt_inout_detached(&stream_nonce(counter, last), b"", body.into())
            .map_err(|_| SealError::Cipher)?;
        output.extend_from_slice(&tag);
        counter += 1;
        if last {
            return Ok(());
        }
    }
}

fn stream_nonce(counter: u64, last: bool) -> Nonce {
    let mut nonce = Nonce::default();
    let tail = counter.to_be_bytes().into_iter().chain([u8::from(last)]);
    nonce.iter_mut().skip(3).zip(tail).for_each(|(out, byte)| *out = byte);
    nonce
}

fn cipher(key: &[u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(*key))
}

fn hkdf32(salt: &[u8], ikm: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, key.as_mut()).map_err(|_| SealError::Cipher)?;
    Ok(key)
}

#[cfg(test)]
mod tests;
