//! What runs a container: an etcd member's, or a balancer's.

use super::{Owner, unit};
use crate::spec::scalars::AbsolutePath;
use crate::spec::types::{ContainerEngine, EtcdRun, Spec};
use serde::Serialize;

/// What runs a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerPlan {
    /// The engine: `podman`, `docker` or `nerdctl`.
    #[serde(serialize_with = "engine_name")]
    pub engine: ContainerEngine,
    /// Its program.
    pub program: String,
    /// The user and group in it, by number; the image's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Owner>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn engine_name<S: serde::Serializer>(engine: &ContainerEngine, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(engine.name())
}

impl ContainerPlan {
    /// An engine with its usual program, or the one given.
    pub(in crate::plan) fn new(
        engine: ContainerEngine,
        program: Option<&AbsolutePath>,
        user: Option<Owner>,
    ) -> Self {
        let default = match engine {
            ContainerEngine::Podman => "/usr/bin/podman",
            ContainerEngine::Docker => "/usr/bin/docker",
            // no distribution has a package of it
            ContainerEngine::Nerdctl => "/usr/local/bin/nerdctl",
        };
        Self { engine, program: program.map_or_else(|| default.to_owned(), ToString::to_string), user }
    }
}

/// What runs the containers of a spec; none where etcd runs in no container of its own.
pub(super) fn plan(spec: &Spec) -> Option<ContainerPlan> {
    let of = &spec.etcd.container;
    let plan = || ContainerPlan::new(of.engine, of.program.as_ref(), unit::owner(spec));
    (spec.etcd.run == EtcdRun::Container).then(plan)
}
