//! The machine's identity: its id and its addresses.

use super::{Ask, PLAIN, verify};
use crate::finding::{Finding, Id, exit_code};
use crate::host::testkit::{Draft, Host};
use std::collections::BTreeSet;
use std::net::IpAddr;

const HERE: &str = "8b2f3a5c9d014e6fa7b8c9d0e1f20314";

#[test]
fn one_address_of_the_manifest_is_on_the_machine() {
    let mut draft = Draft::new();
    draft.manifest.host.addresses = vec!["10.0.0.6".into(), "fd00::6".into()];
    let (host, _) = Host::with(&draft);
    let of = |addresses: &[&str]| -> Vec<Finding> {
        let here: BTreeSet<IpAddr> = addresses.iter().map(|it| it.parse().unwrap()).collect();
        verify(&host, &Ask { addresses: Some(&here), ..PLAIN }).findings
    };
    let missing = |found: &str| {
        let mend = "bring up the interface that has it, or correct the host's addresses in the spec, build and install";
        [Finding::new(Id::AddressMissing, "/var/lib/sealift/manifest.json", mend)
            .expected("an interface with 10.0.0.6 or fd00::6")
            .found(found)]
    };
    assert_eq!(of(&["127.0.0.1", "10.0.0.6", "fd00::6", "10.9.9.9"]), []);
    // an interface that is down, or not up yet, says nothing about whose machine it is
    assert_eq!(of(&["10.0.0.6"]), []);
    assert_eq!(of(&["fd00::6", "10.9.9.9"]), []);
    // nor does a machine without a network
    assert_eq!(of(&[]), []);
    assert_eq!(of(&["127.0.0.1", "::1", "fe80::1", "169.254.3.4"]), []);
    let other = of(&["127.0.0.1", "10.0.0.7", "fe80::1", "fd00::7"]);
    assert_eq!(other, missing("interfaces with 10.0.0.7, fd00::7"));
    assert_eq!(exit_code(&other), 4);
    let many: Vec<String> = (1..=10).map(|number| format!("10.1.0.{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let told = (1..=8).map(|number| format!("10.1.0.{number}")).collect::<Vec<_>>().join(", ");
    assert_eq!(of(&many), missing(&format!("interfaces with {told} and 2 more")));
    // of another root, addresses are nobody's
    assert_eq!(verify(&host, &PLAIN).findings, []);
}

#[test]
fn a_pinned_machine_id() {
    let mut draft = Draft::new();
    draft.manifest.host.machine_id = Some(HERE.into());
    let (host, _) = Host::with(&draft);
    let wrong = |found: &str| {
        let mend =
            "install the bundle of this machine, or correct `machineId` in the spec, build and install";
        vec![Finding::new(Id::WrongHost, "/etc/machine-id", mend).expected(HERE).found(found)]
    };
    assert_eq!(verify(&host, &PLAIN).findings, wrong("none"));
    host.write("/etc/machine-id", format!("{HERE}\n").as_bytes());
    assert_eq!(verify(&host, &PLAIN).findings, []);
    for (text, found) in
        [("", "none"), ("uninitialized\n", "uninitialized"), ("0123\u{1b}[1m\n", "0123\\u{1b}[1m")]
    {
        host.write("/etc/machine-id", text.as_bytes());
        let check = verify(&host, &PLAIN);
        assert_eq!((exit_code(&check.findings), check.findings), (4, wrong(found)));
    }
    // not pinned, not looked at
    let (host, _) = Host::with(&Draft::new());
    host.write("/etc/machine-id", b"another\n");
    assert_eq!(verify(&host, &PLAIN).findings, []);
}
