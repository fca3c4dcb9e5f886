//! The machine's identity: its id and its addresses.

use super::{Ask, PLAIN, verify};
use crate::finding::{Finding, Id, exit_code};
use crate::host::testkit::{Draft, Host};
use std::collections::BTreeSet;
use std::net::IpAddr;

const HERE: &str = "8b2f3a5c9d014e6fa7b8c9d0e1f20314";

#[test]
fn addresses_of_the_manifest_are_on_the_machine() {
    let mut draft = Draft::new();
    draft.manifest.host.addresses = vec!["10.0.0.6".into(), "fd00::6".into()];
    let (host, _) = Host::with(&draft);
    let of = |addresses: &[&str]| -> Vec<Finding> {
        let here: BTreeSet<IpAddr> = addresses.iter().map(|it| it.parse().unwrap()).collect();
        verify(&host, &Ask { addresses: Some(&here), ..PLAIN }).findings
    };
    let missing = |address: &str| {
        let mend = "bring up the interface that has it, or correct the host's addresses in the spec, build and install";
        Finding::new(Id::AddressMissing, "/var/lib/sealift/manifest.json", mend)
            .expected(format!("{address} on an interface of this machine"))
            .found("no interface has it")
    };
    assert_eq!(of(&["127.0.0.1", "10.0.0.6", "fd00::6", "10.9.9.9"]), []);
    assert_eq!(of(&["10.0.0.6"]), [missing("fd00::6")]);
    assert_eq!(of(&[]), [missing("10.0.0.6"), missing("fd00::6")]);
    assert_eq!(exit_code(&of(&[])), 4);
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
