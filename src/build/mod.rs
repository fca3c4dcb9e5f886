//! One host, from plan to bundle: where the stages meet.

mod inputs;
mod items;
mod manifest;

pub use inputs::Inputs;
pub use items::{SIGNING, items};
pub use manifest::{find, inputs as file_inputs, origin};

use crate::bundle::pack::{PackError, Packed, pack};
use crate::derive::{Cluster, DeriveError};
use crate::plan::{ClusterPlan, HostPlan};
use crate::render::{RenderError, Renderer};

/// Why a bundle cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Keys, certificates or seals.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// Templates.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The archive.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The plan cannot be written in canonical form.
    #[error("the inputs of {host} cannot be digested: {message}")]
    Inputs {
        /// The host.
        host: String,
        /// Why.
        message: String,
    },
    /// A date outside what RFC 3339 can say.
    #[error("{host}: a date is out of range")]
    Date {
        /// The host.
        host: String,
    },
}

/// Builds one host's bundle: derive, render, pack. `inputs` is the digest of [`Inputs::of`].
///
/// # Errors
/// [`BuildError`].
pub fn host(
    plan: &ClusterPlan,
    host: &HostPlan,
    cluster: &Cluster<'_>,
    renderer: &Renderer<'_>,
    inputs: &str,
) -> Result<Packed, BuildError> {
    let material = cluster.host(host)?;
    let mut contents = renderer.host(host, &material.public)?;
    let manifest = manifest::of(plan, host, &material, inputs)?;
    contents.extend(material.sealed.into_iter().map(|(path, sealed)| (path, sealed.bytes)));
    let epoch = u64::try_from(plan.epoch).map_err(|_| BuildError::Date { host: host.name.clone() })?;
    Ok(pack(manifest, &contents, epoch, cluster.signer().key())?)
}

#[cfg(test)]
mod tests {
    use crate::plan::files::{FILES, RowSource};
    use crate::verify_key::VERIFY_KEY_PATH;

    #[test]
    fn hosts_look_for_the_verify_key_where_the_table_puts_it() {
        let row = FILES.iter().find(|row| row.source == RowSource::VerifyKey);
        assert_eq!(row.map(|row| row.path), Some(VERIFY_KEY_PATH));
    }

    #[test]
    fn hosts_and_plans_mean_the_same_places_and_names() {
        assert_eq!(crate::plan::OPERATOR, crate::check::record::OPERATOR);
        assert_eq!(crate::plan::directories::RECORD, crate::check::record::DIRECTORY);
    }
}
