//! What gives somebody more than mode and owner say: access lists, capabilities, other names, mounts.

use super::look::{Beside, Seen};
use crate::bundle::manifest::{File, Policy};
use crate::check::obstacles::{self, REINSTALL};
use crate::finding::{Finding, Id};
use crate::rootfs::{Dir, Extra, Metadata, OpenFile};

/// The way out where install leaves the file alone.
const FOREIGN: &str = "take it away with `setfacl -b`, and see which program sets it";

/// The most names of attributes that are told.
const MOST_TOLD: usize = 8;

/// A file of the manifest; `mode` is the one that it lists.
///
/// A file with a block belongs to somebody else, with all that stands beside it. Of a file that another
/// program writes, only a list that opens it to more than the listed mode does is a finding.
pub(super) fn of_file(file: &File, mode: u32, seen: &Seen) -> Vec<Finding> {
    let path = file.path.as_str();
    match (&seen.beside, file.policy) {
        (_, Policy::Block) => Vec::new(),
        (Err(error), _) => vec![obstacles::finding(error)],
        (Ok(beside), Policy::Foreign) => {
            let opens =
                |extra: &&Extra| matches!(extra, Extra::AccessList(list) if list.named() & !mode & 7 != 0);
            let lists = beside.extras.iter().filter(opens);
            let findings = lists.flat_map(|list| extras(path, std::slice::from_ref(list)));
            findings.map(|finding| Finding { mend: FOREIGN.to_owned(), ..finding }).collect()
        }
        (Ok(beside), Policy::Managed | Policy::Initial | Policy::Bootstrap) => {
            strict(path, &seen.metadata, beside)
        }
    }
}

/// One of sealift's own files.
pub(super) fn of_own(path: &str, open: &OpenFile) -> Vec<Finding> {
    match Beside::of(open) {
        Ok(beside) => strict(path, open.metadata(), &beside),
        Err(error) => vec![obstacles::finding(&error)],
    }
}

/// A directory of the manifest, or sealift's own.
pub(super) fn of_directory(path: &str, open: &Dir) -> Vec<Finding> {
    match open.own_extras() {
        Ok(found) => extras(path, &found),
        Err(error) => vec![obstacles::finding(&error)],
    }
}

fn strict(path: &str, metadata: &Metadata, beside: &Beside) -> Vec<Finding> {
    let mut findings = extras(path, &beside.extras);
    if metadata.links > 1 {
        let mend = format!("see which other name it has (find / -xdev -samefile {path}), then {REINSTALL}");
        findings.push(
            Finding::new(Id::HardLinked, path, mend)
                .expected("one name")
                .found(format!("{} names", metadata.links)),
        );
    }
    if beside.mounted {
        let mend = format!("umount {path}, then {REINSTALL}");
        let finding = Finding::new(Id::MountedOver, path, mend);
        findings.push(finding.expected("the file that its directory holds").found("a mount of its own"));
    }
    findings
}

fn extras(path: &str, found: &[Extra]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut others = Vec::new();
    for extra in found {
        let (id, expected, found) = match extra {
            Extra::AccessList(list) => (Id::AclPresent, "no access list", list.to_string()),
            Extra::DefaultList => {
                (Id::AclPresent, "no default access list", "one for new entries".to_owned())
            }
            Extra::Capabilities => {
                (Id::CapabilityPresent, "no capabilities", "security.capability".to_owned())
            }
            Extra::Other(name) => {
                others.push(name.as_str());
                continue;
            }
        };
        findings.push(Finding::new(id, path, REINSTALL).expected(expected).found(found));
    }
    if !others.is_empty() {
        let told = others.iter().take(MOST_TOLD).copied().collect::<Vec<_>>().join(", ");
        let found = match others.len().saturating_sub(MOST_TOLD) {
            0 => told,
            more => format!("{told} and {more} more"),
        };
        let finding = Finding::new(Id::XattrUnexpected, path, REINSTALL);
        findings.push(finding.expected("no attributes but labels").found(found));
    }
    findings
}
