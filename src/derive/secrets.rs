//! Secrets that are no private keys: the at-rest configuration, bootstrap tokens, passwords.

use super::keyring::{Keyring, KeyringError};
use super::label::{Label, Purpose};
use super::letters::{LOWER, MIXED, letters};
use crate::plan::{ClusterPlan, EncryptionKeyPlan, EncryptionPlan, PasswordPlan, TokenPlan, VrrpPassword};
use crate::spec::scalars::Timestamp;
use crate::spec::yaml::scalar;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

/// The API server's `EncryptionConfiguration` (apiserver.config.k8s.io/v1): the first key encrypts,
/// all decrypt; `identity`, last, reads what was written before.
pub(super) fn encryption_config(
    keyring: &Keyring,
    cluster: &str,
    plan: &EncryptionPlan,
) -> Result<Zeroizing<String>, KeyringError> {
    let mut text = Zeroizing::new(String::with_capacity(1024));
    text.push_str("apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n");
    text.push_str("- resources:\n");
    for resource in &plan.resources {
        text.extend(["  - ", &scalar(resource), "\n"]);
    }
    text.push_str("  providers:\n");
    let mut last = "";
    for key in plan.keys.all() {
        if key.provider != last {
            text.extend(["  - ", key.provider, ":\n      keys:\n"]);
            last = key.provider;
        }
        let secret = at_rest_key(keyring, cluster, key)?;
        let name = key.generation.to_string();
        text.extend(["      - name: key", &name, "\n        secret: ", &secret, "\n"]);
    }
    if plan.identity {
        text.push_str("  - identity: {}\n");
    }
    Ok(text)
}

fn at_rest_key(
    keyring: &Keyring,
    cluster: &str,
    plan: &EncryptionKeyPlan,
) -> Result<Zeroizing<String>, KeyringError> {
    let generation = plan.generation.to_string();
    let label = Label {
        cluster,
        row: "encryption-at-rest",
        algorithm: plan.provider,
        generation: &generation,
        ..Label::default()
    };
    let key = keyring.seed(plan.seed)?.secret::<32>(Purpose::AtRest, &label);
    Ok(Zeroizing::new(BASE64_STANDARD.encode(key.as_slice())))
}

/// A bootstrap token's public id, 6 letters, and its secret, 16.
pub(super) fn token(
    keyring: &Keyring,
    cluster: &str,
    plan: &TokenPlan,
) -> Result<(String, Zeroizing<String>), KeyringError> {
    let generation = plan.generation.to_string();
    let label = Label {
        cluster,
        row: "bootstrap-token",
        instance: &plan.name,
        generation: &generation,
        ..Label::default()
    };
    let number = keyring.seed(plan.seed)?.secret::<64>(Purpose::Token, &label);
    let text = letters(&number, LOWER, 22);
    let (id, secret) = text.split_at_checked(6).unwrap_or_default();
    Ok((id.to_owned(), Zeroizing::new(secret.to_owned())))
}

/// A bootstrap token as clients present it.
pub(super) fn whole_token(
    keyring: &Keyring,
    cluster: &str,
    plan: &TokenPlan,
) -> Result<Zeroizing<String>, KeyringError> {
    let (id, secret) = token(keyring, cluster, plan)?;
    let mut text = Zeroizing::new(String::with_capacity(23));
    text.extend([&id, ".", &secret]);
    Ok(text)
}

/// The Secrets of all bootstrap tokens, as kubeadm's `phases/bootstraptoken/node/token.go` makes
/// them; none when an expiry cannot be written.
pub(super) fn bootstrap_tokens(
    keyring: &Keyring,
    plan: &ClusterPlan,
) -> Result<Option<Zeroizing<String>>, KeyringError> {
    let mut text = Zeroizing::new(String::with_capacity(1024 * plan.tokens.len()));
    for planned in &plan.tokens {
        let Some(expires) = Timestamp::from_unix(planned.expires) else { return Ok(None) };
        let (id, secret) = token(keyring, &plan.id, planned)?;
        let parts = [
            if text.is_empty() { "# " } else { "---\n# " },
            &planned.name,
            ": kubeadm join --token ",
            &id,
            ".",
            &secret,
            "\napiVersion: v1\nkind: Secret\nmetadata:\n  name: bootstrap-token-",
            &id,
            "\n  namespace: kube-system\ntype: bootstrap.kubernetes.io/token\nstringData:\n",
            "  auth-extra-groups: system:bootstrappers:kubeadm:default-node-token\n  expiration: \"",
            &expires.to_string(),
            "\"\n  token-id: \"",
            &id,
            "\"\n  token-secret: \"",
            &secret,
            "\"\n  usage-bootstrap-authentication: \"true\"\n  usage-bootstrap-signing: \"true\"\n",
        ];
        text.extend(parts);
    }
    Ok(Some(text))
}

/// A password, without a line feed behind it.
pub(super) fn password(
    keyring: &Keyring,
    cluster: &str,
    plan: &PasswordPlan,
) -> Result<Zeroizing<String>, KeyringError> {
    let generation = plan.generation.to_string();
    let label =
        Label { cluster, row: "password", instance: &plan.name, generation: &generation, ..Label::default() };
    let number = keyring.seed(plan.seed)?.secret::<64>(Purpose::Password, &label);
    Ok(letters(&number, MIXED, usize::try_from(plan.length).unwrap_or_default()))
}

/// keepalived takes no more of a password (RFC 2338, section 5.3.10).
const VRRP_LETTERS: usize = 8;

/// The part of keepalived's configuration that has the password of a virtual router, the same on all its
/// hosts.
pub(super) fn vrrp_authentication(
    keyring: &Keyring,
    cluster: &str,
    plan: &VrrpPassword,
) -> Result<Zeroizing<String>, KeyringError> {
    let (router, generation) = (plan.router_id.to_string(), plan.generation.to_string());
    let label = Label {
        cluster,
        row: "vrrp-password",
        instance: &router,
        generation: &generation,
        ..Label::default()
    };
    let number = keyring.seed(plan.seed)?.secret::<64>(Purpose::Password, &label);
    let password = letters(&number, MIXED, VRRP_LETTERS);
    let mut text = Zeroizing::new(String::with_capacity(128));
    text.extend(["# Secret: the password of the virtual router.\n"]);
    text.extend(["authentication {\n    auth_type PASS\n    auth_pass ", &password, "\n}\n"]);
    Ok(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{Keyring, VrrpPassword, vrrp_authentication};

    const CLUSTER: &str = "7e570000000000000000000000000001";

    /// The password was computed with Python's hmac, hashlib and integers.
    #[test]
    fn a_known_password() {
        let keyring = Keyring::read(Keyring::write(CLUSTER, &[7; 32]).as_bytes()).unwrap();
        let plan = VrrpPassword { router_id: 51, seed: 1, generation: 2, path: String::new() };
        let text = vrrp_authentication(&keyring, CLUSTER, &plan).unwrap();
        assert_eq!(
            *text,
            "# Secret: the password of the virtual router.\n\
             authentication {\n    auth_type PASS\n    auth_pass YsHFWaKc\n}\n"
        );
    }
}
