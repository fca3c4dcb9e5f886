//! Name constraints of authorities (RFC 5280 section 4.2.1.10): which names they may certify.
//!
//! Clients judge each certificate by those of every CA above it, so one that issues what it must not
//! issues what nobody believes.

use std::net::IpAddr;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, GeneralSubtree};

/// The constraints of one certificate.
#[derive(Debug, Default)]
pub(super) struct Constraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
    /// Whether it calls critical what Go does not judge, and so refuses: names of a directory.
    refused: bool,
}

#[derive(Debug)]
enum Subtree {
    Dns(String),
    /// Address and mask.
    Ip(Vec<u8>, Vec<u8>),
}

/// What constraints say against names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Against {
    /// Programs on hosts cannot read them.
    All,
    /// They forbid this name.
    Name(String),
}

impl Constraints {
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Self {
        let Some(found) = certificate.name_constraints().ok().flatten() else { return Self::default() };
        let mut all = Self::default();
        let mut read = |subtrees: &Option<Vec<GeneralSubtree<'_>>>, list: &mut Vec<Subtree>| {
            for subtree in subtrees.iter().flatten() {
                match &subtree.base {
                    GeneralName::DNSName(name) => list.push(Subtree::Dns(name.to_ascii_lowercase())),
                    GeneralName::IPAddress(bytes) if matches!(bytes.len(), 8 | 32) => {
                        let (address, mask) = bytes.split_at(bytes.len() / 2);
                        list.push(Subtree::Ip(address.to_vec(), mask.to_vec()));
                    }
                    // no certificate of a cluster has such names
                    GeneralName::RFC822Name(_) | GeneralName::URI(_) => {}
                    GeneralName::IPAddress(_) => all.refused = true,
                    _ => all.refused |= found.critical,
                }
            }
        };
        let (mut permitted, mut excluded) = (Vec::new(), Vec::new());
        read(&found.value.permitted_subtrees, &mut permitted);
        read(&found.value.excluded_subtrees, &mut excluded);
        Self { permitted, excluded, ..all }
    }

    /// What they say against a certificate with these names; nothing when it may have them.
    pub(super) fn against(&self, dns: &[String], ips: &[IpAddr]) -> Option<Against> {
        if self.refused {
            return Some(Against::All);
        }
        let dns = dns.iter().find(|name| !self.allow(Subtree::is_dns, |tree| tree.has_dns(name)));
        let ip = || ips.iter().find(|ip| !self.allow(Subtree::is_ip, |tree| tree.has_ip(**ip)));
        dns.cloned().or_else(|| ip().map(ToString::to_string)).map(Against::Name)
    }

    /// In none of the excluded subtrees, and in one of the permitted ones of that kind, if any.
    fn allow(&self, kind: fn(&Subtree) -> bool, has: impl Fn(&Subtree) -> bool) -> bool {
        let mut permitted = self.permitted.iter().filter(|tree| kind(tree)).peekable();
        !self.excluded.iter().any(&has) && (permitted.peek().is_none() || permitted.any(&has))
    }
}

impl Subtree {
    fn is_dns(&self) -> bool {
        matches!(self, Self::Dns(_))
    }

    fn is_ip(&self) -> bool {
        matches!(self, Self::Ip(..))
    }

    /// A name, and what ends with it behind a dot; with a dot before it the latter alone.
    fn has_dns(&self, name: &str) -> bool {
        let Self::Dns(base) = self else { return false };
        let Some(rest) = name.strip_suffix(base.as_str()) else { return false };
        base.is_empty() || rest.ends_with('.') || (base.starts_with('.') != rest.is_empty())
    }

    fn has_ip(&self, ip: IpAddr) -> bool {
        let Self::Ip(address, mask) = self else { return false };
        let bytes = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let mut parts = bytes.iter().zip(address).zip(mask);
        bytes.len() == address.len() && parts.all(|((byte, own), mask)| (byte ^ own) & mask == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Against, Constraints, Subtree};

    fn dns(text: &str) -> Subtree {
        Subtree::Dns(text.to_owned())
    }

    #[test]
    fn subtrees_of_names() {
        let cases = [
            ("a.b", "a.b", true),
            ("a.b", "x.a.b", true),
            ("a.b", "xa.b", false),
            (".a.b", "a.b", false),
            (".a.b", "x.a.b", true),
            ("", "anything", true),
            ("a.b", "b", false),
        ];
        for (base, name, expected) in cases {
            assert_eq!(dns(base).has_dns(name), expected, "{base} {name}");
        }
    }

    #[test]
    fn subtrees_of_addresses() {
        let tree = Subtree::Ip(vec![10, 0, 0, 0], vec![255, 0, 0, 0]);
        assert!(tree.has_ip([10, 9, 9, 9].into()));
        assert!(!tree.has_ip([11, 0, 0, 0].into()));
        assert!(!tree.has_ip([0_u16; 8].into()));
    }

    #[test]
    fn what_is_permitted_and_what_excluded() {
        let corp = Constraints { permitted: vec![dns("corp")], ..Constraints::default() };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let against = |text: &str| Some(Against::Name(text.to_owned()));
        // of addresses, it says nothing
        assert_eq!(corp.against(&names(&["a.corp"]), &[[1, 1, 1, 1].into()]), None);
        assert_eq!(corp.against(&names(&["a.corp", "cp1"]), &[]), against("cp1"));
        let none = Subtree::Ip(vec![0; 4], vec![0; 4]);
        let no_ips = Constraints { excluded: vec![none], ..Constraints::default() };
        assert_eq!(no_ips.against(&names(&["cp1"]), &[[1, 1, 1, 1].into()]), against("1.1.1.1"));
        assert_eq!(no_ips.against(&names(&["cp1"]), &[]), None);
        let refused = Constraints { refused: true, ..Constraints::default() };
        assert_eq!(refused.against(&[], &[]), Some(Against::All));
    }
}
