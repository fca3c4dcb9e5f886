//! Bundles opened with their hosts' identities, and what lies in their files.

use super::archive::members;
use super::example::test_only;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

/// One file as it will lie on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Its permission bits.
    pub(crate) mode: u32,
    /// Whether the bundle has it sealed.
    pub(crate) sealed: bool,
    /// What is in it, after opening.
    pub(crate) contents: Vec<u8>,
}

impl File {
    /// The contents of a text file.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.contents).unwrap()
    }
}

/// Files by their paths on the host.
pub(crate) type Files = BTreeMap<String, File>;

/// All files of a bundle, the sealed ones opened; every one of them must open.
#[track_caller]
pub(crate) fn open(bundle: &Path, identity: &dyn age::Identity) -> Files {
    let mut files = Files::new();
    for member in members(bundle) {
        let Some(path) = member.name.strip_prefix("files") else { continue };
        let (path, sealed) = path.strip_suffix(".age").map_or((path, false), |path| (path, true));
        let contents = if sealed { unsealed(&member.contents, identity) } else { member.contents.clone() };
        assert_eq!(files.insert(path.to_owned(), File { mode: member.mode, sealed, contents }), None);
    }
    files
}

/// The plaintext of one sealed file.
#[track_caller]
pub(crate) fn unsealed(bytes: &[u8], identity: &dyn age::Identity) -> Vec<u8> {
    let mut plaintext = Vec::new();
    let mut reader = age::Decryptor::new(bytes)
        .unwrap()
        .decrypt(std::iter::once(identity))
        .expect("it is sealed to this identity");
    let _: usize = reader.read_to_end(&mut plaintext).unwrap();
    plaintext
}

/// The age identity of machine `number`, always the same.
pub(crate) fn machine(number: u8) -> age::x25519::Identity {
    let prefix = bech32::Hrp::parse("age-secret-key-").unwrap();
    let mut bytes = *b"sealift TEST-ONLY host identity.";
    bytes[31] = number;
    let text = bech32::encode_upper::<bech32::Bech32>(prefix, &bytes).unwrap();
    text.parse().unwrap()
}

/// The same as the text of an identity file.
pub(crate) fn machine_file(number: u8) -> String {
    use age::secrecy::ExposeSecret;
    format!("{}\n", machine(number).to_string().expose_secret())
}

/// The identity of the example's operators.
pub(crate) fn operator() -> age::x25519::Identity {
    let text = fs::read_to_string(test_only("operator.key")).unwrap();
    text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap().parse().unwrap()
}

/// Every PEM block in a file, and in what is base64 inside of it: its label and its own text.
pub(crate) fn pem_blocks(contents: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(contents);
    let mut found = Vec::new();
    for rest in text.split("-----BEGIN ").skip(1) {
        let (label, _) = rest.split_once("-----").expect("a PEM label ends");
        let end = format!("-----END {label}-----\n");
        let (body, _) = rest.split_once(&end).expect("a PEM block ends");
        found.push((label.to_owned(), format!("-----BEGIN {body}{end}")));
    }
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"+/=".contains(letter));
    for word in words.filter(|word| word.len() > 64) {
        if let Ok(inner) = BASE64_STANDARD.decode(word)
            && inner.starts_with(b"-----BEGIN ")
        {
            found.extend(pem_blocks(&inner));
        }
    }
    found
}

/// The DER of every certificate in a file.
pub(crate) fn certificates(contents: &[u8]) -> Vec<Vec<u8>> {
    let blocks = pem_blocks(contents).into_iter().filter(|(label, _)| label == "CERTIFICATE");
    blocks.map(|(_, text)| x509_parser::pem::parse_x509_pem(text.as_bytes()).unwrap().1.contents).collect()
}

/// The DER of one certificate's `SubjectPublicKeyInfo`.
pub(crate) fn spki(certificate: &[u8]) -> Vec<u8> {
    x509_parser::parse_x509_certificate(certificate).unwrap().1.public_key().raw.to_vec()
}

/// The public halves of every private key in a file, as DER of `SubjectPublicKeyInfo`.
pub(crate) fn private_keys(contents: &[u8]) -> Vec<Vec<u8>> {
    let blocks = pem_blocks(contents).into_iter().filter(|(label, _)| label.ends_with("PRIVATE KEY"));
    let key = |text: String| sealift::private_key::PrivateKey::from_pem(text.as_bytes()).unwrap();
    blocks.map(|(_, text)| key(text).spki_der().unwrap()).collect()
}

/// A kubeconfig of one user.
#[derive(Debug)]
pub(crate) struct Kubeconfig {
    /// As YAML has it.
    pub(crate) value: serde_json::Value,
}

impl Kubeconfig {
    /// Reads one.
    #[track_caller]
    pub(crate) fn parse(file: &File) -> Self {
        Self { value: sealift::spec::yaml::document(file.text()).unwrap() }
    }

    /// The text at a place such as `/clusters/0/name`.
    #[track_caller]
    pub(crate) fn at(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(serde_json::Value::as_str).unwrap()
    }

    /// The API server's URL.
    pub(crate) fn server(&self) -> &str {
        self.at("/clusters/0/cluster/server")
    }

    #[track_caller]
    fn data(&self, pointer: &str) -> Vec<u8> {
        BASE64_STANDARD.decode(self.at(pointer)).unwrap()
    }

    /// What the server is checked against, in PEM.
    pub(crate) fn authorities(&self) -> Vec<u8> {
        self.data("/clusters/0/cluster/certificate-authority-data")
    }

    /// The client's certificate, in PEM.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.data("/users/0/user/client-certificate-data")
    }

    /// The client's private key, in PEM.
    pub(crate) fn key(&self) -> Vec<u8> {
        self.data("/users/0/user/client-key-data")
    }
}
