//! What the files of a bundle say: certificates that serve what their files are for, kubeconfigs of the
//! cluster's authority, YAML, JSON and units that parse.
//!
//! A bundle that passed [`open`](crate::bundle::open::open) is whole and signed; here its signer is not
//! believed to have signed what works.

mod certificates;
mod kubeconfigs;
mod names;
pub mod syntax;

use crate::bundle::manifest::Manifest;
use crate::bundle::open::Verified;
use crate::check::sealed::Sealed;
use crate::finding::{Finding, Id};

/// The way out: what is signed cannot be mended on the way.
const REBUILD: &str = "build the bundle again, and find out what made it so";

/// Public files, wherever they lie.
struct View<'a> {
    manifest: &'a Manifest,
    /// A public file's contents; none of what is not there, or cannot be read.
    contents: &'a dyn Fn(&str) -> Option<&'a [u8]>,
    /// How findings name a path.
    place: &'a dyn Fn(&str) -> String,
    /// The way out.
    mend: &'a str,
}

impl View<'_> {
    fn finding(&self, id: Id, path: &str) -> Finding {
        Finding::new(id, (self.place)(path), self.mend)
    }
}

/// The certificates of a host: `contents` gives those that could be read.
pub fn of_host<'a>(
    manifest: &'a Manifest,
    contents: &'a dyn Fn(&str) -> Option<&'a [u8]>,
    mend: &'a str,
) -> Vec<Finding> {
    let view = View { manifest, contents, place: &str::to_owned, mend };
    [certificates::check(&view), names::check(&view)].concat()
}

/// Everything that can be said of a bundle's public files.
pub fn of_bundle(bundle: &Verified) -> Vec<Finding> {
    let public =
        |path: &str| bundle.file(path).filter(|file| !file.sealed).and_then(|_| bundle.contents(path));
    let place = |path: &str| bundle.place(path);
    let view = View { manifest: bundle.manifest(), contents: &public, place: &place, mend: REBUILD };
    let mut findings = [certificates::check(&view), names::check(&view)].concat();
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
