//! What a manifest must satisfy in itself. The writer refuses to pack, and the reader to open, one
//! that does not.

use crate::bundle::{
    manifest::{Directory, File, Manifest, Policy},
    paths::{SEALED_SUFFIX, entry_name, is_entry_name, is_hex, is_host_path, parse_mode},
    trust::read_public_key,
};
use std::{collections::BTreeSet, fmt, net::IpAddr};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// One contradiction in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inconsistency {
    /// The host path, or the field of the manifest, that it is about.
    pub path: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Inconsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

/// Seconds since 1970 of a time in the manifest's form, `YYYY-MM-DDTHH:MM:SSZ`.
pub fn unix_time(text: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let exact = time.offset().is_utc() && time.format(&Rfc3339).is_ok_and(|again| again == text);
    (exact && text.len() == "0000-00-00T00:00:00Z".len()).then(|| time.unix_timestamp())
}

/// The manifest's form of a time in seconds since 1970.
pub fn text_time(seconds: u64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    time.format(&Rfc3339).ok().filter(|text| unix_time(text).is_some())
}

/// Every contradiction of a manifest with the format's rules and with itself.
pub fn check(manifest: &Manifest) -> Vec<Inconsistency> {
    let mut rules = Rules { found: Vec::new() };
    rules.header(manifest);
    rules.trust(&manifest.trust);
    rules.order("directories", manifest.directories.iter().map(|directory| directory.path.as_str()));
    rules.order("files", manifest.files.iter().map(|file| file.path.as_str()));
    let files: BTreeSet<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    let whole = |file: &&File| !matches!(file.policy, Policy::Foreign | Policy::Block);
    let public = manifest.files.iter().filter(|file| !file.sealed).filter(whole);
    let public = public.map(|file| file.path.as_str()).collect();
    for directory in &manifest.directories {
        rules.directory(directory);
        rules.require(!files.contains(directory.path.as_str()), &directory.path, "is a file and a directory");
        rules.above(&directory.path, &files);
    }
    for file in &manifest.files {
        rules.file(file);
        rules.policy(file);
        rules.sealing(file);
        rules.certificate(file, &public);
        rules.above(&file.path, &files);
    }
    rules.found
}

struct Rules {
    found: Vec<Inconsistency>,
}

impl Rules {
    fn require(&mut self, holds: bool, path: &str, problem: &str) {
        if !holds {
            self.found.push(Inconsistency { path: path.into(), problem: problem.into() });
        }
    }

    fn header(&mut self, manifest: &Manifest) {
        self.require(is_hex(&manifest.cluster.id, 32), "cluster.id", "is not 32 lower-case hex digits");
        let host = &manifest.host.name;
        self.require(is_entry_name(host) && !host.contains('/'), "host.name", "is not a plain name");
        let addresses = &manifest.host.addresses;
        let parse = |address: &String| address.parse::<IpAddr>().is_ok_and(|ip| ip.to_string() == *address);
        self.require(addresses.iter().all(parse), "host.addresses", "has one that is not an IP address");
        let machine = manifest.host.machine_id.as_deref();
        self.require(
            machine.is_none_or(|id| is_hex(id, 32)),
            "host.machineId",
            "is not 32 lower-case hex digits",
        );
        self.require(is_hex(&manifest.inputs, 64), "inputs", "is not 64 lower-case hex digits");
        self.require(unix_time(&manifest.epoch).is_some(), "epoch", "is not a time in UTC");
        let valid = unix_time(&manifest.valid_until).is_some();
        self.require(valid, "validUntil", "is not a time such as 2026-11-20T00:00:00Z");
    }

    fn trust(&mut self, keys: &[String]) {
        let plain = keys.iter().all(|key| read_public_key(key).is_some());
        self.require(plain, "trust", "has what is no ssh-ed25519 public key in its one form");
        let distinct: BTreeSet<_> = keys.iter().collect();
        self.require(distinct.len() == keys.len(), "trust", "names a key twice");
    }

    fn order<'a>(&mut self, list: &str, paths: impl Iterator<Item = &'a str>) {
        let paths: Vec<_> = paths.collect();
        let sorted = paths.is_sorted_by(|a, b| a < b);
        self.require(sorted, list, "are not in byte order, each once");
    }

    fn directory(&mut self, directory: &Directory) {
        let path = &directory.path;
        self.require(is_host_path(path), path, "is not a plain absolute path");
        self.require(parse_mode(&directory.mode).is_some(), path, "has a mode that is not 0000 to 0777");
        let beneath = |allowed: &String| {
            is_host_path(allowed) && allowed.rsplit_once('/').is_some_and(|(parent, _)| parent == path)
        };
        self.require(directory.allow.iter().all(beneath), path, "allows a path that is not directly in it");
        let owned = directory.owned || directory.allow.is_empty();
        self.require(owned, path, "allows paths though it is not owned");
    }

    fn file(&mut self, file: &File) {
        let path = &file.path;
        let plain = is_host_path(path) && is_entry_name(&entry_name(path, file.sealed));
        self.require(plain, path, "is not a plain absolute path");
        self.require(parse_mode(&file.mode).is_some(), path, "has a mode that is not 0000 to 0777");
        let held = file.policy != Policy::Foreign;
        let digest = !held || is_hex(&file.sha256, 64);
        self.require(digest, path, "has a sha256 that is not 64 lower-case hex digits");
        let mut words = file.restart.iter().chain(&file.run);
        let clean = words.all(|word| !word.is_empty() && !word.chars().any(char::is_control));
        self.require(clean, path, "has an empty restart or command, or one with control characters");
    }

    fn policy(&mut self, file: &File) {
        let path = &file.path;
        let fits = match file.policy {
            Policy::Initial => file.fields.is_some(),
            Policy::Foreign => true,
            Policy::Managed | Policy::Bootstrap | Policy::Block => file.fields.is_none(),
        };
        self.require(
            fits,
            path,
            "has fields and is neither initial nor foreign, or is initial and lacks them",
        );
        if let Some(fields) = &file.fields {
            let texts = || fields.values.iter().flat_map(|(name, value)| [name, value]);
            let named = !fields.format.is_empty() && !fields.values.keys().any(String::is_empty);
            let clean = !texts().chain([&fields.format]).any(|text| text.chars().any(char::is_control));
            self.require(!fields.values.is_empty(), path, "names no field that stays checked");
            self.require(named && clean, path, "has fields without a name, or with control characters");
        }
        let nothing_held = file.size == 0 && file.sha256.is_empty() && !file.sealed && file.hmac.is_none();
        let says_nothing = file.certificate.is_none() && file.origin.is_none();
        let changes_nothing = file.restart.is_empty() && file.run.is_empty();
        let bare = nothing_held && says_nothing && changes_nothing;
        let problem = "is foreign, and has more than path, mode, owner and fields";
        self.require(file.policy != Policy::Foreign || bare, path, problem);
        let lines_alone = !file.sealed && says_nothing;
        let problem = "is a block, and is sealed or has a certificate or origin";
        self.require(file.policy != Policy::Block || lines_alone, path, problem);
    }

    fn sealing(&mut self, file: &File) {
        let path = &file.path;
        // So that an archive entry ends in .age exactly when it is sealed.
        let named = file.sealed || !path.ends_with(SEALED_SUFFIX);
        self.require(named, path, "ends in .age but is not sealed");
        self.require(file.sealed == file.hmac.is_some(), path, "has an hmac and is not sealed, or lacks one");
        let hmac = file.hmac.as_ref().is_none_or(|hmac| is_hex(hmac, 64));
        self.require(hmac, path, "has an hmac that is not 64 lower-case hex digits");
    }

    fn certificate(&mut self, file: &File, public: &BTreeSet<&str>) {
        let listed =
            file.certificate.as_ref().is_none_or(|path| *path != file.path && public.contains(path.as_str()));
        self.require(listed, &file.path, "names a certificate that is no public file of this manifest");
    }

    /// No parent of a path may be a file.
    fn above(&mut self, path: &str, files: &BTreeSet<&str>) {
        let mut parents = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        self.require(!parents.any(|parent| files.contains(parent)), path, "lies beneath a file");
    }
}
