//! A member that runs as a unit of systemd, `etcd.service`: by itself or around a container.

use super::{EtcdPlan, Setting, loopback, members, settings_document};
use crate::plan::kubelet::{GatePlan, gate};
use crate::plan::os;
use crate::plan::settings::Settings;
use crate::spec::Problem;
use crate::spec::scalars::SystemId;
use crate::spec::types::{EtcdConfig, EtcdRun, FreeForm, Spec};
use serde::Serialize;

/// A member's unit.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitPlan {
    /// What must hold before it starts.
    pub gate: GatePlan,
    /// Its settings as etcd's configuration file, where they stand in one and not in variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FreeForm>,
    /// Whether it also serves plain http, without any authentication, on loopback.
    pub plain_loopback: bool,
    /// The program and its user, when it runs without a container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServicePlan>,
}

/// A member that runs as a program of its host.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePlan {
    /// The program.
    pub program: String,
    /// The name of its user, and of the group.
    pub user: String,
    /// The owner of what it writes, and the group of the keys that it reads.
    pub owner: Owner,
}

/// The owner of a file or directory; root by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// Numeric user.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
}

impl Owner {
    /// Whether all of it is root's.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub fn is_root(&self) -> bool {
        *self == Self::default()
    }
}

/// A number of its own below 1000, the same on every host: packages take whichever is free at install.
const UID: u32 = 379;

/// The user that etcd's unit runs it as, whose key files are readable for it; none where etcd runs
/// otherwise, or as the user that its image says.
pub(in crate::plan) fn owner(spec: &Spec) -> Option<Owner> {
    let user = &spec.etcd.user;
    let own = match spec.etcd.run {
        EtcdRun::Systemd => true,
        EtcdRun::Container => user.uid.is_some() || user.gid.is_some(),
        EtcdRun::StaticPod | EtcdRun::StatefulSet => false,
    };
    own.then(|| {
        let uid = user.uid.map_or(UID, SystemId::get);
        Owner { uid, gid: user.gid.map_or(uid, SystemId::get) }
    })
}

/// The unit of a member; none when it is no unit.
pub(super) fn plan(spec: &Spec, settings: &Settings) -> Option<UnitPlan> {
    let of = &spec.etcd;
    let text = |default: &str| default.to_owned();
    of.run.is_unit().then(|| UnitPlan {
        gate: gate(&settings.etcd.gate, os::paths(settings.os)),
        file: None,
        plain_loopback: of.plain_loopback,
        service: owner(spec).filter(|_| of.run == EtcdRun::Systemd).map(|owner| ServicePlan {
            program: of.program.as_ref().map_or_else(|| text("/usr/local/bin/etcd"), ToString::to_string),
            user: of.user.name.as_ref().map_or_else(|| text("etcd"), ToString::to_string),
            owner,
        }),
    })
}

/// Whether systemd, podman and docker read the same from a line `NAME=VALUE`.
pub fn is_bare(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'`#$\\".contains(&byte))
}

impl EtcdPlan {
    /// All settings of a member that is a unit, in byte order of the flags.
    pub fn unit_settings(&self) -> Vec<Setting> {
        let mut settings = self.settings();
        settings.extend(self.membership(&[self.client_listener(), self.loopback_listener()]));
        settings.sort_by(|a, b| a.name.cmp(&b.name));
        settings
    }

    /// Chooses the form of a unit's settings, and says which of them it cannot hold.
    pub(super) fn write_settings(&mut self, config: EtcdConfig, problems: &mut Vec<Problem>) {
        if self.unit.is_none() {
            return;
        }
        let settings = self.unit_settings();
        let Some(unit) = self.unit.as_mut() else { return };
        if config == EtcdConfig::Yaml {
            unit.file = Some(settings_document(&settings).into());
            return;
        }
        let refused = settings.iter().filter(|setting| !is_bare(&setting.value()));
        problems.extend(refused.map(|setting| {
            let message =
                format!("etcd.env cannot hold the value {:?} of --{}", setting.value(), setting.name);
            let hint = "every reader of such files takes blanks, quotes, `#`, `$` and `\\` otherwise: \
                        write `config: yaml`";
            Problem::error("etcd.config", message).hint(hint)
        }));
    }

    /// Where it listens for clients of its own host.
    pub fn loopback_listener(&self) -> String {
        let url = members::client_url(loopback(self.address));
        if self.is_plain_on_loopback() { url.replacen("https:", "http:", 1) } else { url }
    }

    pub(super) fn is_plain_on_loopback(&self) -> bool {
        self.unit.as_ref().is_some_and(|unit| unit.plain_loopback)
    }
}
