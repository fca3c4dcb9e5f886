//! kubeadm's configurations with bootstrap tokens in them.

use super::keyring::{Keyring, KeyringError};
use super::secrets::token;
use crate::plan::{ClusterPlan, KubeadmPlan, Step, TokenPlan};
use crate::spec::scalars::Timestamp;
use crate::spec::yaml::{block, scalar};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// The whole file: the plan's documents, and in the first one the tokens, in text alone, so that no copy
/// of them stays in memory. None when an expiry cannot be written. `hashes` are those of the trusted
/// CA keys, one a line.
pub(super) fn configuration(
    keyring: &Keyring,
    cluster: &ClusterPlan,
    plan: &KubeadmPlan,
    hashes: &str,
) -> Result<Option<Zeroizing<String>>, KeyringError> {
    let shown = || cluster.tokens.iter().filter(|token| plan.tokens.contains(&token.name));
    let mut text = Zeroizing::new(String::with_capacity(16 * 1024));
    text.push_str(match plan.step {
        Step::Init => {
            "# Secret: it has bootstrap tokens.\n# kubeadm init --config /etc/kubernetes/kubeadm/init.yaml\n"
        }
        Step::Join => {
            "# Secret: it has a bootstrap token.\n# kubeadm join --config /etc/kubernetes/kubeadm/join.yaml\n"
        }
    });
    for (number, document) in plan.documents.iter().enumerate() {
        let mut map = document.map().clone();
        if number > 0 {
            text.push_str("---\n");
            write(&mut text, map);
            continue;
        }
        let discovery = map.remove("discovery");
        write(&mut text, map);
        match (plan.step, shown().next()) {
            (Step::Init, Some(_)) => {
                text.push_str("bootstrapTokens:\n");
                for planned in shown() {
                    let Some(expires) = Timestamp::from_unix(planned.expires) else { return Ok(None) };
                    made(&mut text, keyring, &cluster.id, planned, &expires.to_string())?;
                }
            }
            (Step::Join, Some(planned)) => {
                let endpoint =
                    discovery.as_ref().and_then(|value| value.pointer("/bootstrapToken/apiServerEndpoint"));
                let endpoint = endpoint.and_then(Value::as_str).unwrap_or_default();
                used(&mut text, endpoint, hashes, keyring, &cluster.id, planned)?;
            }
            (_, None) => {}
        }
    }
    Ok(Some(text))
}

fn write(text: &mut Zeroizing<String>, mut map: Map<String, Value>) {
    for key in ["apiVersion", "kind"] {
        if let Some(value) = map.remove(key) {
            text.extend([key, ": ", &scalar(value.as_str().unwrap_or_default()), "\n"]);
        }
    }
    if !map.is_empty() {
        text.push_str(&block(&Value::Object(map), 0));
    }
}

/// A token that `kubeadm init` makes known.
fn made(
    text: &mut Zeroizing<String>,
    keyring: &Keyring,
    cluster: &str,
    planned: &TokenPlan,
    expires: &str,
) -> Result<(), KeyringError> {
    let (id, secret) = token(keyring, cluster, planned)?;
    text.extend([
        "- description: ",
        &scalar(&planned.name),
        "\n  expires: \"",
        expires,
        "\"\n  groups:\n  - system:bootstrappers:kubeadm:default-node-token\n  token: \"",
        &id,
        ".",
        &secret,
        "\"\n  usages:\n  - signing\n  - authentication\n",
    ]);
    Ok(())
}

/// A token that `kubeadm join` comes with.
fn used(
    text: &mut Zeroizing<String>,
    endpoint: &str,
    hashes: &str,
    keyring: &Keyring,
    cluster: &str,
    planned: &TokenPlan,
) -> Result<(), KeyringError> {
    let (id, secret) = token(keyring, cluster, planned)?;
    let endpoint = scalar(endpoint);
    text.extend([
        "discovery:\n  bootstrapToken:\n    apiServerEndpoint: ",
        &endpoint,
        "\n    caCertHashes:\n",
    ]);
    for hash in hashes.lines() {
        text.extend(["    - ", hash, "\n"]);
    }
    text.extend([
        "    token: \"",
        &id,
        ".",
        &secret,
        "\"\n  tlsBootstrapToken: \"",
        &id,
        ".",
        &secret,
        "\"\n",
    ]);
    Ok(())
}
