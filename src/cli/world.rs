//! Reading the world: files, the clock, trust, identities. With errors that say what to do.

use super::brought;
use super::failure::{Failure, MACHINE, TRUST, USAGE};
use crate::bundle::manifest::Manifest;
use crate::bundle::trust::{Trust, amended, read_public_key};
use crate::imports::Imports;
use crate::rootfs::Root;
use crate::spec::Loaded;
use crate::spec::Problem;
use crate::spec::scalars::{Span, Timestamp};
use crate::unseal::Identities;
use rustix::fs::{Mode, OFlags};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// No bundle, spec or key file is larger.
const LIMIT: u64 = 256 * 1024 * 1024;

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    read_bounded(path).map_err(|error| unreadable(path, &error))
}

/// Reads a whole file of bounded size.
pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than anything that sealift reads"));
    }
    Ok(bytes)
}

/// A regular file of bounded size. Opening waits for nobody: a pipe is refused, not read.
pub(super) fn regular(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened =
        rustix::fs::open(path, flags, Mode::empty()).map_err(|error| cannot_be_read(&error.into()))?;
    let file = fs::File::from(opened);
    let metadata = file.metadata().map_err(|error| cannot_be_read(&error))?;
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    // with room for all of it, the buffer does not move and leaves no copies
    let room = usize::try_from(metadata.len().min(limit)).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| cannot_be_read(&error))?;
    if bytes.len() as u64 > limit {
        return Err(format!("larger than {} MiB", limit >> 20));
    }
    Ok(bytes)
}

pub(super) fn cannot_be_read(error: &io::Error) -> String {
    format!("cannot be read: {}", reason(error))
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::new(MACHINE, format!("cannot read {}: {}", path.display(), reason(error)));
    match error.kind() {
        io::ErrorKind::NotFound => failure.hint("check the path"),
        io::ErrorKind::PermissionDenied => failure.hint("run as a user who may read it"),
        _ => failure,
    }
}

pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::new(MACHINE, format!("cannot write {}: {}", path.display(), reason(error)));
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            failure.hint("run as a user who may write there, or name another place")
        }
        io::ErrorKind::StorageFull => failure.hint("free space; nothing was changed"),
        _ => failure,
    }
}

/// The system's words, in lower case and without the number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// The clock, seconds since 1970, or the time given.
pub(super) fn time(at: Option<&str>) -> Result<i64, Failure> {
    let Some(text) = at else { return Ok(now()) };
    let time: Timestamp = text.parse().map_err(|error| {
        Failure::new(USAGE, format!("--at {text}: {error}")).hint("write it as 2026-11-20T00:00:00Z")
    })?;
    Ok(time.unix())
}

/// The clock, seconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The addresses of this machine's interfaces, in the network namespace that this runs in.
pub(super) fn addresses() -> Result<BTreeSet<IpAddr>, Failure> {
    let all = nix::ifaddrs::getifaddrs().map_err(|error| {
        let error = io::Error::from(error);
        Failure::new(MACHINE, format!("cannot list the addresses of this machine: {}", reason(&error))).hint(
            "a unit with RestrictAddressFamilies= needs AF_NETLINK for it, or runs it with `ExecStartPre=+`",
        )
    })?;
    let address = |interface: nix::ifaddrs::InterfaceAddress| {
        let address = interface.address?;
        let v4 = address.as_sockaddr_in().map(|it| IpAddr::V4(it.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|it| IpAddr::V6(it.ip())))
    };
    Ok(all.filter_map(address).collect())
}

/// A duration of the command line, in seconds.
pub(super) fn span(text: Option<&str>) -> Result<Option<u64>, Failure> {
    let parse = |text: &str| {
        text.parse::<Span>().map_err(|error| {
            Failure::new(USAGE, format!("--within {text}: {error}")).hint("write it as 30d, 12h or 1y")
        })
    };
    Ok(text.map(parse).transpose()?.map(Span::seconds))
}

/// A spec with everything that was found in it.
pub(super) struct SpecFile {
    pub(super) loaded: Loaded,
    pub(super) plan: crate::plan::Plan,
    /// Authorities that were made elsewhere, and what they signed.
    pub(super) imports: Imports,
    /// Of the spec and of the plan, in the order of the file.
    pub(super) problems: Vec<Problem>,
    /// The path as the user gave it.
    pub(super) name: String,
    /// Where the spec lies.
    pub(super) directory: PathBuf,
}

impl SpecFile {
    /// Adds problems that were found later.
    pub(super) fn add(&mut self, found: Vec<Problem>) {
        self.problems.extend(found.into_iter().map(|problem| self.loaded.locate(problem)));
        self.problems.sort_by_key(|problem| problem.position);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }
}

/// Whether what external authorities signed is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Issued {
    Needed,
    /// What is right is used; what is missing or wrong is no problem.
    IfThere,
    NotYet,
}

/// Reads a spec with the files that it names, and lays the tables over it.
pub(super) fn spec(path: &Path, issued: Issued) -> Result<SpecFile, Failure> {
    let bytes = read(path)?;
    let name = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        Failure::new(USAGE, format!("{name}:{line}: the spec is not UTF-8")).hint("save it as UTF-8 text")
    })?;
    let loaded = crate::spec::load(&text);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new(".")).to_path_buf();
    let (mut imports, mut found) = brought::read(&loaded, &directory);
    let (mut plan, mut of_plan) = crate::plan::plan(&loaded.spec, imports.facts());
    if issued != Issued::NotYet {
        let wrong = imports.check_issued(&plan, loaded.spec.cluster.epoch.unix());
        found.extend(wrong.into_iter().filter(|_| issued == Issued::Needed));
    }
    if imports.has_issued() {
        (plan, of_plan) = crate::plan::plan(&loaded.spec, imports.facts());
    }
    found.extend(imports.check_validity(&plan));
    found.extend(imports.check_names(&plan));
    found.extend(of_plan);
    let mut problems = loaded.problems.clone();
    problems.extend(
        found
            .into_iter()
            .filter(|problem| !loaded.left_out(&problem.path))
            .map(|problem| loaded.locate(problem)),
    );
    problems.sort_by_key(|problem| problem.position);
    Ok(SpecFile { loaded, plan, imports, problems, name, directory })
}

/// Reads identity files.
pub(super) fn identities(paths: &[PathBuf]) -> Result<Identities, Failure> {
    let mut all = Identities::default();
    for path in paths {
        let bytes = if path.as_os_str() == "-" { stdin()? } else { Zeroizing::new(read(path)?) };
        let identities = Identities::parse(&path.display().to_string(), &bytes).map_err(|error| {
            Failure::from_error(USAGE, &error)
                .hint("give a file with an AGE-SECRET-KEY line, or an unencrypted OpenSSH ed25519 key")
        })?;
        all.extend(identities);
    }
    Ok(all)
}

fn stdin() -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    io::stdin()
        .lock()
        .take(1024 * 1024)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(Path::new("-"), &error))?;
    Ok(bytes)
}

/// The keys to trust, with the text they were read from.
pub(super) struct Trusted {
    pub(super) trust: Trust,
    pub(super) text: Vec<u8>,
    /// Whether the user named the file on this command line.
    pub(super) explicit: bool,
}

impl Trusted {
    /// What `/etc/sealift/trust` must hold once a bundle is installed; nothing where it stays as it is.
    pub(super) fn after(&self, manifest: &Manifest) -> Option<Vec<u8>> {
        let keys: Vec<_> = manifest.trust.iter().filter_map(|key| read_public_key(key)).collect();
        if keys.is_empty() {
            return self.explicit.then(|| self.text.clone());
        }
        Some(amended(&self.text, &manifest.cluster.id, &keys))
    }
}

/// `--trust`, else the host's own. Never what lies beside a bundle, or where the user happens to be.
pub(super) fn trust(file: Option<&Path>, root: &Path) -> Result<Trusted, Failure> {
    let (name, text) = match file {
        Some(file) => (file.display().to_string(), read(file)?),
        None => host_trust(root)?,
    };
    let trust = Trust::parse(&String::from_utf8_lossy(&text)).map_err(|error| {
        Failure::from_error(TRUST, &error).about(Path::new(&name)).hint(format!(
            "{name} must hold lines such as CLUSTER-ID namespaces=\"sealift-bundle,sealift-index\" ssh-ed25519 AAAA…"
        ))
    })?;
    Ok(Trusted { trust, text, explicit: file.is_some() })
}

const HOST_TRUST: &str = "/etc/sealift/trust";

/// The trust file of a host, read as everything of a host is: once, through no link, and believed
/// only when nobody but its owner could write it.
fn host_trust(root: &Path) -> Result<(String, Vec<u8>), Failure> {
    let name = root.join(HOST_TRUST.trim_start_matches('/')).display().to_string();
    let none = || {
        Failure::new(TRUST, "nothing says whose signature to trust").hint(
            "name the file that the builder gave you: --trust FILE (the build wrote it as OUT/trust; carry it by a way you trust)",
        )
    };
    let unusable = |reason: String| {
        Failure::new(TRUST, format!("{name} cannot be trusted: {reason}"))
            .hint("install with --trust FILE to place it anew")
    };
    let opened = Root::open(root).map_err(|error| unreadable(root, &error))?;
    let file = match opened.file(HOST_TRUST) {
        Ok(file) => file,
        Err(error) if error.is_not_found() => return Err(none()),
        Err(error) => return Err(unusable(error.to_string())),
    };
    let metadata = *file.metadata();
    let owners = [0, opened.owner(0, 0).0];
    if metadata.mode & 0o022 != 0 || !owners.contains(&metadata.uid) {
        return Err(unusable(format!(
            "mode {:04o}, owner {}: others may write it",
            metadata.mode, metadata.uid
        )));
    }
    let text = file.contents().map_err(|error| unusable(error.to_string()))?;
    Ok((name, text.to_vec()))
}
