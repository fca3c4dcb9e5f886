//! Every form, under each release: three members form a cluster, are healthy, and survive one's stop.

use crate::support::etcd::{Cluster, enter_with, eventually};
use crate::support::etcd_programs::{Release, debian, distro, given};
use crate::support::example::{HOSTS, replaced, spec_of_today};
use crate::support::sealift;
use std::path::Path;

/// The example's cluster with that `etcd` section.
pub(crate) fn spec(etcd: &str) -> String {
    replaced(&spec_of_today(), "run: static-pod", etcd)
}

/// The same, on control planes without kubeadm.
fn stacked(etcd: &str) -> String {
    let spec = replaced(&spec(etcd), "roles: [etcd]", "roles: [control-plane, etcd]");
    let kubernetes =
        "provisioner: static-pods\n  endpoint: api.prod.example:6443\nloadBalancers: [{kind: external}]";
    replaced(&spec, "provisioner: none", kubernetes)
}

/// A cluster of one form under one release, from files to the stop of a member.
fn works(name: &str, release: Option<Release>, spec: impl Fn(&str) -> String) {
    let Some(Release { version, programs }) = release else { return };
    let Some(programs) = enter_with(name, programs) else { return };
    let mut cluster = Cluster::new(&spec(&version), programs);
    // sealift wrote the flags of this release
    cluster.mapped = false;
    cluster.install();
    cluster.start();
    assert_eq!(cluster.through(0, &["put", "key", "value"]).expect_code(0).stdout, "OK\n");
    for number in 0..HOSTS.len() {
        assert_eq!(cluster.through(number, &["get", "key"]).expect_code(0).stdout, "key\nvalue\n");
    }
    is_healthy(&cluster, 0);
    cluster.machines[2].stop();
    eventually("a write without one", || cluster.through(0, &["put", "key", "later"]).code == 0);
    assert_eq!(cluster.through(1, &["get", "key"]).expect_code(0).stdout, "key\nlater\n");
    let told = cluster.machines[0].health(&["sh"], &cluster.etcdctl).expect_code(2).stdout;
    assert!(told.starts_with("critical: infra2 (https://10.0.0.8:2379) is not healthy: "), "{told}");
    cluster.start_one(2);
    eventually("three healthy members", || cluster.healthy(0) == HOSTS.len());
    assert_eq!(cluster.through(2, &["get", "key"]).expect_code(0).stdout, "key\nlater\n");
    for machine in &cluster.machines {
        is_as_installed(&machine.root);
    }
}

/// A host is as it was installed, whatever etcd wrote.
fn is_as_installed(root: &Path) {
    assert_eq!(sealift(["verify", "--root", root.to_str().unwrap()]).expect_code(0).stderr, "");
}

pub(crate) fn is_healthy(cluster: &Cluster, number: usize) {
    let ran = cluster.machines[number].health(&["sh"], &cluster.etcdctl);
    assert_eq!(ran.expect_code(0).stdout, "ok: 3 members, one leader, no alarm\n");
}

/// A test of a form under each release; what `SEALIFT_ETCD` names takes the place of Debian's.
macro_rules! forms {
    ($($form:ident: $section:literal in $spec:ident;)+) => {$(
        mod $form {
            use super::{debian, distro, given, works};

            fn spec(version: &str) -> String {
                super::$spec(&$section.replace("VERSION", version))
            }

            fn name(test: &str) -> String {
                format!("forms::{}::{test}", stringify!($form))
            }

            #[test]
            fn with_debians_or_the_one_given() {
                works(&name("with_debians_or_the_one_given"), given().or_else(debian), spec);
            }

            #[test]
            fn with_3_5() {
                works(&name("with_3_5"), distro(), spec);
            }
        }
    )+};
}

forms! {
    static_pod: "run: static-pod\n  version: VERSION" in spec;
    stacked_static_pod: "run: static-pod\n  version: VERSION" in stacked;
    service_with_variables: "run: systemd\n  version: VERSION" in spec;
    service_with_a_file: "run: systemd\n  version: VERSION\n  config: yaml" in spec;
    podman: "run: container\n  version: VERSION" in spec;
    docker_with_a_file: "run: container\n  version: VERSION\n  config: yaml\n  container: {engine: docker}" in spec;
    nerdctl: "run: container\n  version: VERSION\n  container: {engine: nerdctl}" in stacked;
}
