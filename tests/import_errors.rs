//! What is wrong with an imported authority is said at the spec's line, with a way out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use std::fmt::Write as _;
use std::fs;
use support::example::{Built, test_only};
use support::golden::golden;
use support::openssl::{Certificate, Office};
use support::{need, repository, sealift};

/// One way to be wrong: its name, the lines in `pki.cas`, and what is made before.
type Case = (&'static str, &'static str, fn(&Office));

const OWN: &str = "etcd: {import: {certificate: corp/own.crt, key: corp/own.key}}";
const LOWER: &str = "etcd: {import: {certificate: corp/file, key: corp/lower.key}}";

fn own(office: &Office, change: fn(Certificate<'static>) -> Certificate<'static>) {
    office.make(&change(Certificate::ca("own", "P-256", None)));
}

/// A root and an intermediate, in this order of the file.
fn lower(office: &Office, order: &[&str], change: fn(&mut Certificate<'static>, &mut Certificate<'static>)) {
    let mut root = Certificate::ca("root", "P-256", None);
    let mut lower = Certificate::ca("lower", "P-256", Some("root"));
    lower.subject = "/CN=Lower";
    change(&mut root, &mut lower);
    office.make(&root);
    office.make(&lower);
    office.make(&Certificate::ca("other", "P-256", None));
    office.join(order, "file");
}

const CASES: &[Case] = &[
    ("no file", OWN, |_| {}),
    ("a directory", OWN, |office| {
        fs::create_dir(office.path("own.crt")).unwrap();
        fs::create_dir(office.path("own.key")).unwrap();
    }),
    ("a pipe", OWN, |office| {
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        for name in ["own.crt", "own.key"] {
            let fifo = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, office.path(name), fifo, mode, 0).unwrap();
        }
    }),
    ("more than 1 MiB", OWN, |office| {
        own(office, |wanted| wanted);
        fs::write(office.path("own.crt"), office.read("own.crt").repeat(2000)).unwrap();
        fs::write(office.path("own.key"), " ".repeat(1024 * 1024 + 1)).unwrap();
    }),
    ("DER", OWN, |office| {
        own(office, |wanted| wanted);
        for (what, file) in [("x509", "own.crt"), ("pkey", "own.key")] {
            let _ = office.openssl(&[what, "-in", file, "-outform", "DER", "-out", "new"]).expect_code(0);
            fs::rename(office.path("new"), office.path(file)).unwrap();
        }
    }),
    ("damaged", OWN, |office| {
        own(office, |wanted| wanted);
        let text = office.read("own.crt");
        fs::write(office.path("own.crt"), &text[..text.len() / 2]).unwrap();
        let text = office.read("own.key");
        fs::write(office.path("own.key"), &text[..text.len() / 2]).unwrap();
    }),
    ("the certificate of another kind of thing", OWN, |office| {
        own(office, |wanted| wanted);
        fs::write(
            office.path("own.crt"),
            "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
    }),
    (
        "certificate and key exchanged",
        "etcd: {import: {certificate: corp/own.key, key: corp/own.crt}}",
        |office| {
            own(office, |wanted| wanted);
        },
    ),
    ("two keys", OWN, |office| {
        own(office, |wanted| wanted);
        office.join(&["own.key", "own.key"], "own.key");
    }),
    ("a key with a passphrase", OWN, |office| {
        own(office, |wanted| wanted);
        let words = ["pkey", "-in", "own.key", "-aes256", "-passout", "pass:x", "-out", "new"];
        let _ = office.openssl(&words).expect_code(0);
        fs::rename(office.path("new"), office.path("own.key")).unwrap();
    }),
    ("an armored age file", OWN, |office| {
        own(office, |wanted| wanted);
        fs::write(office.path("own.key"), "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n").unwrap();
    }),
    ("another's key", "etcd: {import: {certificate: corp/own.crt, key: corp/other.key}}", |office| {
        own(office, |wanted| wanted);
        office.make(&Certificate::ca("other", "P-256", None));
    }),
    ("no CA", OWN, |office| {
        own(office, |wanted| Certificate { extensions: "basicConstraints=critical,CA:FALSE\n", ..wanted });
    }),
    ("no basic constraints", OWN, |office| {
        own(office, |wanted| Certificate { extensions: "keyUsage=critical,keyCertSign\n", ..wanted });
    }),
    ("no key usage for certificates", OWN, |office| {
        own(office, |wanted| Certificate {
            extensions: "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n",
            ..wanted
        });
    }),
    ("no key usage", OWN, |office| {
        own(office, |wanted| Certificate { extensions: "basicConstraints=critical,CA:TRUE\n", ..wanted });
    }),
    ("for servers alone", OWN, |office| {
        own(office, |wanted| Certificate {
            extensions: "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\nextendedKeyUsage=serverAuth\n",
            ..wanted
        });
    }),
    ("a critical extension of nobody's", OWN, |office| {
        own(office, |wanted| Certificate {
            extensions: "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n1.2.3.4=critical,DER:0500\n",
            ..wanted
        });
    }),
    ("expired", OWN, |office| {
        own(office, |wanted| Certificate { validity: ("20200101000000Z", "20261120000000Z"), ..wanted });
    }),
    ("not yet valid", OWN, |office| {
        own(office, |wanted| Certificate { validity: ("20261120000001Z", "20490101000000Z"), ..wanted });
    }),
    ("valid for exactly one second", OWN, |office| {
        own(office, |wanted| Certificate { validity: ("20261120000000Z", "20261120000001Z"), ..wanted });
    }),
    ("P-521", OWN, |office| own(office, |wanted| Certificate { key: "P-521", ..wanted })),
    ("RSA 1024", OWN, |office| own(office, |wanted| Certificate { key: "rsa:1024", ..wanted })),
    ("RSA 2560", OWN, |office| own(office, |wanted| Certificate { key: "rsa:2560", ..wanted })),
    ("Ed25519", OWN, |office| own(office, |wanted| Certificate { key: "ed25519", digest: "", ..wanted })),
    ("a root that is signed with SHA-1", OWN, |office| {
        own(office, |wanted| Certificate { key: "rsa:2048", digest: "sha1", ..wanted });
    }),
    ("outlives its parent", LOWER, |office| {
        lower(office, &["lower.crt", "root.crt"], |root, _| {
            root.validity.1 = "20481231235959Z";
        });
    }),
    ("the root first", LOWER, |office| lower(office, &["root.crt", "lower.crt"], |_, _| {})),
    ("another's root behind it", LOWER, |office| {
        lower(office, &["lower.crt", "lower.crt", "root.crt"], |_, _| {});
    }),
    ("a root of the same name", LOWER, |office| lower(office, &["lower.crt", "other.crt"], |_, _| {})),
    ("signed with SHA-1", LOWER, |office| {
        lower(office, &["lower.crt"], |root, lower| {
            root.key = "rsa:2048";
            lower.digest = "sha1";
        });
    }),
    ("signed with SHA-512 by ECDSA", LOWER, |office| {
        lower(office, &["lower.crt", "root.crt"], |_, lower| lower.digest = "sha512");
    }),
    ("signed by P-521", LOWER, |office| {
        lower(office, &["lower.crt", "root.crt"], |root, _| root.key = "P-521");
    }),
    ("a root with an RSA key of 1024 bits", LOWER, |office| {
        lower(office, &["lower.crt", "root.crt"], |root, _| root.key = "rsa:1024");
    }),
    ("path length 0 above it", LOWER, |office| {
        lower(office, &["lower.crt", "root.crt"], |root, _| {
            root.extensions = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n";
        });
    }),
    ("all at once", LOWER, |office| {
        lower(office, &["lower.crt", "root.crt"], |root, lower| {
            root.validity.1 = "20260101000000Z";
            lower.extensions = "basicConstraints=CA:FALSE\n";
        });
        fs::write(office.path("lower.key"), "").unwrap();
    }),
    (
        "two authorities at once",
        "etcd: {import: {certificate: a, key: b}}\n    front-proxy: {external: {certificate: c, issued: d}}",
        |_| {},
    ),
    (
        "imported and external",
        "etcd: {import: {certificate: corp/own.crt, key: corp/own.key}, external: {certificate: c, issued: d}}",
        |office| own(office, |wanted| wanted),
    ),
    (
        "described twice",
        "etcd: {import: {certificate: corp/own.crt, key: corp/own.key}, algorithm: ecdsa-p384, validity: 5y, \
         subject: {O: Corp}, seed: 1, generation: 2}",
        |office| own(office, |wanted| wanted),
    ),
    (
        "a previous one described twice",
        "etcd: {generation: 2, rotation: stage, previous: {import: {certificate: corp/own.crt, key: corp/own.key}, \
         algorithm: ecdsa-p384, validity: 5y, subject: {O: Corp}, external: {certificate: c, issued: d}}}",
        |office| own(office, |wanted| wanted),
    ),
    (
        "a previous one that is not there",
        "etcd: {generation: 2, rotation: promote, previous: {import: {certificate: a, key: b}}}",
        |_| {},
    ),
    (
        "an external one with its key on hosts",
        "etcd: {external: {certificate: corp/own.crt, issued: corp/issued}}\n  caKeysOnHosts: [kubernetes, etcd]",
        |office| {
            own(office, |wanted| wanted);
            fs::remove_file(office.path("own.key")).unwrap();
        },
    ),
    (
        "one authority for two",
        "etcd: {import: {certificate: corp/own.crt, key: corp/own.key}}\n    \
         front-proxy: {import: {certificate: corp/own.crt, key: corp/own.key}}",
        |office| own(office, |wanted| wanted),
    ),
    (
        "the authority that was another's before",
        "etcd: {import: {certificate: corp/own.crt, key: corp/own.key}}\n    \
         front-proxy: {generation: 2, rotation: stage, previous: {import: {certificate: corp/own.crt, key: corp/own.key}}}",
        |office| own(office, |wanted| wanted),
    ),
    (
        "one authority before and after",
        "etcd: {generation: 2, rotation: stage, import: {certificate: corp/own.crt, key: corp/own.key}, \
         previous: {import: {certificate: corp/same.crt, key: corp/same.key}}}",
        |office| {
            own(office, |wanted| wanted);
            office.join(&["own.crt"], "same.crt");
            office.join(&["own.key"], "same.key");
        },
    ),
    (
        "an Ed25519 key where kubeadm reads it",
        "etcd: {import: {certificate: corp/own.crt, key: corp/own.key}}\n  caKeysOnHosts: [kubernetes, etcd]",
        |office| own(office, |wanted| Certificate { key: "ed25519", digest: "", ..wanted }),
    ),
    ("outlived by what it issues", OWN, |office| {
        own(office, |wanted| Certificate { validity: ("20200101000000Z", "20270101000000Z"), ..wanted });
    }),
    ("fields that are missing", "etcd: {import: {certificate: corp/own.crt}}", |_| {}),
];

/// Every problem but the warning about a single member, as people read it.
#[test]
fn every_error() {
    let Some(_) = need("openssl") else { return };
    let base = fs::read_to_string(repository("tests/data/imports/sealift.yaml")).unwrap();
    let mut out = String::new();
    for (name, lines, prepare) in CASES {
        let built = Built::staged(&format!("{base}pki:\n  cas:\n    {lines}\n"));
        let office = Office::new(built.path("corp"));
        prepare(&office);
        let path = built.path("sealift.yaml");
        let ran = sealift(["check", path.to_str().unwrap()]);
        let said = ran.stderr.replace(path.to_str().unwrap(), "sealift.yaml");
        let said: Vec<_> =
            said.split("\n\n").filter(|problem| !problem.contains("tolerates no failure")).collect();
        let _ = writeln!(out, "## {name}: exit {}\n{}\n", ran.code, said.join("\n\n").trim_end());
        if ran.code != 0 {
            let built = built.build(&[]);
            let same = built.stderr.replace(path.to_str().unwrap(), "sealift.yaml");
            assert_eq!((built.code, same.ends_with(&said.join("\n\n"))), (2, true), "{name}\n{same}");
        }
    }
    golden(&repository("tests/golden/import-errors.txt"), &out);
}

/// Paths begin at the spec's directory, wherever the command runs; absolute ones and `..` are fine.
#[test]
fn paths() {
    let Some(_) = need("openssl") else { return };
    let base = fs::read_to_string(repository("tests/data/imports/sealift.yaml")).unwrap();
    let built = Built::staged(&base);
    let office = Office::new(built.path("corp"));
    own(&office, |wanted| wanted);
    let absolute = office.path("own.crt");
    let import = format!("{{certificate: {}, key: ../corp/own.key}}", absolute.display());
    fs::create_dir(built.path("deep")).unwrap();
    let text = format!("{base}pki: {{cas: {{etcd: {{import: {import}}}}}}}\n");
    fs::write(built.path("deep/sealift.yaml"), text).unwrap();
    std::os::unix::fs::symlink("own.key", office.path("link.key")).unwrap();
    let words = [built.path("deep/sealift.yaml"), "--seed".into(), test_only("seed.age"), "-i".into()];
    let words = std::iter::once("build".into()).chain(words).chain([test_only("operator.key")]);
    let _ = sealift(words.chain(["-o".into(), built.out()])).expect_code(0);
    // a link to a regular file is one
    let text = fs::read_to_string(built.path("deep/sealift.yaml")).unwrap().replace("own.key", "link.key");
    fs::write(built.path("deep/sealift.yaml"), text).unwrap();
    let _ = sealift(["check", built.path("deep/sealift.yaml").to_str().unwrap()]).expect_code(0);
}
