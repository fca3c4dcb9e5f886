//! `sealift verify`: bundles, output directories, or what a host holds.

use super::args::Verify;
use super::failure::{Failure, USAGE};
use super::install::hostname;
use super::output::Output;
use super::world;
use crate::bundle::open::{Verified, open};
use crate::check::bundle::{verify_bundle, verify_output};
use crate::check::host::{self, verify_host};
use crate::finding::{Finding, exit_code};
use crate::rootfs::Root;
use serde::Serialize;
use std::fs;
use std::path::Path;

#[derive(Serialize)]
struct Verdict<'a> {
    command: &'static str,
    exit: u8,
    /// What was verified.
    subjects: Vec<Subject>,
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct Subject {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    /// Files of a bundle or host, bundles of an output directory.
    count: usize,
}

pub(super) fn run(arguments: &Verify, output: &mut Output<'_>) -> Result<u8, Failure> {
    let (subjects, findings) = match &arguments.root {
        Some(root) => of_root(arguments, root)?,
        None => of_paths(arguments)?,
    };
    let found = exit_code(&findings);
    let exit = if arguments.tolerate.contains(&found) { 0 } else { found };
    output.json(&Verdict { command: "verify", exit, subjects, findings: &findings });
    Ok(exit)
}
