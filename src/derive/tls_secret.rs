//! A Secret of Kubernetes with a certificate, its key and the authorities that it is checked against.

use crate::spec::yaml::scalar;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

/// One of type `kubernetes.io/tls`.
pub(super) struct TlsSecret<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its namespace.
    pub(super) namespace: &'a str,
    /// The etcd that it belongs to.
    pub(super) instance: &'a str,
    /// Certificates of authorities, in PEM.
    pub(super) authorities: &'a str,
    /// The certificate, in PEM.
    pub(super) certificate: &'a str,
    /// Its private key, in PEM.
    pub(super) key: &'a str,
}

impl TlsSecret<'_> {
    /// The object, in text alone, so that no copy of the key stays in memory.
    pub(super) fn write(&self) -> Zeroizing<String> {
        let (authorities, certificate) =
            (BASE64_STANDARD.encode(self.authorities), BASE64_STANDARD.encode(self.certificate));
        let key = Zeroizing::new(BASE64_STANDARD.encode(self.key));
        let mut text =
            Zeroizing::new(String::with_capacity(authorities.len() + certificate.len() + key.len() + 1024));
        text.extend([
            "apiVersion: v1\ndata:\n  ca.crt: ",
            &authorities,
            "\n  tls.crt: ",
            &certificate,
            "\n  tls.key: ",
            &key,
            "\nkind: Secret\nmetadata:\n  labels:\n    app.kubernetes.io/instance: ",
            &scalar(self.instance),
            "\n    app.kubernetes.io/name: etcd\n  name: ",
            &scalar(self.name),
            "\n  namespace: ",
            &scalar(self.namespace),
            "\ntype: kubernetes.io/tls\n",
        ]);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::TlsSecret;

    #[test]
    fn as_a_cluster_takes_it() {
        let secret = TlsSecret {
            name: "etcd-server-tls",
            namespace: "on",
            instance: "etcd",
            authorities: "ca",
            certificate: "crt",
            key: "key",
        };
        let expected = r#"apiVersion: v1
data:
  ca.crt: Y2E=
  tls.crt: Y3J0
  tls.key: a2V5
kind: Secret
metadata:
  labels:
    app.kubernetes.io/instance: etcd
    app.kubernetes.io/name: etcd
  name: etcd-server-tls
  namespace: "on"
type: kubernetes.io/tls
"#;
        assert_eq!(*secret.write(), expected);
    }
}
