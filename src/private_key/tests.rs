//! The files of testdata are openssl 3.0's (test-only); other vectors are those of the RFCs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::{KeyError, Kind, PrivateKey, PublicKey};
use proptest::prelude::{ProptestConfig, any, proptest};

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("testdata/test-only-", $name))
    };
}

const P256: &str = file!("p256.key");
const P256_PKCS8: &str = file!("p256.pkcs8.key");
const P384: &str = file!("p384.key");
const P384_PKCS8: &str = file!("p384.pkcs8.key");
const ED25519: &str = file!("ed25519.key");
const RSA: &str = file!("rsa2048.key");
const RSA_PKCS8: &str = file!("rsa2048.pkcs8.key");

/// RFC 8410 section 10.3: version 2, with an attribute and the public key; and its version 1.
const RFC_8410_V2: &str = "-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----
";
const RFC_8410_V1: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";
/// RFC 8410 section 10.1.
const RFC_8410_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

fn read(text: &str) -> PrivateKey {
    PrivateKey::from_pem(text.as_bytes()).unwrap()
}

fn refused(text: &str) -> String {
    PrivateKey::from_pem(text.as_bytes()).unwrap_err().to_string()
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn der(text: &str) -> Vec<u8> {
    p256::pkcs8::der::pem::decode_vec(text.as_bytes()).unwrap().1
}

fn pem(label: &str, der: &[u8]) -> String {
    super::pem::write(label, der).unwrap().to_string()
}

#[test]
fn every_form_becomes_the_form_that_kubeadm_writes() {
    let cases = [
        (P256, P256, Kind::EcdsaP256),
        (P256_PKCS8, P256, Kind::EcdsaP256),
        (file!("p256-with-parameters.key"), P256, Kind::EcdsaP256),
        (file!("p256-without-public.key"), P256, Kind::EcdsaP256),
        (file!("p256-compressed.key"), P256, Kind::EcdsaP256),
        (P384, P384, Kind::EcdsaP384),
        (P384_PKCS8, P384, Kind::EcdsaP384),
        (ED25519, ED25519, Kind::Ed25519),
        (RFC_8410_V1, RFC_8410_V1, Kind::Ed25519),
        (RFC_8410_V2, RFC_8410_V1, Kind::Ed25519),
        (RSA, RSA, Kind::Rsa),
        (RSA_PKCS8, RSA, Kind::Rsa),
        (file!("rsa3072.key"), file!("rsa3072.key"), Kind::Rsa),
        (file!("rsa4096.key"), file!("rsa4096.key"), Kind::Rsa),
    ];
    for (text, expected, kind) in cases {
        let around = format!("\r\n {text}\n\t\n");
        for text in [text.to_owned(), text.replace('\n', "\r\n"), text.trim_end().to_owned(), around] {
            let key = read(&text);
            assert_eq!((key.to_pem().unwrap().as_str(), key.public().kind()), (expected, kind), "{text}");
        }
    }
}

#[test]
fn public_halves_are_openssls() {
    let cases = [
        (P256, file!("p256.pub")),
        (P384, file!("p384.pub")),
        (ED25519, file!("ed25519.pub")),
        (RFC_8410_V2, RFC_8410_PUBLIC),
        (RSA, file!("rsa2048.pub")),
    ];
    for (text, public) in cases {
        let key = read(text);
        assert_eq!(key.public_pem().unwrap(), public);
        assert_eq!(key.spki_der().unwrap(), der(public));
        for (_, other) in cases {
            assert_eq!(key.matches_spki(&der(other)), public == other, "{public}{other}");
        }
        assert!(!key.matches_spki(b"") && !key.matches_spki(&der(public)[1..]));
        assert_eq!(PublicKey::from_spki(&der(public)).unwrap(), *key.public());
    }
    // SHA-256 by Python's hashlib
    assert_eq!(hex::encode(read(RFC_8410_V1).key_identifier()), "e744c0791320c3285460eddb523f14c88d857ada");
}

#[test]
fn public_keys_that_are_none() {
    let p256 = der(file!("p256.pub"));
    let mut beside = p256.clone();
    *beside.last_mut().unwrap() ^= 1;
    let rsa1024 = {
        let mut modulus = vec![0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00];
        modulus.extend([0xff; 128]);
        modulus.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
        modulus
    };
    let mut rsa = bytes::<22>("30819f300d06092a864886f70d010101050003818d00").to_vec();
    rsa.extend(rsa1024);
    let cases = [
        (vec![], KeyError::Public),
        (beside, KeyError::Public),
        (rsa, KeyError::RsaBits(1024)),
        (bytes::<14>("300c300506032b656e0303000000").to_vec(), KeyError::Algorithm("X25519".into())),
        (bytes::<14>("300c300506032b65700303000000").to_vec(), KeyError::Public),
    ];
    for (der, expected) in cases {
        assert_eq!(PublicKey::from_spki(&der), Err(expected), "{}", hex::encode(der));
    }
    // RFC 5480 section 2.2 allows compressed points
    let mut compressed = bytes::<27>("3039301306072a8648ce3d020106082a8648ce3d03010703220002").to_vec();
    compressed[26] += p256[90] & 1;
    compressed.extend(&p256[27..59]);
    assert!(read(P256).matches_spki(&compressed));
}

/// RFC 6979 appendix A.2.5: P-256 with SHA-256.
#[test]
fn p256_signs_as_rfc_6979() {
    let scalar = bytes("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let key = PrivateKey::p256(&scalar).unwrap();
    let r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
    let s = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
    assert_eq!(hex::encode(key.sign(b"sample").unwrap()), format!("3046022100{r}022100{s}"));
    let r = "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367";
    let s = "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083";
    assert_eq!(hex::encode(key.sign(b"test").unwrap()), format!("3045022100{r}0220{s}"));
}

/// RFC 6979 appendix A.2.6: P-384 with SHA-384.
#[test]
fn p384_signs_as_rfc_6979() {
    let scalar = bytes(
        "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
    );
    let key = PrivateKey::p384(&scalar).unwrap();
    let r =
        "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46";
    let s =
        "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8";
    assert_eq!(hex::encode(key.sign(b"sample").unwrap()), format!("3066023100{r}023100{s}"));
    let r =
        "8203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36ab775d509d7a5feb0542a7f0812998da8f1dd3ca3cf023db";
    let s =
        "ddd0760448d42d8a43af45af836fce4de8be06b485e9b61b827c2f13173923e06a739f040649a667bf3b828246baa5a5";
    assert_eq!(hex::encode(key.sign(b"test").unwrap()), format!("3066023100{r}023100{s}"));
}

/// RFC 8032 section 7.1, tests 1 and 2.
#[test]
fn ed25519_signs_as_rfc_8032() {
    let key = PrivateKey::ed25519(&bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(hex::encode(key.public().bit_string()), public);
    let signature = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
    assert_eq!(hex::encode(key.sign(b"").unwrap()), signature);
    let key = PrivateKey::ed25519(&bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
    let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    assert_eq!(hex::encode(key.sign(b"\x72").unwrap()), signature);
}

/// `printf sample | openssl dgst -sha256 -sign test-only-rsa2048.key`
#[test]
fn rsa_signs_as_openssl() {
    let expected = include_bytes!("testdata/test-only-rsa2048.sig");
    for text in [RSA, RSA_PKCS8] {
        assert_eq!(read(text).sign(b"sample").unwrap(), expected);
    }
}

#[test]
fn ec_pem_is_what_the_libraries_write() {
    use p256::pkcs8::LineEnding;
    for byte in 1..=255_u8 {
        let key = PrivateKey::p256(&[byte; 32]);
        // 32 times ff is beyond the order
        let Ok(key) = key else { return assert_eq!(byte, 255) };
        let expected = p256::SecretKey::from_slice(&[byte; 32]).unwrap().to_sec1_pem(LineEnding::LF).unwrap();
        assert_eq!(*key.to_pem().unwrap(), *expected);
        let key = PrivateKey::p384(&[byte; 48]).unwrap();
        let expected = p384::SecretKey::from_slice(&[byte; 48]).unwrap().to_sec1_pem(LineEnding::LF).unwrap();
        assert_eq!(*key.to_pem().unwrap(), *expected);
    }
}

#[test]
fn scalars_out_of_range() {
    let n256 = bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let n384 = bytes(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    );
    for error in [PrivateKey::p256(&[0; 32]), PrivateKey::p256(&n256)].map(Result::unwrap_err) {
        assert_eq!(error, KeyError::Scalar);
    }
    for error in [PrivateKey::p384(&[0; 48]), PrivateKey::p384(&n384)].map(Result::unwrap_err) {
        assert_eq!(error, KeyError::Scalar);
    }
    let mut zero = der(P256);
    zero[7..39].fill(0);
    assert_eq!(
        refused(&pem("EC PRIVATE KEY", &zero)),
        "the private number of an elliptic curve key is out of range; make a new key"
    );
}

const NOT_PEM: &str = "no private key in PEM; write it as PEM: openssl pkey -in FILE -out NEW";
const DAMAGED: &str = "the private key is damaged; get the file again from where it was made";
const ENCRYPTED: &str =
    "the private key is encrypted with a passphrase; decrypt it: openssl pkey -in FILE -out NEW";
const SEVERAL: &str = "more than one private key; leave one in the file";
const SURROUNDED: &str = "something else before or after the private key; leave the key alone in the file";
const INCONSISTENT: &str = "its parts do not belong together";
const ANOTHER: &str = "the public key inside of the file is not the private key's; get the file again";

#[test]
fn files_that_are_no_single_key() {
    let parameters = file!("p256-with-parameters.key").split_inclusive("-----\n").take(2).collect::<String>();
    let certificate = include_str!("../check/testdata/test-only-a.crt");
    let block = |label| {
        format!(
            "a block `{label}`, and no private key; give `PRIVATE KEY`, `EC PRIVATE KEY` or `RSA PRIVATE KEY`, in PEM"
        )
    };
    let cases = [
        (String::new(), NOT_PEM.to_owned()),
        ("hello".into(), NOT_PEM.into()),
        (format!("# mine\n{P256}"), SURROUNDED.into()),
        (format!("{P256}x"), SURROUNDED.into()),
        (format!("{}x", P256.trim_end()), SURROUNDED.into()),
        (format!("{P256}{certificate}"), SURROUNDED.into()),
        (format!("{certificate}{P256}"), block("CERTIFICATE")),
        (file!("p256.pub").into(), block("PUBLIC KEY")),
        (P256.replace("EC PRIVATE", "OPENSSH PRIVATE"), block("OPENSSH PRIVATE KEY")),
        (parameters.clone(), block("EC PARAMETERS")),
        (format!("{parameters}{RSA}"), SURROUNDED.into()),
        (format!("{parameters}{parameters}{P256}"), SURROUNDED.into()),
        (format!("{P256}{parameters}"), SURROUNDED.into()),
        (format!("{P256}{P384}"), SEVERAL.into()),
        (format!("{RSA}\n{RSA}"), SEVERAL.into()),
        (format!("{parameters}{P256}{ED25519}"), SEVERAL.into()),
        (file!("encrypted.key").into(), ENCRYPTED.into()),
        (file!("encrypted-rfc1421.key").into(), ENCRYPTED.into()),
        (P256.replace("-----END EC", "-----END RSA"), DAMAGED.into()),
        (P256.replace("EC PRIVATE", "EC\u{1b}PRIVATE"), DAMAGED.into()),
        (P256.replace("EC PRIVATE", &"X".repeat(50)), DAMAGED.into()),
        (P256[..100].into(), DAMAGED.into()),
        ("-----BEGIN EC PRIVATE KEY".into(), DAMAGED.into()),
        (P256.replacen('M', "*", 1), DAMAGED.into()),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(&text), expected, "{text}");
    }
    assert_eq!(PrivateKey::from_pem(b"\xff").unwrap_err(), KeyError::NotPem);
}

#[test]
fn keys_that_are_not_supported() {
    let algorithm = |name| format!("a key for {name}; use ECDSA P-256, ECDSA P-384, Ed25519 or RSA");
    let curve = |name| format!("an elliptic curve key on {name}; use P-256 or P-384");
    let bits = |bits| format!("an RSA key of {bits} bits; use one of 2048, 3072 or 4096");
    let parts = |word| {
        format!("an RSA key that cannot be used ({word}); make a new one: openssl genrsa -out NEW 2048")
    };
    let cases = [
        (file!("x25519.key"), algorithm("X25519")),
        (file!("rsa-pss.key"), algorithm("RSA-PSS")),
        (file!("p521.key"), curve("P-521")),
        (file!("secp256k1.key"), curve("secp256k1")),
        (file!("brainpool.key"), curve("OID 1.3.36.3.3.2.8.1.1.7")),
        (file!("explicit.key"), curve("parameters of its own")),
        (file!("rsa1024.key"), bits(1024)),
        (file!("rsa-exponent3.key"), parts("a public exponent below 65537")),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(text), expected, "{text}");
    }
}

/// Changes of the DER that leave the PEM whole.
#[test]
fn keys_whose_parts_do_not_belong_together() {
    let changed = |text: &str, at: usize, to: u8| {
        let mut der = der(text);
        der[at] = to;
        der
    };
    let longer = |text: &str| [der(text), vec![0]].concat();
    let ec = |der: &[u8]| refused(&pem("EC PRIVATE KEY", der));
    let rsa = |der: &[u8]| refused(&pem("RSA PRIVATE KEY", der));
    let pkcs8 = |der: &[u8]| refused(&pem("PRIVATE KEY", der));
    assert_eq!(refused(include_str!("../check/testdata/test-only-mixed.key")), ANOTHER);
    assert_eq!(ec(&changed(P256, 120, der(P256)[120] ^ 1)), ANOTHER);
    assert_eq!(ec(&changed(P384, 166, der(P384)[166] ^ 1)), ANOTHER);
    assert_eq!(ec(&changed(P256, 4, 2)), DAMAGED, "version 2");
    assert_eq!(ec(&longer(P256)), DAMAGED);
    assert_eq!(ec(&der(RSA)), DAMAGED);
    assert_eq!(ec(&der(P256_PKCS8)), DAMAGED);
    // a scalar of 31 bytes
    let bare = |scalar: usize| {
        [&[0x30, 0x13 + u8::try_from(scalar).unwrap() - 2, 2, 1, 1, 4, u8::try_from(scalar).unwrap()][..]]
            .concat()
            .into_iter()
            .chain(std::iter::repeat_n(1, scalar))
            .chain(bytes::<12>("a00a06082a8648ce3d030107"))
            .collect::<Vec<u8>>()
    };
    assert!(PrivateKey::from_pem(pem("EC PRIVATE KEY", &bare(32)).as_bytes()).is_ok());
    assert_eq!(ec(&bare(31)), DAMAGED);
    let mut curveless = bare(32);
    curveless.truncate(39);
    curveless[1] = 37;
    assert_eq!(
        ec(&curveless),
        "an elliptic curve key that names no curve; write it anew: openssl pkey -in FILE -out NEW"
    );
    assert_eq!(rsa(&longer(RSA)), DAMAGED);
    assert_eq!(rsa(&der(P256)), DAMAGED);
    let word = |text: &str| text.split(['(', ')']).nth(1).unwrap().to_owned();
    assert_eq!(word(&rsa(&changed(RSA, 6, 1))), "more than two primes");
    let rsa_der = der(RSA);
    // n, then the last byte of the last part, qInv
    assert_eq!(word(&rsa(&changed(RSA, 100, rsa_der[100] ^ 1))), INCONSISTENT);
    let last = rsa_der.len() - 1;
    assert_eq!(word(&rsa(&changed(RSA, last, rsa_der[last] ^ 1))), INCONSISTENT);
    // in dP, which shows only when signing
    let d_p = last - 128 - 3 - 128 - 3 - 10;
    assert_eq!(word(&rsa(&changed(RSA, d_p, rsa_der[d_p] ^ 1))), INCONSISTENT);
    let mut v2 = der(RFC_8410_V2);
    *v2.last_mut().unwrap() ^= 1;
    assert_eq!(pkcs8(&v2), ANOTHER);
    assert_eq!(pkcs8(&longer(ED25519)), DAMAGED);
    assert_eq!(pkcs8(&der(P256)), DAMAGED);
    assert_eq!(pkcs8(&changed(ED25519, 15, 31)), DAMAGED);
    // P-256 outside, P-384 inside
    let mut inside = bytes::<26>("305a020100301306072a8648ce3d020106082a8648ce3d030107").to_vec();
    inside.extend([0x04, 0x40, 0x30, 0x3e, 2, 1, 1, 4, 0x30]);
    inside.extend([1; 48]);
    inside.extend(bytes::<9>("a00706052b81040022"));
    assert_eq!(pkcs8(&inside), DAMAGED);
}

#[test]
fn debug_says_nothing() {
    for text in [P256, P384, ED25519, RSA] {
        assert_eq!(format!("{:?}", read(text)), "PrivateKey(..)");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        assert!(PrivateKey::from_pem(&bytes).is_err());
        assert!(PublicKey::from_spki(&bytes).is_err());
    }

    #[test]
    fn no_change_of_the_text_makes_it_panic(which in 0..7_usize, at: proptest::sample::Index, byte in any::<u8>()) {
        let mut bytes = [P256, P256_PKCS8, P384, P384_PKCS8, ED25519, RFC_8410_V2, RSA][which].as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = PrivateKey::from_pem(&bytes);
    }

    #[test]
    fn no_change_of_the_der_makes_it_panic(which in 0..7_usize, at: proptest::sample::Index, byte in any::<u8>()) {
        let labels = ["EC PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY", "PRIVATE KEY", "PRIVATE KEY", "RSA PRIVATE KEY"];
        let mut der = der([P256, P256_PKCS8, P384, P384_PKCS8, ED25519, RFC_8410_V2, RSA][which]);
        let at = at.index(der.len());
        der[at] = byte;
        let _ = PrivateKey::from_pem(pem(labels[which], &der).as_bytes());
    }
}
