//! Known answers, computed twice: by this library and by tests/vectors/independent.py, which knows
//! docs/formats.md and Python's standard library only. Both must say what docs/formats.md prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sealift::build::Inputs;
use sealift::bundle::sshsig;
use sealift::bundle::trust::public_key;
use sealift::derive::Cluster;
use sealift::derive::key::PrivateKey;
use sealift::derive::keyring::Keyring;
use sealift::derive::label::{Deriver, Label, Purpose};
use sealift::derive::seal::{Place, seal};
use sealift::plan::{Facts, HostPlan, Plan};
use sealift::render::templates::Templates;
use sealift::spec::types::Algorithm;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use support::opened::{machine, operator, unsealed};
use support::stacked;
use support::{need, repository, run, temporary};
use x509_parser::pem::parse_x509_pem;

const SERVER_KEY: &str = "/etc/kubernetes/pki/etcd/server.key";
const SERVER_CERTIFICATE: &str = "/etc/kubernetes/pki/etcd/server.crt";
const CA_CERTIFICATE: &str = "/etc/kubernetes/pki/etcd/ca.crt";

/// 00 01 … 1f.
fn seed() -> [u8; 32] {
    std::array::from_fn(|index| u8::try_from(index).unwrap())
}

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The example's plan, built from the vectors' seed instead of its own.
fn example() -> (Plan, Keyring) {
    let text = fs::read_to_string(repository("bundles/etcd-static-pods/sealift.yaml")).unwrap();
    let (plan, problems) = sealift::plan::plan(&sealift::spec::load(&text).spec, &Facts::default());
    assert_eq!(problems, []);
    let keyring = Keyring::read(Keyring::write(&plan.cluster.id, &seed()).as_bytes()).unwrap();
    (plan, keyring)
}

fn serial(pem: &str) -> String {
    let (_, block) = parse_x509_pem(pem.as_bytes()).unwrap();
    hex::encode(block.parse_x509().unwrap().raw_serial())
}

/// What independent.py needs to know: names, recipients, the texts of certificates.
fn input(plan: &Plan, keyring: &Keyring, cluster: &Cluster<'_>) -> Value {
    let templates = Templates::embedded();
    let all: Vec<&HostPlan> = plan.hosts.values().chain([&plan.operator]).collect();
    let inputs = Inputs::new(&plan.cluster, all, |number| keyring.seed_id(number), &templates).unwrap();
    let infra0 = plan.hosts.values().next().unwrap();
    let mut hosts = Map::new();
    let mut ca = String::new();
    for host in plan.hosts.values() {
        let public = cluster.host(host).unwrap().public;
        public.file(CA_CERTIFICATE).unwrap().clone_into(&mut ca);
        let recipients: Vec<String> = host.recipients.iter().map(ToString::to_string).collect();
        let certificate = public.file(SERVER_CERTIFICATE).unwrap();
        hosts.insert(host.name.clone(), json!({ "recipients": recipients, "certificate": certificate }));
    }
    json!({
        "seed": hex::encode(seed()),
        "cluster": plan.cluster.id,
        "ca": ca,
        "hosts": hosts,
        "inputs": {
            "sealift": env!("CARGO_PKG_VERSION"),
            "cluster": plan.cluster,
            "seeds": inputs.seeds(),
            "host": infra0,
        },
        "templates": templates.iter().collect::<BTreeMap<_, _>>(),
    })
}

/// The key that etcd's CA would have with another algorithm.
fn ca_key<const N: usize>(cluster: &str, algorithm: Algorithm) -> Value {
    let deriver = Deriver::new(&seed());
    let word = algorithm.label();
    let label = Label { cluster, row: "etcd-ca", algorithm: word, generation: "1", ..Label::default() };
    let key = PrivateKey::derived(algorithm, &deriver, &label).unwrap();
    json!({
        "bytes": hex::encode(*deriver.secret::<N>(Purpose::Key, &label)),
        "keyPemSha256": sha256(key.to_pem().unwrap().as_bytes()),
        "publicKeyPemSha256": sha256(key.public_pem().unwrap()),
        "signatureOfEmpty": hex::encode(key.sign(b"").unwrap()),
    })
}

/// The secrets of a cluster with a control plane, as they stand in its files.
fn shared_secrets() -> Value {
    let files = |pki: &str, at_rest: &str| {
        let tokens = "  bootstrapTokens: {join: {}, late: {generation: 3}}\n";
        let rest = format!(
            "pki: {{{pki}}}\nencryptionAtRest: {{{at_rest}}}\n\
             passwords: {{long: {{length: 64, generation: 2}}, vrrp: {{}}}}\n"
        );
        let text = stacked::spec("1.36.2", "kubeadm", tokens, &rest);
        let (plan, problems) = sealift::plan::plan(&sealift::spec::load(&text).spec, &Facts::default());
        assert_eq!(problems, []);
        let keyring = Keyring::read(Keyring::write(&plan.cluster.id, &seed()).as_bytes()).unwrap();
        let imported = sealift::imports::Material::default();
        let cluster = Cluster::new(&plan.cluster, &keyring, &imported).unwrap();
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        let cp1 = plan.hosts.values().next().unwrap();
        for (host, identity) in [(cp1, machine(0)), (&plan.operator, operator())] {
            let material = cluster.host(host).unwrap();
            for (path, sealed) in &material.sealed {
                files.insert(path.clone(), String::from_utf8(unsealed(&sealed.bytes, &identity)).unwrap());
            }
            let public = material.public.file("/etc/kubernetes/pki/sa.pub");
            files.extend(public.map(|text| ("sa.pub".to_owned(), text.to_owned())));
        }
        files
    };
    let at_rest = |settings: &str| {
        let config = files("", settings).remove("/etc/kubernetes/pki/encryption-config.yaml").unwrap();
        let key = config.split("secret: ").nth(1).unwrap().lines().next().unwrap();
        hex::encode(BASE64_STANDARD.decode(key).unwrap())
    };
    let account = |algorithm: &str| {
        let files = files(&format!("serviceAccount: {{algorithm: {algorithm}}}"), "provider: secretbox");
        json!({
            "keyPemSha256": sha256(&files["/etc/kubernetes/pki/sa.key"]),
            "publicKeyPemSha256": sha256(&files["sa.pub"]),
        })
    };
    let files = files("", "provider: secretbox");
    let token = |name: &str| {
        let text = &files["/etc/kubernetes/cluster/bootstrap-tokens.yaml"];
        let line = format!("# {name}: kubeadm join --token ");
        text.lines().find_map(|text| text.strip_prefix(&line)).unwrap().to_owned()
    };
    json!({
        "serviceAccountEcdsaP256": account("ecdsa-p256"),
        "serviceAccountEcdsaP384": account("ecdsa-p384"),
        "atRestSecretbox1": at_rest("provider: secretbox"),
        "atRestSecretbox2": at_rest("provider: secretbox, generation: 2"),
        "atRestAescbc1": at_rest("provider: aescbc"),
        "tokenJoin1": token("join"),
        "tokenLate3": token("late"),
        "passwordVrrp1": files["/etc/sealift/passwords/vrrp"],
        "passwordLong2": files["/etc/sealift/passwords/long"],
    })
}

/// The vectors by this library. Keys of purposes never leave it; what is derived from them does.
fn library(plan: &Plan, keyring: &Keyring, cluster: &Cluster<'_>) -> Value {
    let deriver = Deriver::new(&seed());
    let id = plan.cluster.id.as_str();
    let label = |row, host, algorithm, generation| Label {
        cluster: id,
        row,
        host,
        algorithm,
        generation,
        ..Label::default()
    };
    let ca_bytes = deriver.secret::<48>(Purpose::Key, &label("etcd-ca", "", "ecdsa-p256", "1"));
    let signing = deriver.secret::<32>(Purpose::Sign, &label("signing", "", "ed25519", "1"));
    let key = cluster.signer().key();
    let signature = sshsig::sign(key, "sealift-bundle", b"").unwrap();
    let templates = Templates::embedded();
    let all: Vec<&HostPlan> = plan.hosts.values().chain([&plan.operator]).collect();
    let inputs = Inputs::new(&plan.cluster, all, |number| keyring.seed_id(number), &templates).unwrap();
    let mut hosts = Map::new();
    let mut ca = Value::Null;
    for host in plan.hosts.values() {
        let material = cluster.host(host).unwrap();
        let verify =
            deriver.secret::<32>(Purpose::Hmac, &label("verify-key", &host.name, "hmac-sha256", "1"));
        let wide =
            deriver.secret::<48>(Purpose::Key, &label("etcd-server", &host.name, "ecdsa-p256", "1,1,1"));
        let key_label = label("etcd-server", &host.name, "ecdsa-p256", "1,1,1");
        let key = PrivateKey::derived(Algorithm::EcdsaP256, &deriver, &key_label).unwrap();
        let pem = key.to_pem().unwrap();
        let place = Place { cluster: id, host: &host.name, path: SERVER_KEY, generation: "1" };
        let sealed = &material.sealed[SERVER_KEY];
        assert_eq!(sealed.bytes, seal(&deriver, place, &host.recipients, pem.as_bytes()).unwrap());
        let text = String::from_utf8_lossy(&sealed.bytes);
        let header: Vec<&str> = text.lines().take_while(|line| !line.starts_with("---")).collect();
        let certificate = material.public.file(SERVER_CERTIFICATE).unwrap();
        let authority = material.public.file(CA_CERTIFICATE).unwrap();
        ca = json!({
            "bytes": hex::encode(*ca_bytes),
            "serial": serial(authority),
            "certificateSha256": sha256(authority),
        });
        hosts.insert(
            host.name.clone(),
            json!({
                "verifyKey": hex::encode(*verify),
                "serverKeyBytes": hex::encode(*wide),
                "serverKeyPemSha256": sha256(pem.as_bytes()),
                "serverKeyHmac": sealed.hmac,
                "serverKeySealedSha256": sha256(&sealed.bytes),
                "serverKeySealedHeader": header,
                "serverSerial": serial(certificate),
                "serverCertificateSha256": sha256(certificate),
            }),
        );
    }
    json!({
        "seedId": keyring.seed_id(1).unwrap(),
        "signing": {
            "secret": hex::encode(*signing),
            "public": public_key(&key.verifying_key().to_bytes()),
            "sshsigOfEmptySha256": sha256(signature),
        },
        "etcdCa": ca,
        "etcdCaEcdsaP384": ca_key::<72>(id, Algorithm::EcdsaP384),
        "etcdCaEd25519": ca_key::<32>(id, Algorithm::Ed25519),
        "secrets": shared_secrets(),
        "hosts": hosts,
        "inputs": inputs.of(plan.hosts.values().next().unwrap()).unwrap(),
    })
}

/// The JSON block of docs/formats.md that is marked as the vectors.
fn documented() -> Value {
    let text = fs::read_to_string(repository("docs/formats.md")).unwrap();
    let block = text.split("```json vectors\n").nth(1).expect("a block marked `json vectors`");
    serde_json::from_str(block.split("```").next().unwrap()).unwrap()
}

/// Keeps of `wide` what `narrow` has too: some inner values are in the documentation only.
fn narrowed(wide: &Value, narrow: &Value) -> Value {
    match (wide, narrow) {
        (Value::Object(wide), Value::Object(narrow)) => wide
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), narrowed(value, narrow.get(key)?))))
            .collect(),
        _ => wide.clone(),
    }
}

/// The digest of inputs changes with templates and version, so it is compared but not printed.
fn without_inputs(mut vectors: Value) -> Value {
    vectors.as_object_mut().unwrap().remove("inputs");
    vectors
}

#[test]
fn library_says_what_the_documentation_says() {
    let (plan, keyring) = example();
    let imported = sealift::imports::Material::default();
    let cluster = Cluster::new(&plan.cluster, &keyring, &imported).unwrap();
    let library = without_inputs(library(&plan, &keyring, &cluster));
    assert_eq!(narrowed(&documented(), &library), library);
}

#[test]
fn an_independent_implementation_agrees() {
    let Some(python) = need("python3") else { return };
    let (plan, keyring) = example();
    let imported = sealift::imports::Material::default();
    let cluster = Cluster::new(&plan.cluster, &keyring, &imported).unwrap();
    let directory = temporary();
    let path = directory.path().join("input.json");
    fs::write(&path, input(&plan, &keyring, &cluster).to_string()).unwrap();
    let script = repository("tests/vectors/independent.py");
    let ran = run(Command::new(python).arg("-I").arg(script).arg(&path)).expect_code(0);
    let independent: Value = serde_json::from_str(&ran.stdout).unwrap();
    let library = library(&plan, &keyring, &cluster);
    assert_eq!(narrowed(&independent, &library), library);
    assert_eq!(without_inputs(independent), documented());
}
