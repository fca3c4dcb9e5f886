//! A member that runs in a container.

use crate::plan::EtcdPlan;
use crate::render::container::{self, Contained, Container};

/// Certificates and keys of the member; a directory, so that what is renewed is seen.
const PKI: &str = "/etc/kubernetes/pki/etcd";
const VARIABLES: &str = "/etc/etcd/etcd.env";
const CONFIGURATION: &str = "/etc/etcd/etcd.yaml";
/// Seconds that etcd has to stop: it hands its leadership on first, which takes up to seven seconds or so
/// (etcd's `reqTimeout`: 5 seconds and two elections).
const STOP_TIMEOUT: u32 = 30;
/// For each client a file.
const OPEN_FILES: u32 = 65_536;

/// The context of a member's unit; none where it runs in no container.
pub(in crate::render) fn context(etcd: &EtcdPlan) -> Option<Container> {
    let plan = etcd.container.as_ref()?;
    let image = etcd.image.as_ref()?;
    let in_file = etcd.unit.as_ref()?.file.is_some();
    Some(container::context(Contained {
        plan,
        name: "etcd",
        image: &image.whole,
        capabilities: &[],
        volumes: volumes(etcd, in_file),
        directories: etcd.directories().into_iter().map(str::to_owned).collect(),
        scratch: &[],
        variables: (!in_file).then_some(VARIABLES),
        open_files: OPEN_FILES,
        stop: None,
        reload: None,
        stop_timeout: STOP_TIMEOUT,
        arguments: if in_file { vec![format!("--config-file={CONFIGURATION}")] } else { Vec::new() },
    }))
}

fn volumes(etcd: &EtcdPlan, in_file: bool) -> Vec<String> {
    let written = etcd.directories().into_iter().map(|path| format!("{path}:{path}"));
    let configuration = in_file.then_some(CONFIGURATION);
    let read = std::iter::once(PKI).chain(configuration).map(|path| format!("{path}:{path}:ro"));
    written.chain(read).collect()
}
