//! `sealift build`: bundles for all hosts, written whole or not at all.

use super::args::Build;
use super::brought;
use super::failure::{Failure, MACHINE, USAGE};
use super::keyring;
use super::output::Output;
use super::output_directory::{Previous, Staged};
use super::world::{self, Issued, SpecFile};
use crate::build::{self, BuildError, Inputs};
use crate::bundle::index::{BUNDLE_SUFFIX, BundleRef, INDEX, Index};
use crate::bundle::manifest::{ClusterRef, Revision};
use crate::bundle::trust::trust_line;
use crate::bundle::{SIGNATURE, SUMS};
use crate::derive::keyring::Keyring;
use crate::derive::{Cluster, DeriveError};
use crate::imports::Material;
use crate::plan::{HostPlan, Plan};
use crate::render::Renderer;
use crate::render::templates::Templates;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Built<'a> {
    command: &'static str,
    exit: u8,
    out: String,
    #[serde(rename = "built")]
    fresh: Vec<&'a str>,
    unchanged: Vec<&'a str>,
    index: &'a Index,
}

pub(super) fn run(arguments: &Build, output: &mut Output<'_>) -> Result<u8, Failure> {
    let mut spec = world::spec(&arguments.spec, Issued::Needed)?;
    if !super::check::report(&spec, "build", output) {
        return Ok(USAGE);
    }
    let templates = templates(arguments.templates.as_deref())?;
    let identities = world::identities(&arguments.identities)?;
    let keyring = keyring::of_spec(arguments.seed.as_deref(), &identities, &spec)?;
    let found = brought::open(&mut spec, &identities, &keyring)?;
    if !super::check::report_later("build", &mut spec, found, output) {
        return Ok(USAGE);
    }
    let default = || spec.directory.join("bundles").join(&spec.plan.cluster.name);
    let out = resolve(arguments.out.clone().unwrap_or_else(default))?;
    // the text and its tree are not needed any more, and a large fleet's are large
    let SpecFile { plan, imports, .. } = spec;
    let plan = &plan;
    let job = Job::new(plan, &keyring, imports.material(), &templates, &arguments.hosts)?;
    let previous = Previous::read(&out, &plan.cluster, &job.cluster)?;
    let staged = Staged::new(&out)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.jobs.map_or(0, |jobs| jobs.get().min(job.all.len())))
        .build()
        .map_err(|_| Failure::new(MACHINE, "cannot start threads").hint("allow more, or give -j 1"))?;
    let progress = progress(output, job.wanted.len());
    let results: Vec<_> = pool.install(|| {
        let one = |host: &HostPlan| {
            let result = job.bundle(host, &previous, &staged, arguments.rebuild);
            progress.inc(1);
            result
        };
        job.all.clone().into_par_iter().filter_map(|host| one(host).transpose()).collect()
    });
    progress.finish_and_clear();
    let made: Vec<Made> = results.into_iter().collect::<Result<_, _>>()?;
    let index = job.index(&made)?;
    job.write_index(&index, &staged)?;
    staged.publish(&out)?;
    report(&out, &made, &index, output);
    Ok(0)
}

/// A link stays a link: what it leads to is replaced.
pub(super) fn resolve(out: PathBuf) -> Result<PathBuf, Failure> {
    if !out.is_symlink() {
        return Ok(out);
    }
    fs::canonicalize(&out).map_err(|error| world::unwritable(&out, &error))
}

fn report(out: &Path, made: &[Made], index: &Index, output: &mut Output<'_>) {
    let names = |fresh| made.iter().filter(move |one| one.fresh == fresh).map(|one| one.entry.host.as_str());
    output.json(&Built {
        command: "build",
        exit: 0,
        out: out.display().to_string(),
        fresh: names(true).collect(),
        unchanged: names(false).collect(),
        index,
    });
    let built: Vec<_> = names(true).collect();
    let unchanged = names(false).count();
    match built.as_slice() {
        [] => output.good("unchanged", format_args!("{}: {unchanged} bundles", out.display())),
        names => {
            let shown = if names.len() > 8 { format!("{} bundles", names.len()) } else { names.join(", ") };
            let kept =
                if unchanged > 0 { format!(" ({unchanged} kept as they were)") } else { String::new() };
            output.good("built", format_args!("{}: {shown}{kept}", out.display()));
        }
    }
}

fn progress(output: &Output<'_>, hosts: usize) -> ProgressBar {
    // below this a bar would only flicker
    if !output.progress || output.is_json() || hosts < 50 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(hosts as u64);
    let style = ProgressStyle::with_template("building {bar:30} {pos}/{len} hosts");
    style.map_or(ProgressBar::hidden(), |style| bar.with_style(style))
}

/// One bundle of the output, new or kept.
struct Made {
    entry: BundleRef,
    fresh: bool,
}

/// What all hosts of one build share.
struct Job<'a> {
    plan: &'a Plan,
    cluster: Cluster<'a>,
    renderer: Renderer<'a>,
    inputs: Inputs<'a>,
    all: Vec<&'a HostPlan>,
    wanted: BTreeSet<&'a str>,
}

impl<'a> Job<'a> {
    fn new(
        plan: &'a Plan,
        keyring: &'a Keyring,
        imported: &'a Material,
        templates: &'a Templates,
        only: &'a [String],
    ) -> Result<Self, Failure> {
        let cluster =
            Cluster::new(&plan.cluster, keyring, imported).map_err(|error| derive_failure(&error))?;
        let renderer = Renderer::new(templates).map_err(|error| {
            Failure::from_error(USAGE, &error)
                .hint("mend the template; `sealift build` without --templates uses the built-in ones")
        })?;
        let all: Vec<_> = plan.hosts.values().chain([&plan.operator]).collect();
        let names: BTreeSet<_> = all.iter().map(|host| host.name.as_str()).collect();
        if let Some(unknown) = only.iter().find(|name| !names.contains(name.as_str())) {
            return Err(Failure::new(USAGE, format!("--host {unknown}: the spec has no such host"))
                .hint(format!("it has {}", listed(&names))));
        }
        let wanted = if only.is_empty() { names } else { only.iter().map(String::as_str).collect() };
        let inputs = Inputs::new(&plan.cluster, all.iter().copied(), |seed| keyring.seed_id(seed), templates)
            .map_err(|error| keyring::failure(&error))?;
        Ok(Self { plan, cluster, renderer, inputs, all, wanted })
    }

    /// Builds one bundle, or keeps the one that the output already has. None when it is neither
    /// wanted nor there.
    fn bundle(
        &self,
        host: &HostPlan,
        previous: &Previous,
        staged: &Staged,
        rebuild: bool,
    ) -> Result<Option<Made>, Failure> {
        let wanted = self.wanted.contains(host.name.as_str());
        let inputs = self.inputs.of(host).map_err(|error| build_failure(&error))?;
        if let Some(entry) = previous.entry(&host.name) {
            let current = entry.inputs == inputs && !rebuild;
            if (current || !wanted) && staged.keep(previous, entry)? {
                let entry = BundleRef { stale: entry.inputs != inputs, ..entry.clone() };
                return Ok(Some(Made { entry, fresh: false }));
            }
        }
        if !wanted {
            previous.leave_out(&host.name)?;
            return Ok(None);
        }
        let packed = build::host(&self.plan.cluster, host, &self.cluster, &self.renderer, &inputs)
            .map_err(|error| build_failure(&error))?;
        let file = format!("{}{BUNDLE_SUFFIX}", host.name);
        staged.write(&file, &packed.bytes)?;
        let revision = Revision { cluster: self.plan.cluster.revision, host: host.revision };
        let entry = BundleRef {
            host: host.name.clone(),
            file,
            sha256: packed.sha256,
            revision,
            inputs,
            stale: false,
        };
        Ok(Some(Made { entry, fresh: true }))
    }

    fn index(&self, made: &[Made]) -> Result<Index, Failure> {
        let cluster = &self.plan.cluster;
        let bundles = made.iter().map(|one| one.entry.clone()).collect();
        Ok(Index {
            format: crate::bundle::index::FORMAT,
            cluster: ClusterRef { id: cluster.id.clone(), name: cluster.name.clone() },
            seeds: self.inputs.seeds().clone(),
            cluster_digest: self.inputs.of_cluster().map_err(|error| build_failure(&error))?,
            sealift: env!("CARGO_PKG_VERSION").to_owned(),
            items: build::items(cluster),
            bundles,
        })
    }

    fn write_index(&self, index: &Index, staged: &Staged) -> Result<(), Failure> {
        let key = self.cluster.signer().key();
        let signed = index.clone().sign(key).map_err(|error| Failure::from_error(MACHINE, &error))?;
        let line = |key| trust_line(&self.plan.cluster.id, key);
        let lines: String = self.cluster.signers().iter().map(line).collect();
        staged.write(INDEX, &signed.index)?;
        staged.write(SUMS, signed.sums.as_bytes())?;
        staged.write(SIGNATURE, signed.signature.as_bytes())?;
        staged.write("trust", lines.as_bytes())
    }
}

fn listed(names: &BTreeSet<&str>) -> String {
    let shown: Vec<_> = names.iter().copied().take(12).collect();
    let more = if names.len() > shown.len() { ", …" } else { "" };
    shown.join(", ") + more
}

fn build_failure(error: &BuildError) -> Failure {
    match error {
        BuildError::Derive(error) => derive_failure(error),
        BuildError::Render(_) => Failure::from_error(USAGE, error)
            .hint("the template names something that is not there, or a value has characters that this format cannot hold"),
        _ => Failure::from_error(MACHINE, error),
    }
}

pub(super) fn derive_failure(error: &DeriveError) -> Failure {
    match error {
        DeriveError::Keyring(error) => keyring::failure(error),
        _ => Failure::from_error(MACHINE, error),
    }
}

pub(super) fn templates(directory: Option<&Path>) -> Result<Templates, Failure> {
    let embedded = Templates::embedded();
    let Some(directory) = directory else { return Ok(embedded) };
    let mut files = BTreeMap::new();
    collect(directory, directory, &mut files)?;
    embedded.replace(files).map_err(|error| {
        let hint = format!("did you mean {}?", error.nearest);
        Failure::from_error(USAGE, &error).hint(hint)
    })
}

fn collect(root: &Path, directory: &Path, files: &mut BTreeMap<String, String>) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| world::unreadable(directory, &error);
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path: PathBuf = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let text = String::from_utf8(world::read(&path)?)
            .map_err(|_| Failure::new(USAGE, format!("{} is not UTF-8", path.display())))?;
        let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        files.insert(relative, text);
    }
    Ok(())
}
