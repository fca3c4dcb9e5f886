//! Recipients: vectors from age-keygen and ssh-keygen, refusals by name, points that no one may use.

use super::table;
use crate::spec::scalars::Recipient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bech32::{Bech32, Bech32m, Hrp};

const AGE: &str = "age1722sn843ns8njx5r3n9d6wydu72psm4c3ec77ve9pzm4xj22qesqmfezvr";
const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFCeSFnGBIkQIPq3d9ZHmRcIGgStPV5/6AUuovVIwZt8";
const P: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

fn age(key: &[u8]) -> String {
    bech32::encode::<Bech32>(Hrp::parse("age").unwrap(), key).unwrap()
}

fn ssh(key: &[u8]) -> String {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend(key);
    format!("ssh-ed25519 {}", STANDARD.encode(blob))
}

fn le(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = number;
    bytes
}

#[test]
fn good_and_bad() {
    let commented = format!("{SSH} root@infra1 and more");
    let spaced = format!("  {}\n", SSH.replace(' ', "  "));
    let typo = AGE.replace("22sn", "22sm");
    let bech32m = bech32::encode::<Bech32m>(Hrp::parse("age").unwrap(), &[9; 32]).unwrap();
    let cut = &SSH[..SSH.len() - 4];
    let rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ== x";
    let plugin = format!("age1yubikey1{}", "q".repeat(58));
    let trailing = format!("{SSH}AAAA");
    table::<Recipient>(
        &[(AGE, AGE), (SSH, SSH), (&commented, SSH), (&spaced, SSH)],
        &[
            ("", "it is neither an age nor an OpenSSH key"),
            ("scrypt", "it is neither an age nor an OpenSSH key"),
            (&AGE.to_uppercase(), "it has upper-case letters"),
            (&AGE[..61], "it has 61 characters, not 62"),
            ("age1", "it has 4 characters, not 62"),
            (&typo, "its checksum is wrong, so a character is"),
            (&bech32m, "its checksum is wrong, so a character is"),
            ("ssh-ed25519", "the key after ssh-ed25519 is missing"),
            ("ssh-ed25519 ä", "its key is not base64, or it is cut off"),
            (cut, "its key is not an ed25519 key, or it is cut off"),
            (&trailing, "its key is not an ed25519 key, or it is cut off"),
            (&format!("{AGE}\n{SSH}"), "it has several lines"),
            (rsa, "sealing to ssh-rsa needs randomness, which builds do not have"),
            ("ssh-dss AAAA", "DSA keys can only sign"),
            ("ecdsa-sha2-nistp256 AAAA", "age cannot seal to ECDSA keys"),
            (
                "sk-ssh-ed25519@openssh.com AAAA",
                "a security key can only sign, it cannot open what is sealed to it",
            ),
            (
                "sk-ecdsa-sha2-nistp256@openssh.com AA",
                "a security key can only sign, it cannot open what is sealed to it",
            ),
            ("ssh-ed25519-cert-v01@openssh.com AAAA", "it is a certificate"),
            ("age1pq1qqqq", "sealing to post-quantum recipients is not implemented yet"),
            (&plugin, "sealing by the plugin age-plugin-yubikey needs randomness, which builds do not have"),
        ],
    );
}

#[test]
fn a_private_key_is_not_repeated() {
    for text in [
        "AGE-SECRET-KEY-1QQQQ",
        " age-secret-key-1qqqq",
        "AGE-PLUGIN-YUBIKEY-1QQQQ",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nQQQQ",
    ] {
        let error = text.parse::<Recipient>().unwrap_err();
        assert!(error.secret);
        assert!(!format!("{error:?}").to_lowercase().contains("qqqq"));
    }
}

#[test]
fn x25519_points_of_small_order_and_other_encodings() {
    // the seven of RFC 7748's curve and its twist, below p; cr.yp.to/ecdh.html
    let order_8 = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ];
    let mut minus_one = P;
    minus_one[0] = 0xec;
    let mut small = vec![le(0), le(1), minus_one];
    small.extend(order_8.map(|text| <[u8; 32]>::try_from(hex::decode(text).unwrap()).unwrap()));
    for key in small {
        let error = age(&key).parse::<Recipient>().unwrap_err();
        assert!(error.message.ends_with("its key has small order"), "{error}");
        // that is what makes them dangerous: any secret gives the same shared secret
        assert_eq!(x25519_dalek::x25519([7; 32], key), [0; 32]);
    }
    let mut high = le(9);
    high[31] = 0x80;
    let mut above = P;
    above[0] = 0xf6;
    for key in [high, P, above] {
        let error = age(&key).parse::<Recipient>().unwrap_err();
        assert!(error.message.ends_with("its key is not in canonical form"), "{error}");
    }
    assert_eq!(age(&le(9)).parse::<Recipient>().unwrap(), Recipient::X25519(le(9)));
}

#[test]
fn ed25519_points_outside_of_the_group_and_other_encodings() {
    let reason = |key: [u8; 32]| ssh(&key).parse::<Recipient>().unwrap_err().message;
    let mut minus_one = P;
    minus_one[0] = 0xec;
    for small in [le(1), minus_one, le(0)] {
        assert!(reason(small).ends_with("its key is not in the group of prime order"));
    }
    // y = p + 1 is y = 1 again; so is y = 1 with the sign bit of x = 0
    let mut above = P;
    above[0] = 0xee;
    let mut negative_zero = le(1);
    negative_zero[31] = 0x80;
    for other in [above, negative_zero] {
        assert!(reason(other).ends_with("its key is not in canonical form"), "{}", reason(other));
    }
    assert!(reason(le(2)).ends_with("its key is not a point of the curve"));
    // the base point plus the point (0, -1) of order 2
    let base = curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
    let torsion = curve25519_dalek::edwards::CompressedEdwardsY(minus_one).decompress().unwrap();
    assert!(reason((base + torsion).compress().0).ends_with("its key is not in the group of prime order"));
    assert!(ssh(&base.compress().0).parse::<Recipient>().is_ok());
}

#[test]
fn wire_bytes_order_and_the_key_behind_both_forms() {
    let (age, ssh): (Recipient, Recipient) = (AGE.parse().unwrap(), SSH.parse().unwrap());
    let wire = age.wire();
    assert_eq!(wire[..10], *b"\0\0\0\x06X25519");
    assert_eq!(wire[10..14], [0, 0, 0, 32]);
    assert_eq!(wire.len(), 46);
    assert_eq!(STANDARD.encode(ssh.wire()), SSH.split(' ').nth(1).unwrap());
    assert!(age < ssh);
    let both = Recipient::X25519(ssh.montgomery());
    assert_ne!(both, ssh);
    assert_eq!(both.montgomery(), ssh.montgomery());
    assert_eq!(both.to_string().parse::<Recipient>().unwrap(), both);
    // RFC 7748 and RFC 8032 base points: the birational map sends one to the other
    let base = curve25519_dalek::constants::ED25519_BASEPOINT_COMPRESSED.0;
    assert_eq!(Recipient::SshEd25519(base).montgomery(), le(9));
}
