//! Derived bytes as letters and digits that people and programs can type.

use zeroize::Zeroizing;

/// Of bootstrap tokens (`[a-z0-9]`).
pub(super) const LOWER: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Of passwords.
pub(super) const MIXED: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `count` letters: the remainders of a big-endian number divided by the alphabet's length again and
/// again, the first remainder first. 512 bits are enough for 64 letters of 62 with a bias below 2^-128.
pub(super) fn letters(number: &[u8; 64], alphabet: &[u8], count: usize) -> Zeroizing<String> {
    let mut rest = Zeroizing::new(*number);
    let mut text = Zeroizing::new(String::with_capacity(count));
    let base = u16::try_from(alphabet.len()).unwrap_or(1);
    for _ in 0..count {
        let mut remainder: u16 = 0;
        for byte in rest.iter_mut() {
            let digit = remainder * 256 + u16::from(*byte);
            // below 256: the remainder is less than the base
            *byte = u8::try_from(digit / base).unwrap_or_default();
            remainder = digit % base;
        }
        if let Some(letter) = alphabet.get(usize::from(remainder)) {
            text.push(char::from(*letter));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{LOWER, MIXED, letters};

    #[test]
    fn remainders_from_the_least_on() {
        let mut number = [0; 64];
        assert_eq!(*letters(&number, LOWER, 4), "0000");
        // 36^2 * 35 + 36 * 10 + 1 = 45721
        number[62..].copy_from_slice(&45721_u16.to_be_bytes());
        assert_eq!(*letters(&number, LOWER, 4), "1az0");
        assert_eq!(letters(&[0xff; 64], MIXED, 64).len(), 64);
        // computed with Python's integers
        assert_eq!(*letters(&[0xff; 64], MIXED, 8), "3I8WM3Ol");
    }
}
