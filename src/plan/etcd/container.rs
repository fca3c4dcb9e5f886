//! What runs a member's container.

use crate::spec::types::{ContainerEngine, EtcdConfig, EtcdRun, Spec};
use serde::Serialize;

/// What runs a member's container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerPlan {
    /// The engine: `podman`, `docker` or `nerdctl`.
    #[serde(serialize_with = "engine_name")]
    pub engine: ContainerEngine,
    /// Its program.
    pub program: String,
    /// Where the settings stand.
    #[serde(skip)]
    pub config: EtcdConfig,
    /// The user and group that run etcd, by number; the image's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<(u32, u32)>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn engine_name<S: serde::Serializer>(engine: &ContainerEngine, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(engine.name())
}

/// The number that the user of etcd has by default.
const UID: u32 = 379;

/// What runs the containers of a spec; none where etcd runs in no container of its own.
pub(super) fn plan(spec: &Spec) -> Option<ContainerPlan> {
    if spec.etcd.run != EtcdRun::Container {
        return None;
    }
    let of = &spec.etcd.container;
    let default = match of.engine {
        ContainerEngine::Podman => "/usr/bin/podman",
        ContainerEngine::Docker => "/usr/bin/docker",
        // no distribution has a package of it
        ContainerEngine::Nerdctl => "/usr/local/bin/nerdctl",
    };
    let user = &spec.etcd.user;
    let written = user.name.is_some() || user.uid.is_some() || user.gid.is_some();
    let uid = user.uid.map_or(UID, |uid| uid.get());
    Some(ContainerPlan {
        engine: of.engine,
        program: of.program.as_ref().map_or_else(|| default.to_owned(), ToString::to_string),
        config: spec.etcd.config,
        user: written.then(|| (uid, user.gid.map_or(uid, |gid| gid.get()))),
    })
}
