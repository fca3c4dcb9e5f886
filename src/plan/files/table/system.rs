//! What the operating system is told: kernel, swap, limits of units, logs, time.

use super::{DAEMON_RELOAD, KUBELET, ROW};
use crate::plan::certs::place::HOSTS;
use crate::plan::files::{FileRow, When};
use crate::plan::preparation::Part;
use crate::spec::types::RuntimeKind;

/// In byte order of their paths.
pub(super) const ROWS: &[FileRow] = &[
    FileRow {
        path: "/etc/chrony.conf",
        on: HOSTS,
        when: When::Prepared(Part::Chrony),
        restart: &["unit/chronyd"],
        run: &["systemctl enable chronyd.service"],
        why: "whom chrony asks for the time; the distribution's file reads no directory",
        ..ROW
    },
    FileRow {
        path: "/etc/chrony/sources.d/sealift.sources",
        on: HOSTS,
        when: When::Prepared(Part::ChronySources),
        // chronyd goes on, with other sources
        run: &["chronyc reload sources"],
        why: "whom chrony asks for the time, too",
        ..ROW
    },
    FileRow {
        path: "/etc/logrotate.d/sealift",
        on: HOSTS,
        when: When::Prepared(Part::Logrotate),
        // read at each run
        why: "logs that nothing else rotates",
        ..ROW
    },
    FileRow {
        path: "/etc/modules-load.d/sealift.conf",
        on: HOSTS,
        when: When::Prepared(Part::Modules),
        run: &["systemctl restart systemd-modules-load.service"],
        why: "modules of the kernel, at each boot",
        ..ROW
    },
    FileRow {
        path: "/etc/sysctl.d/90-sealift.conf",
        on: HOSTS,
        when: When::Prepared(Part::Sysctl),
        run: &["systemctl restart systemd-sysctl.service"],
        why: "settings of the kernel, at each boot",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/journald.conf.d/90-sealift.conf",
        on: HOSTS,
        when: When::Prepared(Part::Journald),
        restart: &["unit/systemd-journald"],
        why: "how much the journal keeps",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/containerd.service.d/20-sealift-config.conf",
        on: HOSTS,
        when: When::Prepared(Part::ContainerdUnit),
        restart: &["unit/containerd"],
        run: DAEMON_RELOAD,
        why: "Flatcar's containerd reads its configuration from /etc",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/containerd.service.d/40-sealift-limits.conf",
        on: HOSTS,
        when: When::Limited(RuntimeKind::Containerd),
        restart: &["unit/containerd"],
        run: DAEMON_RELOAD,
        why: "containerd's limits, which containers have from it",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/crio.service.d/40-sealift-limits.conf",
        on: HOSTS,
        when: When::Limited(RuntimeKind::Crio),
        restart: &["unit/crio"],
        run: DAEMON_RELOAD,
        why: "CRI-O's limits, which containers have from it",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/40-sealift-limits.conf",
        on: HOSTS,
        when: When::Prepared(Part::Limits),
        restart: KUBELET,
        run: DAEMON_RELOAD,
        why: "the kubelet's limits, and what is there before it",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/sealift-swap-off.service",
        on: HOSTS,
        when: When::Prepared(Part::SwapOff),
        run: &["systemctl daemon-reload", "systemctl enable --now sealift-swap-off.service"],
        why: "no swap when the kubelet starts",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/timesyncd.conf.d/90-sealift.conf",
        on: HOSTS,
        when: When::Prepared(Part::Timesyncd),
        restart: &["unit/systemd-timesyncd"],
        run: &["systemctl enable systemd-timesyncd.service"],
        why: "whom systemd-timesyncd asks for the time",
        ..ROW
    },
    FileRow {
        path: "/etc/tmpfiles.d/sealift-timezone.conf",
        on: HOSTS,
        when: When::Prepared(Part::Timezone),
        run: &["systemd-tmpfiles --create /etc/tmpfiles.d/sealift-timezone.conf"],
        why: "the link that is the time zone",
        ..ROW
    },
];
