//! Stub, replaced by the real opener.
#![allow(missing_docs)]
use zeroize::Zeroizing;
#[derive(Debug)]
pub enum UnsealError {
    NoMatch,
    Broken,
}
pub struct Identities(pub(crate) Vec<age::x25519::Identity>);
impl Identities {
    pub fn open(&self, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        use std::io::Read;
        let decryptor = age::Decryptor::new(bytes).map_err(|_| UnsealError::Broken)?;
        let mut reader = decryptor
            .decrypt(self.0.iter().map(|identity| identity as &dyn age::Identity))
            .map_err(|error| match error {
                age::DecryptError::NoMatchingKeys => UnsealError::NoMatch,
                _ => UnsealError::Broken,
            })?;
        let mut out = Zeroizing::new(Vec::new());
        reader.read_to_end(&mut out).map_err(|_| UnsealError::Broken)?;
        Ok(out)
    }
}

/// Whether bytes look like an age file.
pub fn is_age_file(bytes: &[u8]) -> bool {
    bytes.starts_with(b"age-encryption.org/v1\n")
}
