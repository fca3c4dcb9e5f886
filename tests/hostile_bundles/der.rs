//! X.509 certificates from bytes up (RFC 5280, RFC 8410): Ed25519 only.

use super::forge::key;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::Signer;
use std::net::IpAddr;

/// What a certificate says.
#[derive(Clone)]
pub(crate) struct Certificate {
    /// The seed of its key.
    pub(crate) key: u8,
    pub(crate) subject: &'static str,
    /// The seed of the key that signs.
    pub(crate) signer: u8,
    pub(crate) issuer: &'static str,
    pub(crate) not_before: &'static str,
    pub(crate) not_after: &'static str,
    pub(crate) authority: bool,
    pub(crate) server: bool,
    pub(crate) client: bool,
    pub(crate) dns: Vec<&'static str>,
    pub(crate) addresses: Vec<&'static str>,
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(u8::try_from(length).unwrap()),
        0x80..0x100 => out.extend([0x81, u8::try_from(length).unwrap()]),
        _ => {
            out.push(0x82);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    out.extend(content);
    out
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// `commonName` alone.
fn name(text: &str) -> Vec<u8> {
    let attribute = sequence(&[tlv(6, &[0x55, 4, 3]), tlv(0x0c, text.as_bytes())]);
    sequence(&[tlv(0x31, &attribute)])
}

fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { tlv(1, &[0xff]) } else { Vec::new() };
    sequence(&[tlv(6, oid), critical, tlv(4, value)])
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

impl Certificate {
    /// An authority that signed itself.
    pub(crate) fn authority(key: u8, subject: &'static str) -> Self {
        Self {
            key,
            subject,
            signer: key,
            issuer: subject,
            not_before: "261119235500Z",
            not_after: "361117000000Z",
            authority: true,
            server: false,
            client: false,
            dns: Vec::new(),
            addresses: Vec::new(),
        }
    }

    /// What it issues, for a year.
    pub(crate) fn leaf(&self, key: u8, subject: &'static str) -> Self {
        let not_after = "271120000000Z";
        let (signer, issuer) = (self.key, self.subject);
        Self { signer, issuer, not_after, authority: false, ..Self::authority(key, subject) }
    }

    pub(crate) fn pem(&self) -> String {
        let algorithm = sequence(&[tlv(6, &[0x2b, 0x65, 0x70])]);
        let public = [&[0][..], key(self.key).verifying_key().as_bytes()].concat();
        let mut extensions = Vec::new();
        if !(self.dns.is_empty() && self.addresses.is_empty()) {
            let dns = self.dns.iter().map(|name| tlv(0x82, name.as_bytes()));
            let addresses = self.addresses.iter().map(|address| match address.parse().unwrap() {
                IpAddr::V4(address) => tlv(0x87, &address.octets()),
                IpAddr::V6(address) => tlv(0x87, &address.octets()),
            });
            let names = sequence(&dns.chain(addresses).collect::<Vec<_>>());
            extensions.push(extension(&[0x55, 0x1d, 0x11], false, &names));
        }
        // digitalSignature, and keyCertSign of an authority
        let usage = if self.authority { [2, 0x84] } else { [7, 0x80] };
        extensions.push(extension(&[0x55, 0x1d, 0x0f], true, &tlv(3, &usage)));
        let purposes = [(self.server, 1), (self.client, 2)].into_iter().filter(|(wanted, _)| *wanted);
        let purposes: Vec<_> = purposes.map(|(_, last)| tlv(6, &[0x2b, 6, 1, 5, 5, 7, 3, last])).collect();
        if !purposes.is_empty() {
            extensions.push(extension(&[0x55, 0x1d, 0x25], false, &sequence(&purposes)));
        }
        let constraints = if self.authority { tlv(1, &[0xff]) } else { Vec::new() };
        extensions.push(extension(&[0x55, 0x1d, 0x13], true, &sequence(&[constraints])));
        let body = sequence(&[
            tlv(0xa0, &tlv(2, &[2])),
            tlv(2, &[0x40, self.key, self.signer]),
            algorithm.clone(),
            name(self.issuer),
            sequence(&[tlv(0x17, self.not_before.as_bytes()), tlv(0x17, self.not_after.as_bytes())]),
            name(self.subject),
            sequence(&[algorithm.clone(), tlv(3, &public)]),
            tlv(0xa3, &sequence(&extensions)),
        ]);
        let signature = key(self.signer).sign(&body).to_bytes();
        let signature = tlv(3, &[&[0][..], &signature].concat());
        pem("CERTIFICATE", &sequence(&[body, algorithm, signature]))
    }
}

/// A private key (RFC 8410, version 1).
pub(crate) fn private(seed: u8) -> String {
    let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    pem("PRIVATE KEY", &[&head[..], &[seed; 32]].concat())
}
