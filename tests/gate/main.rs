//! The gate, as it is installed: systemd itself starts nothing behind it unless it is content; kubeadm's changes are
//! no drift at any step; and its variant for hosts without sealift.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod coreutils;
mod kubeadm;
mod machine;
mod outcomes;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use support::{Ran, SEALIFT, run};

const DROP_IN: &str = "etc/systemd/system/kubelet.service.d/30-sealift-gate.conf";

/// Runs what the installed gate runs, on a root that stands for `/`: the very words of `ExecStartPre=`, with this
/// build's sealift in the place of the installed one.
#[track_caller]
pub(crate) fn gate(root: &Path) -> Ran {
    let text = fs::read_to_string(root.join(DROP_IN)).unwrap();
    let lines: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("ExecStartPre=")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    let words: Vec<_> = lines[0].split(' ').collect();
    // no prefix that would let a failure pass, and nothing that systemd or a shell reads otherwise
    assert!(
        words
            .iter()
            .all(|word| !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-.".contains(&b))),
        "{text}"
    );
    assert!(words[0].starts_with('/'), "{text}");
    let at_root = |word: &&str| match *word {
        "/" => root.display().to_string(),
        word => word.to_owned(),
    };
    run(Command::new(SEALIFT).args(words[1..].iter().map(at_root)))
}
