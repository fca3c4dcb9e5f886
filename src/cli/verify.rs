//! `sealift verify`: bundles, output directories, or what a host holds.

use super::args::Verify;
use super::check::counted;
use super::failure::{Failure, TRUST, USAGE};
use super::install::{hostname, open_root};
use super::metrics::{self, Snapshot};
use super::output::{Output, Stopped};
use super::sarif::{Place, Report};
use super::world::{self, Trusted};
use crate::bundle::index::BUNDLE_SUFFIX;
use crate::bundle::open::{Verified, open};
use crate::check::bundle::verify_bundle;
use crate::check::host::{self, verify_host};
use crate::check::inventory::of_root;
use crate::check::output::{OutputDirectory, Terms, verify_output};
use crate::check::receipt::ROOT;
use crate::finding::{Finding, Id, exit_code};
use crate::unseal::Identities;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What `verify` says.
#[derive(Serialize, JsonSchema)]
struct Verdict<'a> {
    /// `verify`.
    command: &'static str,
    /// The exit code; tolerated findings do not count.
    exit: u8,
    /// What was verified.
    subjects: &'a [Subject],
    /// What is wrong with them, in the order of subjects; none when all is well.
    findings: &'a [Finding],
}

/// The kinds of subjects beside [`ROOT`].
const BUNDLE: &str = "bundle";
const DIRECTORY: &str = "directory";

/// One bundle, output directory or root.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Subject {
    /// As it was named.
    path: String,
    /// `bundle`, `directory` or `root`.
    kind: &'static str,
    /// The cluster's name. This and what follows is left out of what cannot be believed, and of directories.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    /// The cluster's id, 32 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_id: Option<String>,
    /// The host's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    /// `CLUSTER.HOST`.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    /// SHA-256 of the manifest, lower-case hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<String>,
    /// Files of a bundle or host; bundles of an output directory.
    count: usize,
    #[serde(skip)]
    unit: &'static str,
}

impl Subject {
    fn new(path: &Path, kind: &'static str, count: usize, unit: &'static str) -> Self {
        let path = path.display().to_string();
        let (cluster, cluster_id, host, revision, manifest) = (None, None, None, None, None);
        Self { path, kind, cluster, cluster_id, host, revision, manifest, count, unit }
    }

    fn named(self, bundle: &Verified) -> Self {
        let manifest = bundle.manifest();
        Self {
            cluster: Some(manifest.cluster.name.clone()),
            cluster_id: Some(manifest.cluster.id.clone()),
            host: Some(manifest.host.name.clone()),
            revision: Some(manifest.revision.to_string()),
            manifest: Some(bundle.manifest_sha256().to_owned()),
            ..self
        }
    }
}

/// The JSON Schema of what `verify --format json` prints.
pub(super) fn schema() -> Value {
    #[derive(JsonSchema)]
    #[serde(untagged)]
    #[allow(dead_code, reason = "only its schema is used")]
    enum Answer<'a> {
        Verdict(Verdict<'a>),
        Stopped(Stopped<'a>),
    }
    let mut schema = schemars::schema_for!(Answer<'_>).to_value();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), "sealift verify --format json".into());
    }
    schema
}

/// What all subjects of one run are judged by.
struct Judge {
    trusted: Trusted,
    at: i64,
    within: Option<u64>,
    identities: Option<Identities>,
}

pub(super) fn run(arguments: &Verify, output: &mut Output<'_>) -> Result<u8, Failure> {
    let measure = arguments.metrics.as_deref().zip(arguments.root.as_deref());
    let measure = measure.map(|(file, root)| Measure { file, root, begun: Instant::now() });
    let judged = match judge(arguments) {
        Ok(judged) => judged,
        Err(failure) => {
            if let Some(Err(trouble)) = measure.map(|measure| measure.write(failure.exit, &Judged::default()))
            {
                output.trouble(&trouble);
            }
            return Err(failure);
        }
    };
    // each finding by itself: one that is tolerated must not cover another that is not
    let (tolerated, rest): (Vec<&Finding>, Vec<&Finding>) =
        judged.findings.iter().partition(|finding| arguments.tolerate.contains(&finding.id.class().exit()));
    let mut exit = exit_code(rest);
    if let Some(Err(trouble)) = measure.map(|measure| measure.write(exit, &judged)) {
        output.trouble(&trouble);
        // as among findings: what is not trusted goes before what the machine could not do
        exit = if exit == TRUST { exit } else { trouble.exit };
    }
    let Judged { subjects, findings, .. } = &judged;
    output.json(&Verdict { command: "verify", exit, subjects, findings });
    output.sarif(&Report {
        tolerated: &arguments.tolerate,
        places: &places(arguments.root.as_deref(), &arguments.paths),
        ..Report::new("verify", exit, findings)
    });
    output.findings(findings);
    if findings.is_empty() {
        for subject in subjects {
            tell(subject, output);
        }
    } else if !tolerated.is_empty() {
        output.note(format_args!("tolerated: {}", counted(tolerated.len(), "finding")));
    }
    Ok(exit)
}

/// What was verified, and how it is.
#[derive(Default)]
struct Judged {
    subjects: Vec<Subject>,
    findings: Vec<Finding>,
    /// Of a root: what is installed.
    installed: Option<host::Summary>,
}

fn judge(arguments: &Verify) -> Result<Judged, Failure> {
    let root = arguments.root.as_deref();
    let judge = Judge {
        at: world::time(arguments.at.as_deref())?,
        within: world::span(arguments.within.as_deref())?,
        trusted: world::trust(arguments.trust.file.as_deref(), root.unwrap_or(Path::new("/")))?,
        identities: match arguments.identities.as_slice() {
            [] => None,
            paths => Some(world::identities(paths)?),
        },
    };
    match (root, arguments.paths.as_slice()) {
        (Some(root), []) => judge.root(root, None),
        (Some(root), [bundle]) => judge.root(root, Some(bundle)),
        (Some(_), _) => {
            Err(Failure::new(USAGE, "a host holds one bundle").hint("give at most one bundle with --root"))
        }
        (None, paths) => {
            let (subjects, findings) = judge.paths(paths);
            Ok(Judged { subjects, findings, installed: None })
        }
    }
}

/// What `--metrics` asks for.
#[derive(Clone, Copy)]
struct Measure<'a> {
    file: &'a Path,
    root: &'a Path,
    begun: Instant,
}

impl Measure<'_> {
    fn write(self, exit: u8, judged: &Judged) -> Result<(), Failure> {
        let now = world::now();
        // a root that cannot be opened has no certificates; that is told already
        let inventory = open_root(self.root).map(|root| of_root(&root, now, None)).unwrap_or_default();
        let snapshot = Snapshot {
            now,
            took: self.begun.elapsed(),
            exit,
            findings: &judged.findings,
            installed: judged.installed.as_ref(),
            certificates: &inventory.certificates,
        };
        metrics::write(self.file, &snapshot.text())
    }
}

fn places(root: Option<&Path>, paths: &[PathBuf]) -> Vec<Place> {
    paths.iter().map(|path| Place::output(path)).chain(root.map(Place::root)).collect()
}

fn tell(subject: &Subject, output: &mut Output<'_>) {
    let Subject { path, count, unit, .. } = subject;
    let name = match (&subject.host, &subject.cluster, &subject.revision) {
        (Some(host), Some(cluster), Some(revision)) => format!(", {host} of {cluster}, revision {revision}"),
        _ => String::new(),
    };
    output.good("ok", format_args!("{path}: {count} {unit}{name}"));
}

impl Judge {
    fn root(&self, path: &Path, bundle: Option<&PathBuf>) -> Result<Judged, Failure> {
        let root = open_root(path)?;
        let expected = match bundle {
            None => None,
            Some(bundle) => {
                let name = bundle.display().to_string();
                match open(&world::read(bundle)?, &name, &self.trusted.trust, self.at) {
                    Ok(verified) => Some(verified),
                    Err(findings) => {
                        let subjects = vec![Subject::new(path, ROOT, 0, "files")];
                        return Ok(Judged { subjects, findings, installed: None });
                    }
                }
            }
        };
        let hostname = hostname(&root);
        let addresses = if root.is_system() { Some(world::addresses()?) } else { None };
        let checked = verify_host(
            &root,
            &host::Options {
                trust: &self.trusted.trust,
                at: self.at,
                within: self.within,
                expected: expected.as_ref(),
                hostname: hostname.as_deref(),
                addresses: addresses.as_ref(),
            },
        );
        let mut subject = Subject::new(path, ROOT, checked.files, "files as they should be");
        if let Some(installed) = checked.installed.clone() {
            subject.cluster = Some(installed.cluster);
            subject.cluster_id = Some(installed.cluster_id);
            subject.manifest = Some(installed.manifest);
            subject.host = Some(installed.host);
            subject.revision = Some(installed.revision.to_string());
        }
        Ok(Judged { subjects: vec![subject], findings: checked.findings, installed: checked.installed })
    }

    fn paths(&self, paths: &[PathBuf]) -> (Vec<Subject>, Vec<Finding>) {
        let mut subjects = Vec::new();
        let mut findings = Vec::new();
        for path in paths {
            let result = if path.is_dir() { self.directory(path) } else { self.bundle(path) };
            // one that cannot be read does not hide what is wrong with the others
            let (subject, more) = result.unwrap_or_else(|error| {
                let path_text = path.display().to_string();
                let finding = Finding::new(
                    Id::Unreadable,
                    path_text,
                    "check the path, and run as a user who may read it",
                );
                let kind = if path.is_dir() { DIRECTORY } else { BUNDLE };
                (Subject::new(path, kind, 0, "files"), vec![finding.found(world::reason(&error))])
            });
            subjects.push(subject);
            findings.extend(more);
        }
        (subjects, findings)
    }

    fn bundle(&self, path: &Path) -> io::Result<(Subject, Vec<Finding>)> {
        let name = path.display().to_string();
        match open(&world::read_bounded(path)?, &name, &self.trusted.trust, self.at) {
            Err(findings) => Ok((Subject::new(path, BUNDLE, 0, "files"), findings)),
            Ok(verified) => {
                let files = verified.manifest().files.len();
                let subject = Subject::new(path, BUNDLE, files, "files").named(&verified);
                Ok((subject, verify_bundle(&verified, self.at, self.within, self.identities.as_ref())))
            }
        }
    }

    fn directory(&self, path: &Path) -> io::Result<(Subject, Vec<Finding>)> {
        let output = Listing(path);
        let names = output.names()?;
        let bundles = names.iter().filter(|name| name.ends_with(BUNDLE_SUFFIX)).count();
        let terms = Terms {
            trust: &self.trusted.trust,
            at: self.at,
            within: self.within,
            identities: self.identities.as_ref(),
        };
        let findings = verify_output(&output, &path.display().to_string(), terms);
        Ok((Subject::new(path, DIRECTORY, bundles, "bundles"), findings))
    }
}

/// An output directory on disk.
pub(super) struct Listing<'a>(pub(super) &'a Path);

impl OutputDirectory for Listing<'_> {
    fn names(&self) -> io::Result<Vec<String>> {
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        fs::read_dir(self.0)?.map(name).collect()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        world::read_bounded(&self.0.join(name))
    }
}
