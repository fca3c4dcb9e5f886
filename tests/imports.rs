//! Authorities that openssl made: imported with their keys, and judged by openssl and rustls.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use sealift::unseal::Identities;
use std::fs;
use std::path::Path;
use std::time::Duration;
use support::archive::{member, members};
use support::example::{Built, VALID_AT, replaced, test_only};
use support::openssl::{CA, Certificate, Office, openssl};
use support::{Ran, need, repository};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

const PKI: &str = "files/etc/kubernetes/pki";

/// The spec of a small cluster with these lines in `pki`.
fn spec(pki: &str) -> String {
    let text = fs::read_to_string(repository("tests/data/imports/sealift.yaml")).unwrap();
    format!("{text}pki:\n{pki}")
}

fn office(built: &Built) -> Office {
    Office::new(built.path("corp"))
}

/// The uses of authorities, and the file that each is trusted by.
const USES: [(&str, &str); 3] =
    [("kubernetes", "ca"), ("front-proxy", "front-proxy-ca"), ("etcd", "etcd/ca")];

/// An authority for each use that signed itself: `USE-own.crt` and `.key`.
fn own(office: &Office, key: &str) {
    let digest = if key == "ed25519" { "" } else { "sha256" };
    for (usage, _) in USES {
        office.make(&Certificate { digest, ..Certificate::ca(&format!("{usage}-own"), key, None) });
    }
}

/// A root, an intermediate below it, and below that one for each use and a sibling of those;
/// `USE-both.crt` has two.
fn corporate(office: &Office, root: &str, key: &str) {
    office.make(&Certificate::ca("root", root, None));
    let subject = "/C=DE/O=Corp/OU=One/OU=Two/CN=Upper";
    office.make(&Certificate { subject, ..Certificate::ca("upper", "P-384", Some("root")) });
    let extensions = format!("{CA}authorityKeyIdentifier=keyid\n").replace("CA:TRUE", "CA:TRUE,pathlen:0");
    let lower = Certificate { extensions: &extensions, ..Certificate::ca("lower", key, Some("upper")) };
    for (usage, _) in USES {
        let subject = format!("/C=DE/O=Corp/OU=One/OU=Two/CN={usage}");
        office.make(&Certificate { name: &format!("{usage}-lower"), subject: &subject, ..lower.clone() });
    }
    office.make(&Certificate { name: "sibling", subject: "/O=Corp/CN=Mail", ..lower });
    join(office, &["lower.crt", "upper.crt"], "both.crt");
}

/// [`Office::join`] for each use.
fn join(office: &Office, names: &[&str], to: &str) {
    for (usage, _) in USES {
        let names: Vec<_> = names.iter().map(|name| of(office, usage, name)).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        office.join(&names, &format!("{usage}-{to}"));
    }
}

/// The file of a use, or that of all.
fn of(office: &Office, usage: &str, name: &str) -> String {
    let own = format!("{usage}-{name}");
    if office.path(&own).exists() { own } else { name.to_owned() }
}

/// An authority imported for each use.
fn imported(certificate: &str, key: &str) -> String {
    let lines = USES.map(|(usage, _)| {
        format!(
            "    {usage}: {{import: {{certificate: corp/{usage}-{certificate}, key: corp/{usage}-{key}}}}}\n"
        )
    });
    format!("  cas:\n{}", lines.concat())
}

/// The leaves on the control plane with their trust files, and what they are for.
const LEAVES: [(&str, &str, &str); 8] = [
    ("apiserver", "ca", "sslserver"),
    ("apiserver-kubelet-client", "ca", "sslclient"),
    ("front-proxy-client", "front-proxy-ca", "sslclient"),
    ("apiserver-etcd-client", "etcd/ca", "sslclient"),
    ("etcd/server", "etcd/ca", "sslserver"),
    ("etcd/server", "etcd/ca", "sslclient"),
    ("etcd/peer", "etcd/ca", "sslclient"),
    ("etcd/healthcheck-client", "etcd/ca", "sslclient"),
];

/// The text of a public file in a bundle.
fn file(built: &Built, host: &str, name: &str) -> String {
    member(&built.bundle(host), &format!("{PKI}/{name}")).text().to_owned()
}

fn blocks(pem: &str) -> usize {
    pem.matches("-----BEGIN CERTIFICATE-----").count()
}

/// openssl's verdict on the first certificate of a file: who verifies has `anchors` alone and gets the
/// whole file.
fn judged(directory: &Path, anchors: &str, partial: bool, served: &str, purpose: &str) -> Ran {
    fs::write(directory.join("anchors"), anchors).unwrap();
    fs::write(directory.join("served"), served).unwrap();
    let time = VALID_AT.1.to_string();
    let mut words = vec!["verify", "-x509_strict", "-attime", &time, "-purpose", purpose, "-no-CApath"];
    words.extend(["-CAfile", "anchors", "-untrusted", "served"]);
    if partial {
        words.push("-partial_chain");
    }
    words.push("served");
    openssl(directory, &words)
}

/// rustls' verdict on a client that sends what it has; every certificate of `anchors` is one.
fn accepted(anchors: &str, served: &str) -> bool {
    let anchors: Vec<_> =
        CertificateDer::pem_slice_iter(anchors.as_bytes()).collect::<Result<_, _>>().unwrap();
    let anchors: Vec<_> = anchors.iter().map(|anchor| anchor_from_trusted_cert(anchor).unwrap()).collect();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(served.as_bytes()).collect::<Result<_, _>>().unwrap();
    let (leaf, above) = chain.split_first().unwrap();
    let leaf = EndEntityCert::try_from(leaf).unwrap();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(VALID_AT.1));
    let client = KeyUsage::client_auth();
    leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, above, time, client, None, None).is_ok()
}

/// What an import must look like on hosts, whatever its algorithm.
#[track_caller]
fn holds(built: &Built, office: &Office, trusted: &str, served: &[&str], root: &str) {
    let work = &built.path("work");
    fs::create_dir_all(work).unwrap();
    for (leaf, ca, purpose) in LEAVES {
        let (usage, _) = USES.into_iter().find(|(_, file)| *file == ca).unwrap();
        let read = |name: &str| office.read(&of(office, usage, name));
        let chain: String = served.iter().map(|name| read(name)).collect();
        let anchors = file(built, "cp1", &format!("{ca}.crt"));
        assert_eq!(anchors, read(trusted), "{ca}.crt");
        let leaf = file(built, "cp1", &format!("{leaf}.crt"));
        assert!(leaf.ends_with(&chain), "{leaf}");
        assert_eq!(blocks(&leaf), 1 + served.len());
        let partial = !served.is_empty();
        for ran in [
            judged(work, &anchors, partial, &leaf, purpose),
            judged(work, &read(root), false, &leaf, purpose),
        ] {
            assert_eq!((ran.code, ran.stdout.as_str()), (0, "served: OK\n"), "{}", ran.stderr);
        }
    }
    assert!(accepted(&office.read(&of(office, "etcd", trusted)), &file(built, "cp1", "etcd/peer.crt")));
    // every sealed key is its certificate's, the authority's among them
    let [bundle, trust, identity] =
        [built.bundle("operator"), built.out().join("trust"), test_only("operator.key")]
            .map(|path| path.to_str().unwrap().to_owned());
    let words = ["verify", &bundle, "--trust", &trust, "-i", &identity, "--at", VALID_AT.0];
    let _ = support::sealift(words).expect_code(0);
}

#[test]
fn an_authority_of_every_algorithm_that_signed_itself() {
    let Some(_) = need("openssl") else { return };
    for key in ["rsa:2048", "rsa:4096", "P-256", "P-384", "ed25519"] {
        let built = Built::staged(&spec(&imported("own.crt", "own.key")));
        let office = office(&built);
        own(&office, key);
        let _ = built.build(&[]).expect_code(0);
        holds(&built, &office, "own.crt", &[], "own.crt");
    }
}

#[test]
fn an_intermediate_of_every_algorithm_under_a_root() {
    let Some(_) = need("openssl") else { return };
    for (root, key) in
        [("rsa:4096", "rsa:2048"), ("rsa:2048", "rsa:3072"), ("P-384", "P-256"), ("P-256", "P-384")]
    {
        let built = Built::staged(&spec(&imported("both.crt", "lower.key")));
        let office = office(&built);
        corporate(&office, root, key);
        let _ = built.build(&[]).expect_code(0);
        holds(&built, &office, "lower.crt", &["lower.crt", "upper.crt"], "root.crt");
        // with the root in the file, nothing changes on hosts: it is neither trusted nor served
        join(&office, &["both.crt", "root.crt"], "both.crt");
        let _ = built.build(&[]).expect_code(0);
        holds(&built, &office, "lower.crt", &["lower.crt", "upper.crt"], "root.crt");
    }
}

/// The issuer's name is the authority's subject byte by byte, with kinds of strings and fields that
/// sealift itself never writes; and the key identifiers meet.
#[test]
fn names_and_key_identifiers_are_the_authoritys() {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let Some(_) = need("openssl") else { return };
    let built = Built::staged(&spec(&imported("own.crt", "own.key")));
    let office = office(&built);
    own(&office, "rsa:2048");
    let _ = built.build(&[]).expect_code(0);
    let [own, leaf] = [office.read("etcd-own.crt"), file(&built, "cp1", "etcd/peer.crt")]
        .map(|text| CertificateDer::from_pem_slice(text.as_bytes()).unwrap());
    let [own, leaf] = [&own, &leaf].map(|der| X509Certificate::from_der(der).unwrap().1);
    assert_eq!(leaf.issuer().as_raw(), own.subject().as_raw());
    let printable = b"\x06\x03\x55\x04\x0b\x13\x03Two";
    assert!(own.subject().as_raw().windows(printable.len()).any(|bytes| bytes == printable));
    let text = built.path("leaf.crt");
    fs::write(&text, file(&built, "cp1", "etcd/peer.crt")).unwrap();
    let extension = |file: &Path, name: &str| {
        let words = ["x509", "-in", file.to_str().unwrap(), "-noout", "-ext", name];
        let said = office.openssl(&words).expect_code(0).stdout;
        said.lines().nth(1).unwrap().trim().trim_start_matches("keyid:").to_owned()
    };
    assert_eq!(
        extension(&text, "authorityKeyIdentifier"),
        extension(&office.path("etcd-own.crt"), "subjectKeyIdentifier")
    );
}

/// The certificate of a client in the group that may do everything, as somebody else may have it.
fn masters(office: &Office, name: &str, issuer: &str) {
    let extensions = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
                      extendedKeyUsage=clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
    let subject = "/O=system:masters/CN=kubernetes-admin";
    office.make(&Certificate { subject, extensions, ..Certificate::ca(name, "P-256", Some(issuer)) });
}

/// What hosts trust is the intermediate of the use alone: who has another certificate of the company is
/// nobody, and so is who has one for another use.
#[test]
fn other_certificates_of_the_company_mean_nothing() {
    let Some(_) = need("openssl") else { return };
    let built = Built::staged(&spec(&imported("all.crt", "lower.key")));
    let office = office(&built);
    corporate(&office, "P-256", "P-256");
    join(&office, &["both.crt", "root.crt"], "all.crt");
    for issuer in ["root", "upper", "sibling"] {
        masters(&office, &format!("by-{issuer}"), issuer);
    }
    office.join(&["by-sibling.crt", "sibling.crt", "upper.crt", "root.crt"], "by-sibling.pem");
    office.join(&["by-upper.crt", "upper.crt", "root.crt"], "by-upper.pem");
    office.join(&["by-root.crt", "root.crt"], "by-root.pem");
    let _ = built.build(&[]).expect_code(0);
    let work = built.path("work");
    fs::create_dir_all(&work).unwrap();
    let kubeconfig = kubeconfig(&built, "super-admin.conf");
    let data = embedded(&kubeconfig, "certificate-authority-data");
    let files = USES.map(|(usage, ca)| (usage, file(&built, "cp1", &format!("{ca}.crt"))));
    let ours = embedded(&kubeconfig, "client-certificate-data");
    assert_eq!(blocks(&ours), 3, "{ours}");
    for (usage, anchors) in files.iter().chain([&("kubernetes", data)]) {
        assert_eq!(*anchors, office.read(&format!("{usage}-lower.crt")));
        let refused = |intruder: &str| {
            // a certificate of the company, no doubt
            let _ = judged(&work, &office.read("root.crt"), false, intruder, "sslclient").expect_code(0);
            let ran = judged(&work, anchors, true, intruder, "sslclient");
            assert_eq!(ran.code, 2, "{}", ran.stdout);
            assert!(ran.stderr.contains("verification failed"), "{}", ran.stderr);
            assert!(accepted(&office.read("root.crt"), intruder) && !accepted(anchors, intruder));
        };
        for intruder in ["by-root.pem", "by-upper.pem", "by-sibling.pem"] {
            refused(&office.read(intruder));
        }
        if *usage == "kubernetes" {
            let _ = judged(&work, anchors, true, &ours, "sslclient").expect_code(0);
            assert!(accepted(anchors, &ours));
        } else {
            refused(&ours);
        }
    }
}

/// A kubeconfig of the operators' bundle, opened.
fn kubeconfig(built: &Built, name: &str) -> String {
    let identity = fs::read(test_only("operator.key")).unwrap();
    let identity = Identities::parse("operator.key", &identity).unwrap();
    let files = members(&built.bundle("operator"));
    let name = format!("/{name}");
    let wanted = |found: &str| found.contains(&name);
    let file = files
        .iter()
        .find(|file| wanted(&file.name))
        .unwrap_or_else(|| panic!("{:?}", files.iter().map(|file| &file.name).collect::<Vec<_>>()));
    String::from_utf8(identity.open(&file.contents).unwrap().to_vec()).unwrap()
}

/// A text in base64 in a kubeconfig.
fn embedded(kubeconfig: &str, field: &str) -> String {
    use base64::Engine;
    let line = kubeconfig.lines().find_map(|line| line.trim().strip_prefix(&format!("{field}: "))).unwrap();
    let bytes = base64::prelude::BASE64_STANDARD.decode(line.trim_matches('"')).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The same bytes again, on one thread and on many; another certificate is another input.
#[test]
fn a_build_depends_on_the_import_and_on_nothing_else() {
    let Some(_) = need("openssl") else { return };
    let built = Built::staged(&spec(&imported("both.crt", "lower.key")));
    let office = office(&built);
    corporate(&office, "P-256", "rsa:2048");
    let outputs = ["1", "2", "8"].map(|jobs| {
        let _ = built.build(&["--rebuild", "-j", jobs]).expect_code(0);
        support::contents(&built.out())
    });
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[0], outputs[2]);
    let inputs = |built: &Built| {
        let manifest: serde_json::Value =
            serde_json::from_slice(&member(&built.bundle("cp1"), "manifest.json").contents).unwrap();
        manifest["inputs"].as_str().unwrap().to_owned()
    };
    let before = inputs(&built);
    let previous = built.path("previous");
    support::copy_tree(&built.out(), &previous);
    // the upper one, renewed with its old key
    let upper = Certificate {
        subject: "/C=DE/O=Corp/OU=One/OU=Two/CN=Upper",
        ..Certificate::ca("upper", "P-384", Some("root"))
    };
    office.sign(&upper, "upper.csr", "upper.crt");
    join(&office, &["lower.crt", "upper.crt"], "both.crt");
    let words = ["check", built.path("sealift.yaml").to_str().unwrap(), "--previous"].map(str::to_owned);
    let words = words.into_iter().chain([previous.to_str().unwrap().to_owned()]);
    let said = support::sealift(words).expect_code(0).stdout;
    let worker = said.split("w1: ").nth(1).unwrap().split("operator: ").next().unwrap();
    assert_eq!(
        worker,
        "changed\n  ~ /etc/kubernetes/kubelet.conf\n  \
         ~ /var/lib/kubelet/pki/kubelet.crt\n  restart: kubelet\n",
        "{said}"
    );
    let _ = built.build(&[]).expect_code(0);
    assert_ne!(inputs(&built), before);
    assert_ne!(support::contents(&built.out()), outputs[0]);
}

/// From an imported authority to a derived one and the other way, step by step.
#[test]
fn rotations() {
    let Some(_) = need("openssl") else { return };
    let import = "import: {certificate: corp/kubernetes-both.crt, key: corp/kubernetes-lower.key}";
    let there = format!("{{generation: 2, ROTATION, previous: {{{import}}}}}");
    let back = format!("{{{import}, generation: 2, ROTATION, previous: {{generation: 1}}}}");
    let built = Built::staged(&spec("  generation: 1\n"));
    let office = office(&built);
    corporate(&office, "P-256", "P-384");
    let lower = office.read("kubernetes-lower.crt");
    let chain = lower.clone() + &office.read("upper.crt");
    for (settings, old) in [(there, true), (back, false)] {
        let mut seen = Vec::new();
        for step in ["stage", "promote", "retire"] {
            let step = settings.replace("ROTATION", &format!("rotation: {step}"));
            let files = public_files(&built, &spec(&format!("  cas: {{kubernetes: {step}}}\n")));
            let (trust, leaf) =
                (files("/etc/kubernetes/pki/ca.crt"), files("/etc/kubernetes/pki/apiserver.crt"));
            // first the one that issues
            let by_import = leaf.ends_with(&chain);
            assert_eq!(blocks(&leaf), if by_import { 3 } else { 1 });
            assert_eq!(trust.starts_with(&lower), by_import);
            let _ = judged(&built.path("corp"), &trust, true, &leaf, "sslserver").expect_code(0);
            seen.push((by_import, blocks(&trust), trust.contains(&lower)));
        }
        assert_eq!(seen, [(old, 2, true), (!old, 2, true), (!old, 1, !old)]);
    }
}

/// The public files of the control plane, by the library alone.
fn public_files(built: &Built, text: &str) -> impl Fn(&str) -> String + use<> {
    use sealift::imports::{Files, Imports, KeyFile, sources};
    let loaded = sealift::spec::load(text);
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    let files = sources(&loaded.spec).into_iter().map(|source| {
        let key = fs::read(built.path(source.key.unwrap())).unwrap();
        let certificate = Ok(fs::read(built.path(source.certificate)).unwrap());
        (source, Files { certificate, key: Some(KeyFile::Open(key.into())), issued: None })
    });
    let (imports, problems) = Imports::read(files.collect(), loaded.spec.cluster.epoch.unix());
    assert_eq!(problems, []);
    let (plan, problems) = sealift::plan::plan(&loaded.spec, imports.facts());
    assert_eq!(problems, []);
    let identity = fs::read(test_only("operator.key")).unwrap();
    let identity = Identities::parse("operator.key", &identity).unwrap();
    let keyring = identity.open(&fs::read(test_only("seed.age")).unwrap()).unwrap();
    let keyring = sealift::derive::keyring::Keyring::read(&keyring).unwrap();
    let cluster = sealift::derive::Cluster::new(&plan.cluster, &keyring, imports.material()).unwrap();
    let public = cluster.host(&plan.hosts[&"cp1".parse().unwrap()]).unwrap().public;
    move |path| public.file(path).unwrap().to_owned()
}

/// A key that is encrypted to an operator.
#[test]
fn an_encrypted_key() {
    let Some(_) = need("openssl") else { return };
    let built = Built::staged(&spec(&imported("own.crt", "own.key.age")));
    let office = office(&built);
    own(&office, "P-256");
    let seal = |recipient: &str| {
        let recipient: age::x25519::Recipient = recipient.parse().unwrap();
        for (usage, _) in USES {
            let key = office.path(&format!("{usage}-own.key"));
            let sealed = age::encrypt(&recipient, &fs::read(&key).unwrap()).unwrap();
            fs::write(key.with_extension("key.age"), sealed).unwrap();
        }
    };
    seal("age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl");
    let _ = built.build(&[]).expect_code(0);
    let sealed = support::contents(&built.out());
    // `check` needs no identity
    let _ = support::sealift(["check", built.path("sealift.yaml").to_str().unwrap()]).expect_code(0);
    let _ = built.build(&["--rebuild", "-i", test_only("infra0.age.key").to_str().unwrap()]).expect_code(0);
    assert_eq!(support::contents(&built.out()), sealed);
    fs::write(built.path("sealift.yaml"), spec(&imported("own.crt", "own.key"))).unwrap();
    let _ = built.build(&["--rebuild"]).expect_code(0);
    assert_eq!(support::contents(&built.out()), sealed, "encrypted or not, it is one key");
    fs::write(built.path("sealift.yaml"), spec(&imported("own.crt", "own.key.age"))).unwrap();

    let words = [built.path("sealift.yaml"), "--seed".into(), built.path("test-only/seed.age")];
    let words = ["build".into()].into_iter().chain(words).chain(["-o".into(), built.out()]);
    let ran = support::sealift(words).expect_code(2);
    let path = built.path("test-only/seed.age");
    let expected = format!(
        "error: {} is encrypted and no identity was given\nhint: name an operator's identity file: -i operator.key\n",
        path.display()
    );
    assert!(ran.stderr.ends_with(&expected), "{}", ran.stderr);

    seal("age1ccl4fap4sn570398ey640unurgs94r70awermwklmuqqp95e35fsshyp05");
    let ran = built.build(&[]).expect_code(2);
    let hint =
        "hint: encrypt it to an operator with age, and name that operator's identity file: -i operator.key\n";
    let message = "pki.cas.etcd.import.key: corp/etcd-own.key.age: none of the identities opens it\n";
    assert!(ran.stderr.contains(message) && ran.stderr.contains(hint), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("sealift.yaml: 3 errors\n"), "{}", ran.stderr);
    assert_eq!(support::contents(&built.out()), sealed, "nothing was replaced");
}

/// `replaced` finds what it replaces: the example's text is the one that is tested.
#[test]
fn the_cluster_of_these_tests_has_every_certificate() {
    let text = replaced(&spec(""), "pki:\n", "");
    let built = Built::of(&text);
    for (leaf, ca, _) in LEAVES {
        assert_eq!(blocks(&file(&built, "cp1", &format!("{leaf}.crt"))), 1);
        assert_eq!(blocks(&file(&built, "cp1", &format!("{ca}.crt"))), 1);
    }
}

proptest::proptest! {
    /// Whatever files hold: a verdict, and no panic.
    #[test]
    fn any_bytes(bytes: Vec<u8>, at: proptest::sample::Index, bit in 0..8) {
        use sealift::imports::{Files, Imports, KeyFile, sources};
        let text = spec("  cas: {etcd: {import: {certificate: a, key: b}}}\n");
        let loaded = sealift::spec::load(&text);
        let good = CertificateDer::from_pem_slice(include_bytes!("data/imports/ca.crt")).unwrap();
        let mut damaged = good.to_vec();
        let at = at.index(damaged.len());
        damaged[at] ^= 1_u8 << bit;
        for contents in [&bytes, &damaged] {
            use base64::Engine;
            let text = base64::prelude::BASE64_STANDARD.encode(contents);
            let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
            for certificate in [contents.clone(), pem.into_bytes()] {
                let key = Some(KeyFile::Open(include_bytes!("data/imports/ca.key").to_vec().into()));
                let source = sources(&loaded.spec).remove(0);
                let files = Files { certificate: Ok(certificate), key, issued: None };
                let (_, problems) = Imports::read(vec![(source, files)], loaded.spec.cluster.epoch.unix());
                proptest::prop_assert!(!problems.is_empty() || contents == &damaged);
            }
        }
    }
}
