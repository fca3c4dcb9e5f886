//! `sealift csr`: what external authorities must sign before a build.

use super::args::Csr;
use super::build::derive_failure;
use super::check::{counted, report};
use super::failure::{Failure, USAGE};
use super::keyring;
use super::output::Output;
use super::output_directory::{Staged, names};
use super::world::{self, Issued};
use crate::derive::{Cluster, Request};
use crate::plan::certs::CertRow;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Written {
    command: &'static str,
    exit: u8,
    out: String,
    requests: Vec<String>,
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE REQUEST-----";

pub(super) fn run(arguments: &Csr, output: &mut Output<'_>) -> Result<u8, Failure> {
    let spec = world::spec(&arguments.spec, Issued::NotYet)?;
    if !report(&spec, "csr", output) {
        return Ok(USAGE);
    }
    let identities = world::identities(&arguments.identities)?;
    let keyring = keyring::of_spec(arguments.seed.as_deref(), &identities, &spec)?;
    let plan = &spec.plan;
    let cluster = Cluster::new(&plan.cluster, &keyring, spec.imports.material())
        .map_err(|error| derive_failure(&error))?;
    let mut all: Vec<(&str, Vec<Request>)> = Vec::new();
    for host in plan.hosts.values().chain([&plan.operator]) {
        let requests = cluster.requests(host).map_err(|error| derive_failure(&error))?;
        if !requests.is_empty() {
            all.push((&host.name, requests));
        }
    }
    if all.is_empty() {
        let message = format!("{}: no external authority issues anything", spec.name);
        return Err(Failure::new(USAGE, message).hint("write `external` at an authority in `pki.cas`"));
    }
    let out = &super::build::resolve(arguments.out.clone())?;
    refuse_foreign(out)?;
    let staged = Staged::new(out)?;
    let mut written = Vec::new();
    for (host, requests) in &all {
        staged.directory(host)?;
        for request in requests {
            let name = format!("{host}/{}.csr", request.id);
            staged.write(&name, request.pem.as_bytes())?;
            written.push(name);
        }
    }
    staged.publish(out)?;
    output.good("written", format_args!("{}: {}", out.display(), counted(written.len(), "request")));
    output.json(&Written { command: "csr", exit: 0, out: out.display().to_string(), requests: written });
    Ok(0)
}

/// The whole directory is replaced, so whatever is no request of an earlier run is an error.
fn refuse_foreign(out: &Path) -> Result<(), Failure> {
    for host in names(out)? {
        let directory = out.join(&host);
        let foreign = if directory.is_dir() && !directory.is_symlink() {
            let foreign = names(&directory)?.into_iter().find(|name| !is_request(&directory, name));
            foreign.map(|name| format!("{host}/{name}"))
        } else {
            Some(host)
        };
        if let Some(foreign) = foreign {
            let message = format!("{} holds {foreign}, which is no request of sealift", out.display());
            return Err(Failure::new(USAGE, message)
                .hint("the whole directory is replaced: name another one with -o, or move that file"));
        }
    }
    Ok(())
}

fn is_request(directory: &Path, name: &str) -> bool {
    let known = name.strip_suffix(".csr").is_some_and(|id| CertRow::find(id).is_some());
    known && world::read_bounded(&directory.join(name)).is_ok_and(|bytes| bytes.starts_with(BEGIN))
}
