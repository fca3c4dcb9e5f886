//! For tests: kubeconfigs, and what is expected of them.

use crate::bundle::manifest::Fields;
use crate::bundle::sums::sha256_hex;
use crate::host::testkit::{CERT, OTHER_CERT};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A certificate for `O=system:nodes, CN=system:node:infra0`.
pub(crate) const NODE_CERT: &str = include_str!("../testdata/test-only-node.crt");
/// A certificate whose common name looks like a common name and an organization.
pub(crate) const COMMA_CERT: &str = include_str!("../testdata/test-only-comma.crt");
pub(crate) const SERVER: &str = "https://api.example:6443";
/// The cluster's authority in these tests, and another.
pub(crate) const CA: &str = CERT;
pub(crate) const OTHER_CA: &str = OTHER_CERT;
pub(crate) const NODE: &str = "O=system:nodes, CN=system:node:infra0";
/// What the kubelet writes when it has a certificate of its own.
pub(crate) const CURRENT: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";

pub(crate) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// A kubeconfig as kubeadm writes it; `user` holds the members of its user.
pub(crate) fn kubeconfig(server: &str, ca: &str, user: &str) -> String {
    let ca = base64(ca);
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n    server: {server}\n  \
         name: prod\ncontexts:\n- context:\n    cluster: prod\n    user: node\n  name: node@prod\n\
         current-context: node@prod\nkind: Config\nusers:\n- name: node\n  user:\n    {user}\n"
    )
}

/// As the bundle holds it: certificate and key embedded.
pub(crate) fn placed(server: &str, ca: &str) -> String {
    let (cert, key) = (base64(NODE_CERT), base64("key"));
    kubeconfig(server, ca, &format!("client-certificate-data: {cert}\n    client-key-data: {key}"))
}

/// As the kubelet writes it.
pub(crate) fn rewritten(server: &str, ca: &str) -> String {
    kubeconfig(server, ca, &format!("client-certificate: {CURRENT}\n    client-key: {CURRENT}"))
}

/// The digest of an authority as the fields have it.
pub(crate) fn digest(ca: &str) -> String {
    format!("sha256:{}", sha256_hex(ca.as_bytes()))
}

pub(crate) fn fields_of(format: &str, values: &[(&str, &str)]) -> Fields {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Fields { format: format.to_owned(), values: values.collect() }
}

/// All fields of a kubeconfig.
pub(crate) fn expected(server: &str, ca: &str) -> Fields {
    let ca = digest(ca);
    fields_of("kubeconfig", &[("server", server), ("certificateAuthority", &ca), ("subject", NODE)])
}
