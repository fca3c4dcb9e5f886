//! What a member reads that runs as a unit of systemd.

use crate::plan::{EtcdPlan, Setting, UnitPlan};
use serde::Serialize;
use serde_json::{Map, Value};

/// The context of one of the unit's files; none when the member is no unit, or has no such file.
pub(in crate::render) fn of(path: &str, etcd: &EtcdPlan) -> Option<Etcd> {
    let unit = etcd.unit.as_ref()?;
    match path {
        "/etc/etcd/etcd.env" => Some(variables(etcd)),
        "/etc/etcd/etcd.yaml" => {
            unit.file.as_ref().map(|file| Etcd::File { configuration: file.map().clone() })
        }
        "/etc/systemd/system/etcd.service" => service(etcd, unit).map(Etcd::Service),
        "/etc/systemd/system/etcd.service.d/30-sealift-gate.conf" => Some(Etcd::Gate {
            run: unit.gate.run.name(),
            program: unit.gate.program.clone(),
            tolerate: unit.gate.tolerate.clone(),
        }),
        "/etc/sysusers.d/etcd.conf" | "/etc/tmpfiles.d/etcd.conf" => system(etcd, unit),
        _ => None,
    }
}

/// What these templates see.
#[derive(Serialize)]
#[serde(untagged)]
pub(in crate::render) enum Etcd {
    Variables { settings: Vec<Variable> },
    File { configuration: Map<String, Value> },
    Service(Service),
    Gate { run: &'static str, program: String, tolerate: Vec<u8> },
    System { user: String, uid: u32, gid: u32, home: String, directories: Vec<String> },
}

#[derive(Serialize)]
pub(in crate::render) struct Variable {
    name: String,
    value: String,
}

/// What the unit says.
#[derive(Serialize)]
pub(in crate::render) struct Service {
    program: String,
    user: String,
    environment_file: Option<&'static str>,
    config_file: Option<&'static str>,
    directories: Vec<String>,
    /// Whether something lies where `ProtectHome=` would hide it.
    in_home: bool,
}

fn variables(etcd: &EtcdPlan) -> Etcd {
    let settings = etcd.unit_settings();
    let variable = |setting: &Setting| Variable { name: setting.variable(), value: setting.value() };
    Etcd::Variables { settings: settings.iter().map(variable).collect() }
}

fn service(etcd: &EtcdPlan, unit: &UnitPlan) -> Option<Service> {
    let of = unit.service.as_ref()?;
    let directories: Vec<_> = etcd.directories().into_iter().map(str::to_owned).collect();
    let hidden = |path: &String| ["/home/", "/root/", "/run/user/"].iter().any(|home| path.starts_with(home));
    let in_home = directories.iter().chain([&of.program]).any(hidden);
    Some(Service {
        program: of.program.clone(),
        user: of.user.clone(),
        environment_file: unit.file.is_none().then_some("/etc/etcd/etcd.env"),
        config_file: unit.file.is_some().then_some("/etc/etcd/etcd.yaml"),
        in_home,
        directories,
    })
}

fn system(etcd: &EtcdPlan, unit: &UnitPlan) -> Option<Etcd> {
    let of = unit.service.as_ref()?;
    Some(Etcd::System {
        user: of.user.clone(),
        uid: of.owner.uid,
        gid: of.owner.gid,
        home: etcd.data_dir.clone(),
        directories: etcd.directories().into_iter().map(str::to_owned).collect(),
    })
}
