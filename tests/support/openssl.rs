//! Authorities as other people make them: with openssl, in a directory of their own.

use super::{Ran, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a CA's certificate says by default.
pub(crate) const CA: &str =
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";

/// `string_mask` makes names of `PrintableString`, which is not what sealift writes.
const CONFIG: &str = "\
[req]
distinguished_name=dn
string_mask=nombstr
[dn]
[ca]
default_ca=here
[here]
database=index
new_certs_dir=.
rand_serial=yes
unique_subject=no
policy=any
preserve=yes
[any]
countryName=optional
organizationName=optional
organizationalUnitName=optional
commonName=supplied
";

/// A certificate to be made. The rest has defaults: see [`Certificate::ca`].
#[derive(Clone, Debug)]
pub(crate) struct Certificate<'a> {
    /// Names the files: `NAME.crt` and `NAME.key`.
    pub(crate) name: &'a str,
    /// As `openssl req -subj` reads it.
    pub(crate) subject: &'a str,
    /// `rsa:BITS`, `ed25519`, or a curve.
    pub(crate) key: &'a str,
    /// Who signs; itself when there is none.
    pub(crate) issuer: Option<&'a str>,
    /// Lines of an extension section.
    pub(crate) extensions: &'a str,
    /// First and last second, `YYYYMMDDHHMMSSZ`.
    pub(crate) validity: (&'a str, &'a str),
    /// The digest that is signed.
    pub(crate) digest: &'a str,
}

impl<'a> Certificate<'a> {
    /// A CA from 2020 to 2049.
    pub(crate) fn ca(name: &'a str, key: &'a str, issuer: Option<&'a str>) -> Self {
        Self {
            name,
            subject: "/C=DE/O=Corp/OU=One/OU=Two/CN=Corporate",
            key,
            issuer,
            extensions: CA,
            validity: ("20200101000000Z", "20490101000000Z"),
            digest: "sha256",
        }
    }
}

/// Where openssl works.
pub(crate) struct Office {
    pub(crate) directory: PathBuf,
}

impl Office {
    pub(crate) fn new(directory: PathBuf) -> Self {
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("cnf"), CONFIG).unwrap();
        fs::write(directory.join("index"), "").unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Writes texts behind each other.
    pub(crate) fn join(&self, names: &[&str], to: &str) {
        let text: String = names.iter().map(|name| self.read(name)).collect();
        fs::write(self.path(to), text).unwrap();
    }

    /// Runs openssl here.
    #[track_caller]
    pub(crate) fn openssl(&self, words: &[&str]) -> Ran {
        openssl(&self.directory, words)
    }

    /// Makes a certificate with a new key.
    #[track_caller]
    pub(crate) fn make(&self, wanted: &Certificate<'_>) {
        let name = wanted.name;
        let key = format!("{name}.key");
        let mut words = vec!["genpkey", "-out", &key];
        let option;
        match wanted.key.split_once(':') {
            Some(("rsa", bits)) => {
                option = format!("rsa_keygen_bits:{bits}");
                words.extend(["-algorithm", "RSA", "-pkeyopt", &option]);
            }
            _ if wanted.key == "ed25519" => words.extend(["-algorithm", "ED25519"]),
            _ => {
                option = format!("ec_paramgen_curve:{}", wanted.key);
                words.extend(["-algorithm", "EC", "-pkeyopt", &option]);
            }
        }
        let _ = self.openssl(&words).expect_code(0);
        let request = format!("{name}.csr");
        let words =
            ["req", "-config", "cnf", "-new", "-key", &key, "-subj", wanted.subject, "-out", &request];
        let _ = self.openssl(&words).expect_code(0);
        self.sign(wanted, &request, &format!("{name}.crt"));
    }

    /// Signs a request.
    #[track_caller]
    pub(crate) fn sign(&self, wanted: &Certificate<'_>, request: &str, to: &str) {
        fs::write(self.path("ext"), wanted.extensions).unwrap();
        let issuer = wanted.issuer.unwrap_or(wanted.name);
        let (certificate, key) = (format!("{issuer}.crt"), format!("{issuer}.key"));
        let (from, until) = wanted.validity;
        let mut words = vec!["ca", "-batch", "-notext", "-config", "cnf", "-in", request, "-out", to];
        words.extend(["-startdate", from, "-enddate", until, "-extfile", "ext", "-keyfile", &key]);
        let digest = if wanted.digest.is_empty() { "default" } else { wanted.digest };
        words.extend(["-md", digest]);
        match wanted.issuer {
            Some(_) => words.extend(["-cert", &certificate]),
            None => words.push("-selfsign"),
        }
        let _ = self.openssl(&words).expect_code(0);
    }
}

/// Runs openssl somewhere.
#[track_caller]
pub(crate) fn openssl(directory: &Path, words: &[&str]) -> Ran {
    run(Command::new("openssl").args(words).current_dir(directory))
}
