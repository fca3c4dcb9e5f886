//! Certificates that stand in a spec: public ones, in PEM.

use super::ScalarError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// One or more certificates in PEM (RFC 7468), each of which parses. What stands between them is left
/// out; a private key is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates(Vec<String>);

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// Characters of base64 in a line (RFC 7468, section 2).
const LINE: usize = 64;

impl Certificates {
    /// Of each certificate the lines of base64 between its first and last line.
    pub fn lines(&self) -> Vec<Vec<String>> {
        let lines = |text: &String| {
            let letters: Vec<char> = text.chars().collect();
            letters.chunks(LINE).map(|line| line.iter().collect()).collect()
        };
        self.0.iter().map(lines).collect()
    }
}

impl FromStr for Certificates {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if super::looks_secret(text) {
            return Err(ScalarError::secret(text));
        }
        let error = |reason: &str| {
            ScalarError::new(text, "certificates in PEM", reason)
                .hint("write them as a block: `ca: |`, and below it, indented, the lines of the file")
        };
        let mut all = Vec::new();
        for rest in text.split(BEGIN).skip(1) {
            let (body, _) = rest.split_once(END).ok_or_else(|| error("the last one does not end"))?;
            let body: String = body.split_whitespace().collect();
            let der = BASE64_STANDARD.decode(&body).map_err(|_| error("one of them is no base64"))?;
            match x509_parser::parse_x509_certificate(&der) {
                Ok(([], _)) => all.push(body),
                _ => return Err(error("one of them is no certificate")),
            }
        }
        if all.is_empty() {
            return Err(error("there is none in it"));
        }
        Ok(Self(all))
    }
}

impl fmt::Display for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for lines in self.lines() {
            writeln!(f, "{BEGIN}\n{}\n{END}", lines.join("\n"))?;
        }
        Ok(())
    }
}

impl JsonSchema for Certificates {
    fn schema_name() -> Cow<'static, str> {
        "Certificates".into()
    }

    // no example: it would have to be a whole certificate
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "certificates",
            "description": "Certificates in PEM, one or more.",
        })
    }
}

impl<'de> Deserialize<'de> for Certificates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::Certificates;

    const CA: &str = include_str!("../../../tests/data/certificates/ca.crt");

    #[test]
    fn pem_as_it_is_and_nothing_around_it() {
        let pem = CA.get(CA.find("-----BEGIN").unwrap()..).unwrap();
        let two: Certificates = format!("# one\n{pem}\n subject=two\n{pem}").parse().unwrap();
        assert_eq!(two.to_string(), format!("{pem}{pem}"));
        let indented: Certificates = pem.replace('\n', "\r\n  ").parse().unwrap();
        assert_eq!(indented.to_string(), pem);
    }

    #[test]
    fn anything_else_is_refused() {
        let reason = |text: &str| text.parse::<Certificates>().unwrap_err();
        assert!(reason("").message.ends_with("there is none in it"));
        assert!(reason("-----BEGIN CERTIFICATE-----\nAA==").message.ends_with("the last one does not end"));
        let of = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        assert!(reason(&of("A*")).message.ends_with("one of them is no base64"));
        assert!(reason(&of("AAAA")).message.ends_with("one of them is no certificate"));
        let key = reason(&format!("{CA}-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"));
        assert!(key.secret && !key.message.contains("AA=="));
    }
}
