//! Kubeconfigs against the cluster's authority.

use super::REBUILD;
use super::certificates::{KUBERNETES, pem_blocks};
use crate::bundle::manifest::Policy;
use crate::bundle::open::Verified;
use crate::bundle::sums::sha256_hex;
use crate::check::kubeconfig::{self, Reference};
use crate::finding::{Finding, Id};
use std::collections::BTreeSet;

/// A kubeconfig whose clusters trust other certificates than `ca.crt` of the same bundle holds.
pub(super) fn check(bundle: &Verified, path: &str, contents: &[u8]) -> Option<Finding> {
    let is_one = path.starts_with("/etc/kubernetes/") && path.strip_suffix(".conf").is_some();
    if !is_one || !kubeconfig::looks_like(contents) {
        return None;
    }
    let own = digests(&pem_blocks(bundle.contents(KUBERNETES).unwrap_or_default()));
    let kubeconfig = match kubeconfig::read(contents) {
        Ok(kubeconfig) => kubeconfig?,
        Err(error) => {
            let finding = Finding::new(Id::KubeconfigMalformed, bundle.place(path), REBUILD);
            return Some(finding.found(error.to_string()));
        }
    };
    if own.is_empty() {
        return None;
    }
    let trusted = kubeconfig.clusters.iter().filter_map(|cluster| match &cluster.authority {
        Some(Reference::Data(pem)) => Some(digests(&pem_blocks(pem))),
        // what is named is checked as the file that it is
        Some(Reference::File(_)) => None,
        None => Some(BTreeSet::new()),
    });
    trusted.into_iter().any(|trusted| trusted != own).then(|| mismatch(bundle, path))
}

/// The same of initial files, whose authority stands in the manifest for all to see.
pub(super) fn fields(bundle: &Verified) -> Vec<Finding> {
    let Some(own) = bundle.contents(KUBERNETES) else { return Vec::new() };
    let own = format!("sha256:{}", sha256_hex(own));
    let initial = bundle.manifest().files.iter().filter(|file| file.policy == Policy::Initial && file.sealed);
    let differs = initial.filter(|file| {
        let fields = file.fields.as_ref().filter(|fields| fields.format == "kubeconfig");
        fields.and_then(|fields| fields.values.get("certificateAuthority")).is_some_and(|value| *value != own)
    });
    differs.map(|file| mismatch(bundle, &file.path)).collect()
}

fn mismatch(bundle: &Verified, path: &str) -> Finding {
    Finding::new(Id::KubeconfigAuthority, bundle.place(path), REBUILD)
        .expected(format!("the certificates of {KUBERNETES}"))
        .found("others")
}

fn digests(blocks: &[x509_parser::pem::Pem]) -> BTreeSet<String> {
    blocks.iter().map(|block| sha256_hex(&block.contents)).collect()
}
