//! The digests that make the kubelet start a static pod anew: over the files that it reads at its
//! start only.

use crate::derive::Sealed;
use crate::plan::{FilePlan, HostPlan, Source};
use crate::render::Digests;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A pod's digest is `sha256:` and the SHA-256 of lines `DIGEST  PATH` for the files whose change restarts it, in byte
/// order of their paths; DIGEST is `hmac` of the manifest where the file is sealed, else `sha256`. So it
/// says nothing that the manifest does not, and anybody can compute it from there.
pub(super) fn digests(
    host: &HostPlan,
    contents: &BTreeMap<String, Vec<u8>>,
    sealed: &BTreeMap<String, Sealed>,
) -> Digests {
    of(host, |path| {
        let public = || contents.get(path).map(|bytes| hex::encode(Sha256::digest(bytes)));
        sealed.get(path).map(|sealed| sealed.hmac.clone()).or_else(public)
    })
}

/// The digests of a host's pods; `published` is what a manifest says of the file at a path. A file that
/// it says nothing of is left out.
pub fn of(host: &HostPlan, published: impl Fn(&str) -> Option<String>) -> Digests {
    let pods = host.files.iter().filter_map(|file| pod(file));
    let digest = |name: &str| {
        let read = host.files.iter().filter(|file| host.reads_at_start(name, file));
        let lines = read.filter_map(|file| Some(format!("{}  {}\n", published(&file.path)?, file.path)));
        // a bare digest would look like a seed
        format!("sha256:{}", hex::encode(Sha256::digest(lines.collect::<String>())))
    };
    pods.map(|name| (name.to_owned(), digest(name))).collect()
}

/// The name of the pod whose manifest a file is.
pub fn pod(file: &FilePlan) -> Option<&'static str> {
    let Source::Pod(path) = file.source else { return None };
    path.rsplit('/').next()?.strip_suffix(".yaml")
}
