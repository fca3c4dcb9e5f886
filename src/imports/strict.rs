//! What programs on hosts refuse to read, though it can be read here.
//!
//! The API server, the kubelet and etcd read certificates with Go's crypto/x509: one that it refuses
//! stops them, and nothing else would say so before.

use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::asn1_rs::{Any, Tag};
use x509_parser::x509::{X509Name, X509Version};

/// Critical extensions that every release of Go since 1.21 and others understand; the rest of those
/// that a certificate calls critical makes it invalid for them. RFC 5280 lets some of the rest, such
/// as key identifiers, never be critical.
const UNDERSTOOD: [&str; 7] = [
    "2.5.29.15", // key usage
    "2.5.29.17", // subject alternative name
    "2.5.29.19", // basic constraints
    "2.5.29.30", // name constraints
    "2.5.29.31", // CRL distribution points
    "2.5.29.32", // certificate policies
    "2.5.29.37", // extended key usage
];

/// The first critical extension that is not understood.
pub(super) fn unknown(certificate: &X509Certificate<'_>) -> Option<String> {
    let critical = certificate.extensions().iter().filter(|extension| extension.critical);
    let mut oids = critical.map(|extension| extension.oid.to_id_string());
    oids.find(|oid| !UNDERSTOOD.contains(&oid.as_str()))
}

/// What is wrong with how it is written, in words.
pub(super) fn odd(certificate: &X509Certificate<'_>) -> Option<&'static str> {
    // of others, extensions are not read: a CA would be none
    if certificate.version() != X509Version::V3 {
        return Some("another version than 3");
    }
    serial(certificate.raw_serial()).or_else(|| {
        let [issuer, subject] = [certificate.issuer(), certificate.subject()];
        name(issuer).or_else(|| name(subject))
    })
}

/// RFC 5280 section 4.1.2.2: positive, at most 20 bytes. Zero is let pass, as old roots have it.
fn serial(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [] => Some("no serial number"),
        [first, ..] if first & 0x80 != 0 => Some("a negative serial number"),
        [0, second, ..] if second & 0x80 == 0 => Some("a serial number that is not DER"),
        [0, rest @ ..] | rest if rest.len() > 20 => Some("a serial number of more than 20 bytes"),
        _ => None,
    }
}

fn name(name: &X509Name<'_>) -> Option<&'static str> {
    let mut values = name.iter_attributes().peekable();
    if values.peek().is_none() {
        return Some("an empty name");
    }
    values.any(|attribute| !is_text(attribute.attr_value())).then_some("a name with a text that is none")
}

/// Whether a value is a text, of what its kind of text allows (X.680 section 41).
fn is_text(value: &Any<'_>) -> bool {
    let bytes = value.data;
    match value.tag() {
        Tag::Utf8String => std::str::from_utf8(bytes).is_ok(),
        Tag::PrintableString => bytes.iter().copied().all(is_printable),
        Tag::Ia5String => bytes.is_ascii(),
        Tag::NumericString => bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '),
        Tag::BmpString => bytes.len().is_multiple_of(2),
        Tag::T61String => true,
        _ => false,
    }
}

/// `*` and `&` are not of the kind, and let pass by all: many certificates have them.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(&byte)
}
