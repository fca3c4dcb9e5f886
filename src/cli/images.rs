//! `sealift images`: every image that the hosts of a spec need.

use super::args::Images;
use super::check::report;
use super::failure::{Failure, USAGE};
use super::output::Output;
use super::world::{self, Issued};
use crate::plan::ImageUse;
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Serialize)]
struct Listed<'a> {
    command: &'static str,
    exit: u8,
    images: &'a [ImageUse],
}

pub(super) fn run(arguments: &Images, output: &mut Output<'_>) -> Result<u8, Failure> {
    let spec = world::spec(&arguments.spec, Issued::IfThere)?;
    if !report(&spec, "images", output) {
        return Ok(USAGE);
    }
    let images = &spec.plan.images[..];
    output.json(&Listed { command: "images", exit: 0, images });
    // two components may run from one image
    let mut told = BTreeSet::new();
    for used in images.iter().filter(|used| told.insert(&used.image)) {
        output.line(&used.image);
    }
    Ok(0)
}
