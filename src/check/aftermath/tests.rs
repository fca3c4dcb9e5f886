#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::{Aftermath, Asks};
use crate::bundle::forgery::{file, manifest};
use crate::bundle::manifest::{File, Policy};

const DAEMON: &str = "systemctl daemon-reload";
const CONF: &str = "/etc/nginx/nginx.conf";
const SERVICE: &[&str] = &["systemctl enable nginx.service", "systemctl reload-or-restart nginx.service"];
const CONTAINER: &[&str] = &[DAEMON, "systemctl reload-or-restart nginx.service"];

fn row(path: &str, run: &[&str], restart: &[&str]) -> File {
    let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    File { run: texts(run), restart: texts(restart), ..file(path, false) }
}

/// What stops, then what runs and restarts because files are gone.
fn after(old: &[File], new: &[File]) -> (Vec<String>, Vec<String>, Vec<String>) {
    let earlier = manifest("infra0", old.to_vec());
    let asks: Vec<Asks> = new.iter().map(Asks::from).collect();
    let aftermath = Aftermath::new(Some(&earlier), &asks);
    let gone = || old.iter().filter(|file| new.iter().all(|other| other.path != file.path));
    (
        aftermath.stops().iter().map(|stop| format!("{}: {}", stop.path, stop.command)).collect(),
        gone().flat_map(|file| aftermath.run_when_gone(file)).collect(),
        gone().flat_map(|file| aftermath.restart_when_gone(file)).collect(),
    )
}

fn texts(stops: &[&str], run: &[&str], restart: &[&str]) -> (Vec<String>, Vec<String>, Vec<String>) {
    let of = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    (of(stops), of(run), of(restart))
}

#[test]
fn a_service_that_becomes_a_static_pod_stops() {
    let stop = "/etc/nginx/nginx.conf: systemctl disable --now nginx.service";
    let pod = row(CONF, &[], &["static-pod/nginx"]);
    assert_eq!(after(&[row(CONF, SERVICE, &[])], std::slice::from_ref(&pod)), texts(&[stop], &[], &[]));
    assert_eq!(after(std::slice::from_ref(&pod), &[row(CONF, SERVICE, &[])]), texts(&[], &[], &[]));
    // gone altogether, and as it was
    assert_eq!(after(&[row(CONF, SERVICE, &[])], &[]), texts(&[stop], &[], &[]));
    assert_eq!(after(&[row(CONF, SERVICE, &[])], &[row(CONF, SERVICE, &[])]), texts(&[], &[], &[]));
    // another file still runs it, and it reads what is left
    let other = row("/etc/nginx/other.conf", &SERVICE[1..], &[]);
    assert_eq!(after(&[row(CONF, SERVICE, &[])], &[pod, other.clone()]), texts(&[], &[], &[]));
    assert_eq!(after(&[row(CONF, SERVICE, &[])], &[other]), texts(&[], SERVICE, &[]));
}

#[test]
fn the_unit_of_a_container_stops_while_systemd_knows_it() {
    let unit = row(
        "/etc/systemd/system/nginx.service",
        &[DAEMON, "systemctl enable nginx.service"],
        &["unit/nginx"],
    );
    let quadlet = row("/etc/containers/systemd/nginx.container", &[DAEMON], &["unit/nginx"]);
    let conf = row(CONF, CONTAINER, &[]);
    let pod = row(CONF, &[], &["static-pod/nginx"]);
    let disable = "/etc/systemd/system/nginx.service: systemctl disable --now nginx.service";
    let stop = "/etc/containers/systemd/nginx.container: systemctl stop nginx.service";
    assert_eq!(after(&[unit.clone(), conf.clone()], &[pod]), texts(&[disable], &[DAEMON], &[]));
    assert_eq!(after(&[quadlet.clone(), conf.clone()], &[]), texts(&[stop], &[DAEMON, DAEMON], &[]));
    // one engine for another: the unit has its name still
    let again = texts(&[], &[DAEMON], &["unit/nginx"]);
    assert_eq!(after(&[quadlet, conf.clone()], &[unit, conf]).0, again.0);
}

#[test]
fn etcd_and_the_kubelet() {
    let etcd =
        row("/etc/systemd/system/etcd.service", &[DAEMON, "systemctl enable etcd.service"], &["unit/etcd"]);
    let gate = row("/etc/systemd/system/etcd.service.d/30-gate.conf", &[DAEMON], &["unit/etcd"]);
    let stop = "/etc/systemd/system/etcd.service: systemctl disable --now etcd.service";
    assert_eq!(after(&[etcd.clone(), gate.clone()], &[]), texts(&[stop], &[DAEMON, DAEMON], &[]));
    assert_eq!(after(&[etcd], &[gate]), texts(&[], &[DAEMON], &["unit/etcd"]));
    // the package's unit is there
    let package = [DAEMON, "systemctl enable kubelet"];
    let kubelet = row("/etc/systemd/system/kubelet.service", &package, &["kubelet"]);
    assert_eq!(after(&[kubelet], &[]), texts(&[], &package, &["kubelet"]));
}

#[test]
fn commands_that_name_what_is_gone() {
    const USERS: &str = "/etc/sysusers.d/script.conf";
    let sysusers = format!("systemd-sysusers {USERS}");
    let start = [
        sysusers.as_str(),
        "systemctl enable keepalived.service",
        "systemctl reload-or-restart keepalived.service",
    ];
    let conf = row("/etc/keepalived/keepalived.conf", &start, &[]);
    let auth = row("/etc/keepalived/auth.conf", &[start[0], start[2]], &[]);
    let users = row(USERS, &[&sysusers], &[]);
    let stop = "/etc/keepalived/keepalived.conf: systemctl disable --now keepalived.service";
    let all = [auth.clone(), conf.clone(), users.clone()];
    assert_eq!(after(&all, &[]), texts(&[stop], &[], &[]));
    assert_eq!(after(&[auth, users.clone()], &[users, conf]), texts(&[], &[&sysusers, start[2]], &[]));
    // a block's file is there
    let hosts = File { policy: Policy::Block, ..row("/etc/hosts", &["cat /etc/hosts"], &["unit/names"]) };
    assert_eq!(after(&[hosts], &[]), texts(&[], &["cat /etc/hosts"], &["unit/names"]));
}
