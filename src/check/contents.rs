//! What the files of a bundle say: certificates that serve what their files are for, kubeconfigs of the
//! cluster's authority, YAML, JSON and units that parse.
//!
//! A bundle that passed [`open`](crate::bundle::open::open) is whole and signed; here its signer is not
//! believed to have signed what works.

mod certificates;
mod kubeconfigs;
mod names;
mod syntax;

use crate::bundle::open::Verified;
use crate::check::sealed::Sealed;
use crate::finding::Finding;

/// The way out: what is signed cannot be mended on the way.
const REBUILD: &str = "build the bundle again, and find out what made it so";

/// Everything that can be said of public files.
pub fn of_bundle(bundle: &Verified) -> Vec<Finding> {
    let mut findings = certificates::of_bundle(bundle);
    findings.extend(names::of_bundle(bundle));
    for file in bundle.manifest().files.iter().filter(|file| !file.sealed) {
        let Some(contents) = bundle.contents(&file.path) else { continue };
        findings.extend(syntax::check(&file.path, contents, &bundle.place(&file.path)));
        findings.extend(kubeconfigs::check(bundle, &file.path, contents));
    }
    findings.extend(kubeconfigs::fields(bundle));
    findings
}

/// The same of files that were opened.
pub fn of_sealed(bundle: &Verified, sealed: &Sealed<'_>) -> Vec<Finding> {
    let opened = sealed.plaintexts.iter();
    let check = opened.flat_map(|(file, plaintext)| {
        let place = bundle.place(&file.path);
        let broken = syntax::check(&file.path, plaintext, &place);
        broken.into_iter().chain(kubeconfigs::check(bundle, &file.path, plaintext))
    });
    check.collect()
}
