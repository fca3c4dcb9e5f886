//! Authorities whose key stays elsewhere: requests out, certificates in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use support::archive::member;
use support::example::{Built, VALID_AT};
use support::golden::golden;
use support::openssl::{CA, Certificate, Office, openssl};
use support::{Ran, need, repository, sealift, tree};

const EXTERNAL: &str = "pki:\n  cas:\n    etcd: {external: {certificate: corp/file, issued: issued}}\n";
/// What the external CA of etcd signs in the cluster of tests/data/imports.
const WANTED: [&str; 5] = [
    "cp1/apiserver-etcd-client",
    "cp1/etcd-healthcheck-client",
    "cp1/etcd-peer",
    "cp1/etcd-server",
    "operator/apiserver-etcd-client",
];

fn base() -> String {
    fs::read_to_string(repository("tests/data/imports/sealift.yaml")).unwrap()
}

/// A spec with an external CA below a root, whose key is then gone from the spec's directory.
fn staged() -> (Built, Office) {
    let built = Built::staged(&(base() + EXTERNAL));
    let office = Office::new(built.path("corp"));
    office.make(&Certificate::ca("root", "rsa:2048", None));
    let extensions = format!("{CA}authorityKeyIdentifier=keyid\n");
    let lower = Certificate { extensions: &extensions, ..Certificate::ca("lower", "P-384", Some("root")) };
    office.make(&Certificate { subject: "/C=DE/O=Corp/CN=etcd", ..lower });
    office.join(&["lower.crt", "root.crt"], "file");
    (built, office)
}

fn csr(built: &Built, arguments: &[&str]) -> Ran {
    let mut words: Vec<PathBuf> = vec!["csr".into(), built.path("sealift.yaml")];
    words.extend(["--seed".into(), built.path("test-only/seed.age")]);
    words.extend(["-i".into(), built.path("test-only/operator.key"), "-o".into(), built.path("csr")]);
    words.extend(arguments.iter().map(PathBuf::from));
    sealift(words)
}

/// How a request is signed.
#[derive(Clone, Copy)]
struct Signing {
    issuer: &'static str,
    extensions: &'static str,
    copy: &'static str,
    subject: Option<&'static str>,
    validity: (&'static str, &'static str),
    digest: &'static str,
}

const RIGHT: Signing = Signing {
    issuer: "lower",
    extensions: "authorityKeyIdentifier=keyid\n",
    copy: "copy",
    subject: None,
    validity: ("20261101000000Z", "20271101000000Z"),
    digest: "sha256",
};

/// Signs one request as it is, or otherwise.
fn sign(built: &Built, office: &Office, leaf: &str, how: Signing) {
    let cnf = office
        .read("cnf")
        .replace("copy_extensions=copy\n", "")
        .replace("[here]\n", &format!("[here]\ncopy_extensions={}\n", how.copy));
    fs::write(office.path("sign.cnf"), cnf).unwrap();
    fs::write(office.path("ext"), how.extensions).unwrap();
    let to = built.path(&format!("issued/{leaf}.crt"));
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let request = built.path(&format!("csr/{leaf}.csr"));
    let (certificate, key) = (format!("{}.crt", how.issuer), format!("{}.key", how.issuer));
    let mut words =
        vec!["ca", "-batch", "-notext", "-config", "sign.cnf", "-md", how.digest, "-extfile", "ext"];
    words.extend(["-in", request.to_str().unwrap(), "-out", to.to_str().unwrap()]);
    words.extend(["-startdate", how.validity.0, "-enddate", how.validity.1]);
    words.extend(["-cert", &certificate, "-keyfile", &key]);
    if let Some(subject) = how.subject {
        words.extend(["-subj", subject]);
    }
    let _ = office.openssl(&words).expect_code(0);
}

/// `certs SPEC` shows what came from elsewhere as it is, and plans what did not come yet.
fn listed(built: &Built) {
    let spec = built.path("sealift.yaml");
    let list = || {
        let words = ["certs", spec.to_str().unwrap(), "--at", "2026-12-01T00:00:00Z", "--format", "json"];
        let ran = sealift(words).expect_code(0);
        let list: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let all = list["hosts"][0]["certificates"].as_array().unwrap();
        let ca = all.iter().find(|one| one["files"][0]["path"] == "/etc/kubernetes/pki/etcd/ca.crt").unwrap();
        let leaf = ca["issued"].as_array().unwrap().first().unwrap()["notAfter"].as_str().unwrap().to_owned();
        let words = [&ca["subject"], &ca["issuer"], &ca["key"]].map(|word| word.as_str().unwrap().to_owned());
        (words.join("; "), ca["usages"].clone(), ca["dnsNames"].clone(), leaf)
    };
    let names = "C=DE, O=Corp, CN=etcd; C=DE, O=Corp, OU=One, OU=Two, CN=Corporate; ECDSA P-384".to_owned();
    let (usages, none) = (serde_json::json!(["keyCertSign", "cRLSign"]), serde_json::json!([]));
    assert_eq!(list(), (names.clone(), usages.clone(), none.clone(), "2027-11-01T00:00:00Z".to_owned()));
    fs::rename(built.path("issued"), built.path("later")).unwrap();
    assert_eq!(list(), (names, usages, none, "2027-11-20T00:00:00Z".to_owned()));
    fs::rename(built.path("later"), built.path("issued")).unwrap();
}

#[test]
fn requests_go_out_and_certificates_come_in() {
    let Some(_) = need("openssl") else { return };
    let (built, office) = staged();
    let ran = csr(&built, &[]).expect_code(0);
    let expected = format!("written {}: 5 requests\n", built.path("csr").display());
    assert_eq!(ran.stdout, expected);
    let files = tree(&built.path("csr"));
    let names: Vec<_> =
        files.iter().filter(|(_, entry)| !entry.is_directory()).map(|(name, _)| name).collect();
    assert_eq!(names, WANTED.map(|leaf| format!("{leaf}.csr")).iter().collect::<Vec<_>>());
    // a second run replaces them by the same
    let _ = csr(&built, &[]).expect_code(0);
    assert_eq!(tree(&built.path("csr")), files);
    for leaf in WANTED {
        let request = built.path(&format!("csr/{leaf}.csr"));
        let words = ["req", "-in", request.to_str().unwrap(), "-noout", "-verify"];
        let verified = openssl(&office.directory, &words).expect_code(0);
        assert!((verified.stdout + &verified.stderr).contains("verify OK"));
        sign(&built, &office, leaf, RIGHT);
    }
    let request = built.path("csr/cp1/etcd-peer.csr");
    let words =
        ["req", "-in", request.to_str().unwrap(), "-noout", "-text", "-reqopt", "no_pubkey,no_sigdump"];
    let text = openssl(&office.directory, &words).expect_code(0).stdout;
    golden(&repository("tests/golden/etcd-peer.csr.txt"), &text);
    listed(&built);
    // the key is needed nowhere
    fs::remove_file(office.path("lower.key")).unwrap();
    let _ = built.build(&[]).expect_code(0);
    let out = support::contents(&built.out());
    let _ = built.build(&["--rebuild", "-j1"]).expect_code(0);
    assert_eq!(support::contents(&built.out()), out);
    judge(&built, &office);
    let names: Vec<_> =
        support::archive::members(&built.bundle("operator")).into_iter().map(|member| member.name).collect();
    assert!(names.iter().any(|name| name.contains("pki/ca.key")), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("etcd/ca.key")), "{names:?}");
    // and verify is content with what came in
    let bundle = built.bundle("cp1");
    let trust = built.out().join("trust");
    let words = ["verify", bundle.to_str().unwrap(), "--at", VALID_AT.0, "--trust", trust.to_str().unwrap()];
    let _ = sealift(words).expect_code(0);
}

/// What came in is served with its chain, and holds for those who know the root and for hosts.
fn judge(built: &Built, office: &Office) {
    let lower = office.read("lower.crt");
    for leaf in ["server", "peer", "healthcheck-client"] {
        let file =
            |name: &str| member(&built.bundle("cp1"), &format!("files/etc/kubernetes/pki/etcd/{name}.crt"));
        assert_eq!(file("ca").text(), lower);
        let issued = fs::read_to_string(built.path(&format!("issued/cp1/etcd-{leaf}.crt"))).unwrap();
        assert_eq!(file(leaf).text(), issued + &lower);
        fs::write(office.path("served"), file(leaf).text()).unwrap();
        for (anchor, partial) in [("lower.crt", true), ("root.crt", false)] {
            let time = VALID_AT.1.to_string();
            let mut words = vec!["verify", "-x509_strict", "-attime", &time, "-purpose", "sslclient"];
            words.extend(["-CAfile", anchor, "-untrusted", "served"]);
            words.extend(partial.then_some("-partial_chain"));
            words.push("served");
            assert_eq!(office.openssl(&words).stdout, "served: OK\n", "{leaf} {anchor}");
        }
    }
}

/// One way to be wrong: its name, and what is made of the right certificates.
type Case = (&'static str, fn(&Built, &Office));

const PEER: &str = "cp1/etcd-peer";
const CLIENT: &str = "operator/apiserver-etcd-client";

const CASES: &[Case] = &[
    ("nothing came back", |built, _| fs::remove_dir_all(built.path("issued")).unwrap()),
    ("the first of them came back", |built, _| {
        for leaf in WANTED.iter().skip(1) {
            fs::remove_file(built.path(&format!("issued/{leaf}.crt"))).unwrap();
        }
    }),
    ("one is missing, two are too many", |built, _| {
        fs::rename(built.path("issued/cp1/etcd-peer.crt"), built.path("issued/cp1/peer.crt")).unwrap();
        fs::write(built.path("issued/notes"), "").unwrap();
    }),
    ("not PEM", |built, _| fs::write(built.path("issued/cp1/etcd-peer.crt"), "no").unwrap()),
    ("two in a file", |built, office| {
        let file = built.path("issued/cp1/etcd-peer.crt");
        let text = fs::read_to_string(&file).unwrap() + &office.read("lower.crt");
        fs::write(file, text).unwrap();
    }),
    ("a directory", |built, _| {
        fs::remove_file(built.path("issued/cp1/etcd-peer.crt")).unwrap();
        fs::create_dir(built.path("issued/cp1/etcd-peer.crt")).unwrap();
    }),
    ("another group, another name", |built, office| {
        let subject = Some("/O=system:masters/CN=kube-apiserver-etcd-client");
        sign(built, office, CLIENT, Signing { subject, ..RIGHT });
        sign(built, office, PEER, Signing { subject: Some("/CN=cp1/CN=cp2"), ..RIGHT });
    }),
    ("nothing of what was asked", |built, office| {
        sign(built, office, PEER, Signing { copy: "none", ..RIGHT });
    }),
    ("a CA", |built, office| {
        sign(built, office, CLIENT, Signing { copy: "none", extensions: CA, ..RIGHT });
    }),
    ("more than was asked", |built, office| {
        let extensions = "keyUsage=digitalSignature,keyEncipherment,keyAgreement\n\
                          extendedKeyUsage=clientAuth,serverAuth,codeSigning,1.2.3\n\
                          subjectAltName=DNS:cp1,DNS:evil,email:a@b,IP:10.0.0.6\n1.2.3.4=critical,DER:0500\n";
        sign(built, office, CLIENT, Signing { copy: "none", extensions, ..RIGHT });
    }),
    ("signed by the root", |built, office| sign(built, office, PEER, Signing { issuer: "root", ..RIGHT })),
    ("signed by another of the same name", |built, office| {
        office
            .make(&Certificate { subject: "/C=DE/O=Corp/CN=etcd", ..Certificate::ca("twin", "P-384", None) });
        sign(built, office, PEER, Signing { issuer: "twin", ..RIGHT });
    }),
    ("signed with SHA-1", |built, office| sign(built, office, PEER, Signing { digest: "sha1", ..RIGHT })),
    ("valid at another time", |built, office| {
        let last = ("20251120000000Z", "20261120000000Z");
        sign(built, office, PEER, Signing { validity: last, ..RIGHT });
        let first = ("20261120000001Z", "20271120000000Z");
        sign(built, office, "cp1/etcd-server", Signing { validity: first, ..RIGHT });
        let long = ("20261120000000Z", "20490101000001Z");
        sign(built, office, CLIENT, Signing { validity: long, ..RIGHT });
    }),
    ("another's certificate", |built, _| {
        let (peer, server) = ("issued/cp1/etcd-peer.crt", "issued/cp1/etcd-server.crt");
        // both are for the same names and uses: only the keys differ
        let text = fs::read_to_string(built.path(server)).unwrap();
        fs::write(built.path(peer), text).unwrap();
    }),
];

#[test]
fn every_wrong_certificate() {
    let Some(_) = need("openssl") else { return };
    let mut out = String::new();
    let (right, office) = staged();
    let _ = csr(&right, &[]).expect_code(0);
    for leaf in WANTED {
        sign(&right, &office, leaf, RIGHT);
    }
    for (name, change) in CASES {
        let built = Built::staged(&(base() + EXTERNAL));
        for directory in ["corp", "csr", "issued"] {
            support::copy_tree(&right.path(directory), &built.path(directory));
        }
        let office = Office { directory: built.path("corp") };
        change(&built, &office);
        let ran = built.build(&[]);
        let path = built.path("sealift.yaml");
        let said = ran.stderr.replace(path.to_str().unwrap(), "sealift.yaml");
        let said: Vec<_> =
            said.split("\n\n").filter(|problem| !problem.contains("tolerates no failure")).collect();
        let _ = writeln!(out, "## {name}: exit {}\n{}\n", ran.code, said.join("\n\n").trim_end());
        assert!(!built.out().exists(), "{name}");
    }
    golden(&repository("tests/golden/external-errors.txt"), &out);
}

/// What `csr` itself refuses.
#[test]
fn requests_replace_requests_alone() {
    let Some(_) = need("openssl") else { return };
    let (built, _) = staged();
    let message = |foreign: &str| {
        format!(
            "error: {} holds {foreign}, which is no request of sealift\n\
             hint: the whole directory is replaced: name another one with -o, or move that file\n",
            built.path("csr").display()
        )
    };
    for (foreign, text) in
        [("notes", "x"), ("cp1/etcd-peer.crt", "x"), ("cp1/etcd-peer.csr", "x"), ("cp1/x.csr", BEGIN)]
    {
        let file = built.path("csr").join(foreign);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        let before = tree(&built.path("csr"));
        let ran = csr(&built, &[]).expect_code(2);
        assert!(ran.stderr.ends_with(&message(foreign)), "{}", ran.stderr);
        assert_eq!(tree(&built.path("csr")), before);
        fs::remove_dir_all(built.path("csr")).unwrap();
    }
    fs::write(built.path("sealift.yaml"), base()).unwrap();
    let ran = csr(&built, &[]).expect_code(2);
    let expected = format!(
        "error: {}: no external authority issues anything\nhint: write `external` at an authority in `pki.cas`\n",
        built.path("sealift.yaml").display()
    );
    assert!(ran.stderr.ends_with(&expected), "{}", ran.stderr);
    assert!(!built.path("csr").exists());
}

const BEGIN: &str = "-----BEGIN CERTIFICATE REQUEST-----\n";

/// In `stage`, the previous authority issues, and the new one is asked for nothing yet.
#[test]
fn only_the_one_that_issues_is_asked() {
    let Some(_) = need("openssl") else { return };
    let (built, _) = staged();
    let external = "external: {certificate: corp/file, issued: issued}";
    for (lines, requests) in [
        (format!("generation: 2, rotation: stage, previous: {{{external}}}"), 5),
        (format!("generation: 2, rotation: promote, previous: {{{external}}}"), 0),
        (format!("generation: 2, rotation: stage, previous: {{generation: 1}}, {external}"), 0),
        (format!("generation: 2, rotation: promote, previous: {{generation: 1}}, {external}"), 5),
        (format!("generation: 2, rotation: retire, {external}"), 5),
    ] {
        let text = format!("{}pki: {{cas: {{etcd: {{{lines}}}}}}}\n", base());
        fs::write(built.path("sealift.yaml"), text).unwrap();
        let ran = csr(&built, &[]);
        assert_eq!(
            ran.stdout.contains(&format!(": {requests} requests")),
            requests > 0,
            "{lines}\n{}",
            ran.stderr
        );
        let checked = sealift(["check", built.path("sealift.yaml").to_str().unwrap()]);
        let path = if lines.contains("stage") {
            "pki.cas.etcd.previous.external.issued"
        } else {
            "pki.cas.etcd.external.issued"
        };
        // without a directory there is one problem, where there is anything to ask for
        let missing = format!("error: {path}: issued: cannot be read: no such file or directory");
        assert_eq!(checked.stderr.matches(&missing).count(), usize::from(requests > 0), "{}", checked.stderr);
        assert_eq!(checked.code, if requests > 0 { 2 } else { 0 });
    }
}

/// One directory may hold what several authorities signed, as the requests come in one.
#[test]
fn authorities_share_a_directory() {
    let Some(_) = need("openssl") else { return };
    let (built, office) = staged();
    office.make(&Certificate { subject: "/CN=front", ..Certificate::ca("front", "P-256", None) });
    let external = |file| format!("{{external: {{certificate: corp/{file}, issued: issued}}}}");
    let (etcd, front) = (external("file"), external("front.crt"));
    let text = format!("{}pki: {{cas: {{etcd: {etcd}, front-proxy: {front}}}}}\n", base());
    fs::write(built.path("sealift.yaml"), text).unwrap();
    let _ = csr(&built, &[]).expect_code(0);
    for leaf in WANTED {
        sign(&built, &office, leaf, RIGHT);
    }
    sign(&built, &office, "cp1/front-proxy-client", Signing { issuer: "front", ..RIGHT });
    let _ = built.build(&[]).expect_code(0);
    fs::write(built.path("issued/cp1/apiserver.crt"), "").unwrap();
    let ran = built.build(&[]).expect_code(2);
    let message = "error: pki.cas.etcd.external.issued: issued/cp1/apiserver.crt was not asked for\n";
    assert!(ran.stderr.contains(message) && ran.stderr.ends_with(": 1 error\n"), "{}", ran.stderr);
    // while one of them cannot be read, nobody knows what is too much
    let text = fs::read_to_string(built.path("sealift.yaml")).unwrap();
    let broken = text.replace(
        "front-proxy: {external: {certificate: corp/front.crt",
        "front-proxy: {external: {certificate: no",
    );
    fs::write(built.path("sealift.yaml"), broken).unwrap();
    let ran = built.build(&[]).expect_code(2);
    let message =
        "error: pki.cas.front-proxy.external.certificate: no: cannot be read: no such file or directory\n";
    assert!(ran.stderr.contains(message) && ran.stderr.ends_with(": 1 error\n"), "{}", ran.stderr);
}
