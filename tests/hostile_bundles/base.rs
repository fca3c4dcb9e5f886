//! The two bundles that vectors differ from in one thing, and the ways to differ.

use super::der::{Certificate, private};
use super::forge::{
    self, BUNDLE, CLUSTER, Entry, File, Signature, canonical, entries, gzip, manifest, signed, sums, tar,
};
use crate::support::opened::machine;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sealift::derive::label::Deriver;
use sealift::derive::seal::{Place, seal};
use sealift::verify_key::VerifyKey;
use serde_json::{Value, json};

pub(crate) const HOST: &str = "cp1";
pub(crate) const CA: &str = "/etc/kubernetes/pki/ca.crt";
pub(crate) const APISERVER: &str = "/etc/kubernetes/pki/apiserver.crt";
pub(crate) const CLIENT: &str = "/etc/kubernetes/pki/apiserver-kubelet-client.crt";
pub(crate) const KUBELET: &str = "/var/lib/kubelet/pki/kubelet.crt";
pub(crate) const KEY: &str = "/etc/kubernetes/pki/apiserver.key";
pub(crate) const ADMIN: &str = "/etc/kubernetes/admin.conf";
pub(crate) const POD: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";
pub(crate) const GATE: &str = "/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf";
pub(crate) const PATCH: &str = "/etc/kubernetes/patches/etcd+merge.json";
pub(crate) const CONFIG: &str = "/var/lib/kubelet/config.yaml";
const VERIFY_KEY: &str = "/etc/sealift/verify.key";

/// Seeds of keys: two authorities and what they issue.
pub(crate) const AUTHORITY: u8 = 20;
pub(crate) const OTHER_AUTHORITY: u8 = 21;
pub(crate) const SERVER_KEY: u8 = 30;

/// Two files without a meaning.
pub(crate) fn small() -> Vec<File> {
    vec![File::public("/etc/app/motd", "hello\n"), File::public("/etc/app/zero", "")]
}

/// A small archive whose entries are changed after signing.
pub(crate) fn form(change: impl FnOnce(&mut Vec<Entry>)) -> Vec<u8> {
    let mut all = good_entries(&canonical(&manifest(HOST, &small())));
    change(&mut all);
    gzip(&tar(&all))
}

fn good_entries(manifest: &str) -> Vec<Entry> {
    let entries = entries(manifest, &small());
    let sums = sums(&entries);
    let signature = BUNDLE.of(sums.as_bytes());
    signed(&sums, &signature, entries)
}

/// The entry of a file of a small archive.
pub(crate) fn of<'a>(entries: &'a mut [Entry], name: &str) -> &'a mut Entry {
    entries.iter_mut().find(|entry| entry.is(name)).unwrap()
}

/// The tar of the small bundle.
pub(crate) fn plain_tar() -> Vec<u8> {
    tar(&good_entries(&canonical(&manifest(HOST, &small()))))
}

/// Entries changed before signing: by the holder of the key.
pub(crate) fn owned(change: impl FnOnce(&mut Vec<Entry>)) -> Vec<u8> {
    let mut entries = entries(&canonical(&manifest(HOST, &small())), &small());
    change(&mut entries);
    let sums = sums(&entries);
    let signature = BUNDLE.of(sums.as_bytes());
    gzip(&tar(&signed(&sums, &signature, entries)))
}

/// SHA256SUMS in another form, signed.
pub(crate) fn listed(change: impl FnOnce(String) -> String) -> Vec<u8> {
    let entries = entries(&canonical(&manifest(HOST, &small())), &small());
    let sums = change(sums(&entries));
    let signature = BUNDLE.of(sums.as_bytes());
    gzip(&tar(&signed(&sums, &signature, entries)))
}

/// Another text in the place of the signature.
pub(crate) fn signed_as(signature: impl FnOnce(&str) -> String) -> Vec<u8> {
    let entries = entries(&canonical(&manifest(HOST, &small())), &small());
    let sums = sums(&entries);
    let signature = signature(&sums);
    gzip(&tar(&signed(&sums, &signature, entries)))
}

/// Another manifest, signed.
pub(crate) fn manifested(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut manifest = manifest(HOST, &small());
    change(&mut manifest);
    forge::bundle(&canonical(&manifest), &small(), &BUNDLE)
}

/// Another text in the place of the manifest, signed.
pub(crate) fn texted(change: impl FnOnce(String) -> String) -> Vec<u8> {
    forge::bundle(&change(canonical(&manifest(HOST, &small()))), &small(), &BUNDLE)
}

/// Other files, with a manifest of them.
pub(crate) fn filed(files: &[File]) -> Vec<u8> {
    forge::bundle(&canonical(&manifest(HOST, files)), files, &BUNDLE)
}

/// A file with its digest for the host's verify key, and sealed to the host.
pub(crate) fn sealed(path: &'static str, plaintext: &str) -> File {
    let key = VerifyKey::new([9; 32].into());
    let place = Place { cluster: CLUSTER, host: HOST, path, generation: "1" };
    let recipient = machine(0).to_public().to_string().parse().unwrap();
    let held = seal(&Deriver::new(&[1; 32]), place, &[recipient], plaintext.as_bytes()).unwrap();
    let hmac = Some(key.digest(path, plaintext.as_bytes()));
    File { path, mode: 0o600, held, hmac, more: json!({}) }
}

/// A file that stays checked in one field.
fn config(static_pods: &str) -> File {
    let contents = format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nstaticPodPath: {static_pods}\n"
    );
    let mut file = File::public(CONFIG, contents);
    let values = json!({"staticPodPath": "/etc/kubernetes/manifests"});
    file.more = json!({"policy": "initial", "fields": {"format": "kubelet-configuration", "values": values}});
    file
}

/// A configuration that differs in a field of the manifest.
pub(crate) fn moved_pods() -> File {
    config("/tmp/manifests")
}

pub(crate) fn authority() -> Certificate {
    Certificate::authority(AUTHORITY, "kubernetes")
}

/// The API server's certificate.
pub(crate) fn apiserver() -> Certificate {
    let mut leaf = authority().leaf(SERVER_KEY, "kube-apiserver");
    leaf.server = true;
    leaf.dns = vec![HOST, "kubernetes"];
    leaf.addresses = vec!["10.96.0.1", "10.0.0.11"];
    leaf
}

pub(crate) fn client() -> Certificate {
    Certificate { client: true, ..authority().leaf(31, "kube-apiserver-kubelet-client") }
}

pub(crate) fn kubelet() -> Certificate {
    let mut leaf = authority().leaf(32, "system:node:cp1");
    leaf.server = true;
    leaf.dns = vec![HOST];
    leaf.addresses = vec!["10.0.0.11", "fd00::11"];
    leaf
}

/// A kubeconfig that trusts this authority.
pub(crate) fn kubeconfig(authority: &Certificate) -> String {
    let data = |text: &str| BASE64_STANDARD.encode(text);
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: hostile\n  cluster:\n    server: https://10.0.0.11:6443\n    \
         certificate-authority-data: {}\nusers:\n- name: admin\n  user:\n    client-certificate-data: {}\n    \
         client-key-data: {}\ncontexts:\n- name: admin@hostile\n  context: {{cluster: hostile, user: admin}}\n\
         current-context: admin@hostile\n",
        data(&authority.pem()),
        data(&client().pem()),
        data(&private(31))
    )
}

/// Files of a control plane that work.
pub(crate) fn full() -> Vec<File> {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: kube-apiserver}\nspec:\n  containers:\n  - name: \
               kube-apiserver\n    command:\n    - kube-apiserver\n    - --advertise-address=10.0.0.11\n";
    let gate = "[Service]\nExecStartPre=/usr/local/bin/sealift verify --root / --tolerate 6\n";
    let mut key = sealed(KEY, &private(SERVER_KEY));
    key.more = json!({"certificate": APISERVER});
    let mut files = vec![
        sealed(ADMIN, &kubeconfig(&authority())),
        File::public(POD, pod),
        File::public(PATCH, "{}\n"),
        File::public(CLIENT, client().pem()),
        File::public(APISERVER, apiserver().pem()),
        key,
        File::public(CA, authority().pem()),
        sealed(VERIFY_KEY, &format!("{}\n", "09".repeat(32))),
        File::public(GATE, gate),
        config("/etc/kubernetes/manifests"),
        File::public(KUBELET, kubelet().pem()),
    ];
    files.sort_by_key(|file| file.path);
    files
}

/// The full bundle with another file in the place of one.
pub(crate) fn with(file: File) -> Vec<u8> {
    let mut files = full();
    let at = files.iter().position(|it| it.path == file.path).unwrap();
    files[at] = file;
    filed(&files)
}

/// The full bundle with other contents in a public file.
pub(crate) fn with_text(path: &'static str, contents: impl AsRef<[u8]>) -> Vec<u8> {
    let mut files = full();
    files.iter_mut().find(|it| it.path == path).unwrap().held = contents.as_ref().into();
    filed(&files)
}

/// The full bundle with another certificate.
pub(crate) fn certified(path: &'static str, certificate: &Certificate) -> Vec<u8> {
    with_text(path, certificate.pem())
}

/// The full bundle with the bytes of a sealed file changed; its digests fit.
pub(crate) fn resealed(path: &'static str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut files = full();
    change(&mut files.iter_mut().find(|it| it.path == path).unwrap().held);
    filed(&files)
}

/// A bundle of one host for a directory of them.
pub(crate) fn one_of(host: &str, change: impl FnOnce(&mut Value)) -> (Value, Vec<u8>) {
    let mut manifest = manifest(host, &small());
    change(&mut manifest);
    let bytes = forge::bundle(&canonical(&manifest), &small(), &BUNDLE);
    (manifest, bytes)
}

/// An output directory: files by name.
pub(crate) type Output = std::collections::BTreeMap<String, Vec<u8>>;

/// The index of bundles, and the directory of both.
pub(crate) fn output(
    bundles: &[(Value, Vec<u8>)],
    index: impl FnOnce(&mut Value),
    lines: impl FnOnce(String) -> String,
    signature: &Signature,
) -> Output {
    let name = |manifest: &Value| manifest["host"]["name"].as_str().unwrap().to_owned();
    let file = |manifest: &Value| format!("{}.tar.gz", name(manifest));
    let row = |(manifest, bytes): &(Value, Vec<u8>)| {
        json!({
            "host": name(manifest),
            "file": file(manifest),
            "sha256": forge::sha256(bytes),
            "revision": manifest["revision"],
            "inputs": manifest["inputs"],
        })
    };
    let mut value = json!({
        "format": 1,
        "cluster": {"id": CLUSTER, "name": "hostile"},
        "seeds": {"1": "0".repeat(32)},
        "clusterDigest": forge::sha256(b"hostile"),
        "sealift": "0.1.0",
        "bundles": bundles.iter().map(row).collect::<Vec<_>>(),
    });
    index(&mut value);
    let text = canonical(&value);
    let mut sums: Vec<(String, String)> = value["bundles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["file"].as_str().unwrap().to_owned(), row["sha256"].as_str().unwrap().to_owned()))
        .collect();
    sums.push(("index.json".to_owned(), forge::sha256(text.as_bytes())));
    sums.sort();
    let sums = lines(sums.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect());
    let mut files = Output::from([
        ("index.json".to_owned(), text.into_bytes()),
        ("SHA256SUMS.sig".to_owned(), signature.of(sums.as_bytes()).into_bytes()),
        ("SHA256SUMS".to_owned(), sums.into_bytes()),
    ]);
    files.extend(bundles.iter().map(|(manifest, bytes)| (file(manifest), bytes.clone())));
    files
}
