//! Files of keepalived.

use super::{POD, ROW};
use crate::plan::certs::place::{HOSTS, NODES};
use crate::plan::files::{FileRow, RowSource, When};
use crate::spec::types::BalancerKind::Keepalived;
use crate::spec::types::BalancerRun::{Service, StaticPod};

/// It starts with its script's user there, and later reads its files again without letting addresses go.
const START: &[&str] = &[
    "systemd-sysusers /etc/sysusers.d/keepalived-script.conf",
    "systemctl enable keepalived.service",
    "systemctl reload-or-restart keepalived.service",
];
const RELOAD: &[&str] = &[
    "systemd-sysusers /etc/sysusers.d/keepalived-script.conf",
    "systemctl reload-or-restart keepalived.service",
];
const RECREATE: &[&str] = &["static-pod/keepalived"];

const PASSWORD: FileRow = FileRow {
    path: "/etc/keepalived/auth.conf",
    on: HOSTS,
    mode: 0o600,
    source: RowSource::VrrpPassword,
    why: "the password of the virtual router, which keepalived.conf includes",
    ..ROW
};
const CONFIGURATION: FileRow = FileRow {
    path: "/etc/keepalived/keepalived.conf",
    on: HOSTS,
    why: "the virtual addresses, and who holds them when",
    ..ROW
};

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow { when: When::VrrpPassword(Service), run: RELOAD, ..PASSWORD },
    FileRow { when: When::VrrpPassword(StaticPod), restart: RECREATE, ..PASSWORD },
    FileRow {
        path: "/etc/keepalived/check_apiserver.sh",
        on: HOSTS,
        when: When::Keepalived,
        mode: 0o755,
        // each check reads it anew
        why: "says whether the host may hold the addresses",
        ..ROW
    },
    FileRow { when: When::Balanced(Keepalived, Service), run: START, ..CONFIGURATION },
    FileRow { when: When::Balanced(Keepalived, StaticPod), restart: RECREATE, ..CONFIGURATION },
    FileRow {
        path: "/etc/keepalived/sealift-ca.crt",
        on: HOSTS,
        when: When::Keepalived,
        source: RowSource::Authority("ca"),
        why: "the check knows API servers by it; its user may not read /etc/kubernetes/pki on every host",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/keepalived.yaml",
        on: NODES,
        when: When::Balanced(Keepalived, StaticPod),
        why: "keepalived in a static pod",
        ..POD
    },
    FileRow {
        path: "/etc/sysusers.d/keepalived-script.conf",
        on: HOSTS,
        when: When::Balanced(Keepalived, Service),
        run: &["systemd-sysusers /etc/sysusers.d/keepalived-script.conf"],
        why: "the user of the check script, which is not root",
        ..ROW
    },
];
