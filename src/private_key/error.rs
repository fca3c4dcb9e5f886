//! Why a key cannot be read, written or used. No message repeats anything of a key.

/// Why a key cannot be read, written or used.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// Not PEM (RFC 7468) at all.
    #[error("no private key in PEM; write it as PEM: openssl pkey -in FILE -out NEW")]
    NotPem,
    /// PEM or DER that breaks off, or is none.
    #[error("the private key is damaged; get the file again from where it was made")]
    Damaged,
    /// `ENCRYPTED PRIVATE KEY`, or the older `Proc-Type` header (RFC 1421).
    #[error("the private key is encrypted with a passphrase; decrypt it: openssl pkey -in FILE -out NEW")]
    Encrypted,
    /// Two or more private keys.
    #[error("more than one private key; leave one in the file")]
    Several,
    /// Anything but white space before or after the key.
    #[error("something else before or after the private key; leave the key alone in the file")]
    Surrounded,
    /// A PEM block of another kind.
    #[error(
        "a block `{0}`, and no private key; give `PRIVATE KEY`, `EC PRIVATE KEY` or `RSA PRIVATE KEY`, in PEM"
    )]
    Block(String),
    /// An algorithm that is not one of the four.
    #[error("a key for {0}; use ECDSA P-256, ECDSA P-384, Ed25519 or RSA")]
    Algorithm(String),
    /// An elliptic curve that is not one of the two.
    #[error("an elliptic curve key on {0}; use P-256 or P-384")]
    Curve(String),
    /// `EC PRIVATE KEY` without a curve, which RFC 5915 allows inside of PKCS #8 only.
    #[error("an elliptic curve key that names no curve; write it anew: openssl pkey -in FILE -out NEW")]
    NoCurve,
    /// RSA with another length than ring computes with. In bits.
    #[error("an RSA key of {0} bits; use one of 2048, 3072 or 4096")]
    RsaBits(usize),
    /// RSA whose parts do not belong together, or that breaks a rule of FIPS 186-5: which.
    #[error("an RSA key that cannot be used ({0}); make a new one: openssl genrsa -out NEW 2048")]
    RsaParts(String),
    /// The private number of an elliptic curve key is zero or not below the order.
    #[error("the private number of an elliptic curve key is out of range; make a new key")]
    Scalar,
    /// The public key in the file is another's.
    #[error("the public key inside of the file is not the private key's; get the file again")]
    Mismatch,
    /// A public key that is damaged or not on its curve.
    #[error("the public key is damaged; get the certificate again")]
    Public,
    /// The key cannot be written.
    #[error("a key cannot be encoded")]
    Encode,
    /// The key does not sign, or its signature does not verify.
    #[error("a private key does not sign; if it happens again, suspect this machine's memory")]
    Sign,
}
