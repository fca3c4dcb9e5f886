//! sealift's own.

use super::ROW;
use crate::plan::certs::place::EVERYWHERE;
use crate::plan::files::{FileRow, RowSource, When};

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/sealift/RUNBOOK.md",
        on: EVERYWHERE,
        when: When::Rotating,
        mode: 0o644,
        why: "what to restart, wait for and check in this step of a rotation",
        ..ROW
    },
    FileRow {
        path: "/etc/sealift/verify.key",
        on: EVERYWHERE,
        mode: 0o600,
        source: RowSource::VerifyKey,
        why: "lets the host check its secrets without publishing their digests",
        ..ROW
    },
];
