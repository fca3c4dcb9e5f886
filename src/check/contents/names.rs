//! What servers are reached by against the names in their certificates.

use super::View;
use super::certificates::{USES, blocks, certificates};
use crate::finding::{Finding, Id};
use std::collections::BTreeSet;
use std::net::IpAddr;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

const KUBELET: &str = "/var/lib/kubelet/pki/kubelet.crt";
/// Where a server is told what others reach it by, in files of any form: the words before it, and the
/// certificates that it shows there.
const TOLD: [(&[&str], &[&str]); 3] = [
    (&["--advertise-address=", "advertiseAddress: "], &["/etc/kubernetes/pki/apiserver.crt"]),
    (
        &["--advertise-client-urls=", "ETCD_ADVERTISE_CLIENT_URLS=", "\nadvertise-client-urls: "],
        &["/etc/kubernetes/pki/etcd/server.crt", "/etc/kubernetes/pki/etcd/etcd.crt"],
    ),
    (
        &[
            "--initial-advertise-peer-urls=",
            "ETCD_INITIAL_ADVERTISE_PEER_URLS=",
            "\ninitial-advertise-peer-urls: ",
        ],
        &["/etc/kubernetes/pki/etcd/peer.crt", "/etc/kubernetes/pki/etcd/etcd.crt"],
    ),
];

/// Names and addresses that a server's certificate lacks: the host's name, the host's addresses in the
/// kubelet's, and what the bundle's own files tell a server to announce.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let host = &view.manifest.host;
    let mut findings = Vec::new();
    for row in USES.iter().filter(|row| row.serves) {
        let blocks = blocks(view, row.path);
        let certificates = certificates(&blocks);
        let Some(leaf) = certificates.first() else { continue };
        let mut wanted = BTreeSet::from([host.name.clone()]);
        if row.path == KUBELET {
            wanted.extend(host.addresses.iter().cloned());
        }
        wanted.extend(told(view, row.path));
        let names = names(leaf);
        let missing: Vec<_> = wanted.into_iter().filter(|name| !names.covers(name)).collect();
        if !missing.is_empty() {
            findings.push(
                view.finding(Id::CertificateNames, row.path)
                    .expected(format!("names of {}", host.name))
                    .found(format!("none for {}", missing.join(", "))),
            );
        }
    }
    findings
}

struct Names {
    dns: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
}

impl Names {
    fn covers(&self, name: &str) -> bool {
        match name.parse::<IpAddr>() {
            Ok(address) => self.addresses.contains(&address),
            Err(_) => self.dns.contains(&name.to_ascii_lowercase()),
        }
    }
}

/// Subject alternative names; common names count for nobody any more (Go 1.15).
fn names(leaf: &X509Certificate<'_>) -> Names {
    let (mut dns, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    let extension = leaf.subject_alternative_name().ok().flatten();
    for name in extension.iter().flat_map(|extension| &extension.value.general_names) {
        match name {
            GeneralName::DNSName(name) => drop(dns.insert(name.to_ascii_lowercase())),
            GeneralName::IPAddress(bytes) => {
                let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                addresses.extend(four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)));
            }
            _ => {}
        }
    }
    Names { dns, addresses }
}

/// What the public files of a bundle tell the servers of a certificate to announce.
fn told(view: &View<'_>, certificate: &str) -> BTreeSet<String> {
    let words = TOLD.iter().filter(|(_, certificates)| certificates.contains(&certificate));
    let words: Vec<&str> = words.flat_map(|(words, _)| words.iter().copied()).collect();
    let public = view.manifest.files.iter().filter(|file| !file.sealed);
    let texts = public.filter_map(|file| std::str::from_utf8((view.contents)(&file.path)?).ok());
    texts.flat_map(|text| words.iter().flat_map(|word| after(text, word))).collect()
}

/// The hosts of the values that stand after a word.
fn after(text: &str, word: &str) -> Vec<String> {
    // a finding repeats these, and on a host anybody may have written them: no control character passes
    let ends = |c: char| c.is_control() || matches!(c, '"' | '\'' | ' ' | '\\');
    let values = text.split(word).skip(1).filter_map(|rest| rest.split(ends).next());
    values.flat_map(|value| value.split(',')).filter_map(host).collect()
}

/// The host of a URL with TLS, or an address.
fn host(value: &str) -> Option<String> {
    let host = match value.split_once("://") {
        Some(("https", rest)) => {
            let authority = rest.split('/').next()?;
            let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
            if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { authority }
        }
        Some(_) => return None,
        None => value,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn hosts_of_what_is_announced() {
        let found = |text| after(text, "--urls=");
        assert_eq!(
            found("- --urls=https://10.0.0.6:2379,https://[fd00::6]:2379\n- --x"),
            ["10.0.0.6", "fd00::6"]
        );
        assert_eq!(found("\"--urls=https://a.b\" --urls=10.0.0.7 \\"), ["a.b", "10.0.0.7"]);
        assert_eq!(found("--urls=https://10.0.0.6:2\u{1b}[31m79,10.0.0.7\n"), ["10.0.0.6"]);
        assert_eq!(found("--urls=http://127.0.0.1:2379\n--urls=\n"), [""; 0]);
    }
}
