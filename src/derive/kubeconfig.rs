//! Kubeconfigs with everything in them, as client-go writes them.

use crate::spec::yaml::scalar;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

/// One kubeconfig: one cluster, one user, one context.
pub(super) struct Kubeconfig<'a> {
    /// The cluster's name.
    pub(super) cluster: &'a str,
    /// The API server's URL.
    pub(super) server: &'a str,
    /// The certificates that the server is checked against, in PEM.
    pub(super) authorities: &'a str,
    /// The user's name.
    pub(super) user: &'a str,
    /// How the user proves to be it.
    pub(super) credential: Credential<'a>,
}

/// How a user proves to be it.
pub(super) enum Credential<'a> {
    /// With a certificate and its private key, in PEM.
    Certificate { certificate: &'a str, key: &'a str },
    /// With a token.
    Token(&'a str),
}

impl Kubeconfig<'_> {
    /// The file, in the order of keys and with the names of kubeadm's `phases/kubeconfig`.
    pub(super) fn write(&self) -> Zeroizing<String> {
        let (cluster, user) = (scalar(self.cluster), scalar(self.user));
        let context = scalar(&format!("{}@{}", self.user, self.cluster));
        let authorities = BASE64_STANDARD.encode(self.authorities);
        let credential = self.credential.lines();
        let mut text = Zeroizing::new(String::with_capacity(
            authorities.len() + credential.len() + 4 * (cluster.len() + user.len()) + 512,
        ));
        let lines = [
            "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: ",
            &authorities,
            "\n    server: ",
            &scalar(self.server),
            "\n  name: ",
            &cluster,
            "\ncontexts:\n- context:\n    cluster: ",
            &cluster,
            "\n    user: ",
            &user,
            "\n  name: ",
            &context,
            "\ncurrent-context: ",
            &context,
            "\nkind: Config\nusers:\n- name: ",
            &user,
            "\n  user:\n",
            &credential,
        ];
        text.extend(lines);
        text
    }
}

impl Credential<'_> {
    fn lines(&self) -> Zeroizing<String> {
        match self {
            Self::Certificate { certificate, key } => {
                let certificate = BASE64_STANDARD.encode(certificate);
                let key = Zeroizing::new(BASE64_STANDARD.encode(key));
                let mut text = Zeroizing::new(String::with_capacity(certificate.len() + key.len() + 64));
                let lines =
                    ["    client-certificate-data: ", &certificate, "\n    client-key-data: ", &key, "\n"];
                text.extend(lines);
                text
            }
            Self::Token(token) => {
                let mut text = Zeroizing::new(String::with_capacity(token.len() + 16));
                // of letters, digits and a dot; in quotes, lest one be read as a number
                text.extend(["    token: \"", token, "\"\n"]);
                text
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Credential, Kubeconfig};

    #[test]
    fn as_kubeadm_writes_it() {
        let kubeconfig = Kubeconfig {
            cluster: "no",
            server: "https://[fd00::1]:6443",
            authorities: "ca",
            user: "system:node:cp1",
            credential: Credential::Certificate { certificate: "crt", key: "key" },
        };
        let expected = r#"apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Y2E=
    server: https://[fd00::1]:6443
  name: "no"
contexts:
- context:
    cluster: "no"
    user: system:node:cp1
  name: system:node:cp1@no
current-context: system:node:cp1@no
kind: Config
users:
- name: system:node:cp1
  user:
    client-certificate-data: Y3J0
    client-key-data: a2V5
"#;
        assert_eq!(*kubeconfig.write(), expected);
    }
}
