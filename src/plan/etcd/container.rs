//! What runs a member's container.

use super::{Owner, unit};
use crate::spec::types::{ContainerEngine, EtcdRun, Spec};
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
    /// The user and group that run etcd, by number; the image's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Owner>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn engine_name<S: serde::Serializer>(engine: &ContainerEngine, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(engine.name())
}

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
    Some(ContainerPlan {
        engine: of.engine,
        program: of.program.as_ref().map_or_else(|| default.to_owned(), ToString::to_string),
        user: unit::owner(spec),
    })
}
