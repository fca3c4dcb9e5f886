//! Certificates of a host, whoever put them there: sealift, kubeadm, the kubelet, a person.
//!
//! No link is followed, with one exception that is no way out: the kubelet renames its certificates
//! in by pointing `kubelet-client-current.pem` at a dated file beside it (client-go's
//! `certificate.FileStore`). Such a link is read when it leads to a plain name in that very
//! directory, and what is there is a regular file.

use super::{Collector, Inventory, Place, REPLACE};
use crate::check::kubeconfig;
use crate::check::{certificates::carries_certificates, obstacles, record};
use crate::finding::{Finding, Id};
use crate::rootfs::{Dir, Kind, Root, WalkError, split};
use std::collections::BTreeSet;

const KUBERNETES: &str = "/etc/kubernetes";
const PKI: &str = "/etc/kubernetes/pki";
const KUBELET: &str = "/var/lib/kubelet/pki";
/// Endings of certificates and of kubeconfigs, as kubeadm writes them.
const CERTIFICATE: &str = ".crt";
const CONF: &str = ".conf";
/// Directories that are searched, to any depth, with the endings that count.
const TREES: [(&str, &[&str]); 2] = [(PKI, &[CERTIFICATE]), ("/etc/etcd", &[CERTIFICATE, ".pem"])];
/// Links that the kubelet makes.
const CURRENT: [&str; 2] = ["kubelet-client-current.pem", "kubelet-server-current.pem"];
/// Kubeconfigs that kubeadm writes; other `.conf` files may be anything.
const KUBEADM: [&str; 6] = [
    "admin.conf",
    "super-admin.conf",
    "kubelet.conf",
    "bootstrap-kubelet.conf",
    "controller-manager.conf",
    "scheduler.conf",
];
/// How deep a tree is searched.
const DEPTH: usize = 16;

/// The certificates of a host, judged at `at`, seconds since 1970, as
/// [`validity`](super::validity) does.
///
/// Looks into the files of sealift's record, which is not verified here: it only says where to look.
pub fn of_root(root: &Root, at: i64, within: Option<u64>) -> Inventory {
    let mut search = Search { root, collector: Collector::new(""), seen: BTreeSet::new(), named: Vec::new() };
    for (tree, endings) in TREES {
        if let Some(directory) = search.directory(tree) {
            search.tree(&directory, endings, DEPTH);
        }
    }
    search.kubeconfigs();
    search.kubelet();
    search.record();
    search.named_files();
    let mut inventory = search.collector.finish(at, within);
    if inventory.certificates.is_empty() && inventory.findings.is_empty() {
        let mend = "name the root directory of a host with --root";
        let finding = Finding::new(Id::FileMissing, PKI, mend);
        inventory.findings.push(finding.found("no certificate there, nor in any other place that is known"));
    }
    inventory
}

struct Search<'a> {
    root: &'a Root,
    collector: Collector<'static>,
    /// Host paths that were read, or said to be unreadable.
    seen: BTreeSet<String>,
    /// Files that kubeconfigs name, with the kubeconfig.
    named: Vec<(String, String)>,
}

impl Search<'_> {
    fn obstacle(&mut self, error: &WalkError) {
        let finding = match error {
            WalkError::TooLarge { at } => {
                Finding::new(Id::CertificateMalformed, at, REPLACE).expected("at most 16 MiB").found("more")
            }
            WalkError::NotFound { at } | WalkError::Changed { at } => {
                Finding::new(Id::ChangedWhileReading, at, "run again")
            }
            WalkError::NotAFile { at, kind } => {
                Finding::new(Id::TypeMismatch, at, REPLACE).expected(Kind::File.name()).found(kind.name())
            }
            _ => obstacles::finding(error),
        };
        self.collector.findings.push(finding);
    }

    /// Opens a directory; none when it is not there.
    fn directory(&mut self, path: &str) -> Option<Dir> {
        match self.root.directory(path) {
            Ok(directory) => Some(directory),
            Err(error) => {
                if !error.is_not_found() {
                    self.obstacle(&error);
                }
                None
            }
        }
    }

    /// Names and kinds of a directory; none, with a finding, when it cannot be listed.
    fn list(&mut self, directory: &Dir) -> Vec<(String, Kind)> {
        match directory.list() {
            Ok(entries) => entries.into_iter().map(|entry| (entry.name, entry.kind)).collect(),
            Err(error) => {
                self.obstacle(&error);
                Vec::new()
            }
        }
    }

    /// A file's contents, once: none when it was read before, or cannot be.
    fn contents(&mut self, directory: &Dir, name: &str) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        if !self.seen.insert(directory.at(name)) {
            return None;
        }
        match directory.file(name).and_then(crate::rootfs::OpenFile::contents) {
            Ok(contents) => Some(contents),
            Err(error) => {
                self.obstacle(&error);
                None
            }
        }
    }

    fn tree(&mut self, directory: &Dir, endings: &[&str], depth: usize) {
        for (name, kind) in self.list(directory) {
            if kind == Kind::Directory {
                match directory.enter(&name) {
                    Ok(below) if depth > 0 => self.tree(&below, endings, depth - 1),
                    Ok(below) => {
                        let at = below.own_path().to_owned();
                        self.collector.finding(Id::Unreadable, &at, "move it", "too many directories deep");
                    }
                    Err(error) => self.obstacle(&error),
                }
            } else if endings.iter().any(|ending| name.ends_with(ending))
                && let Some(contents) = self.contents(directory, &name)
            {
                let place = Place::file(directory.at(&name));
                // a .pem may as well be a key
                if name.ends_with(CERTIFICATE) {
                    self.collector.certificate_file(&contents, &place);
                } else {
                    self.collector.pem(&contents, &place);
                }
            }
        }
    }

    /// `/etc/kubernetes/*.conf`.
    fn kubeconfigs(&mut self) {
        let Some(directory) = self.directory(KUBERNETES) else { return };
        for (name, kind) in self.list(&directory) {
            if !name.ends_with(CONF) || kind == Kind::Directory {
                continue;
            }
            let known = KUBEADM.contains(&name.as_str());
            if let Some(contents) = self.contents(&directory, &name)
                && (known || kubeconfig::looks_like(&contents))
            {
                let path = directory.at(&name);
                let named = self.collector.read_kubeconfig(&contents, &path);
                self.named.extend(named.into_iter().map(|file| (file, path.clone())));
            }
        }
    }

    /// `/var/lib/kubelet/pki`.
    fn kubelet(&mut self) {
        let Some(directory) = self.directory(KUBELET) else { return };
        for (name, kind) in self.list(&directory) {
            let path = directory.at(&name);
            if CURRENT.contains(&name.as_str()) && kind == Kind::Symlink {
                self.current(&directory, &name);
            } else if (name.ends_with(CERTIFICATE) || CURRENT.contains(&name.as_str()))
                && let Some(contents) = self.contents(&directory, &name)
            {
                self.collector.certificate_file(&contents, &Place::file(path));
            }
        }
    }

    /// What a link of the kubelet leads to.
    fn current(&mut self, directory: &Dir, name: &str) {
        self.seen.insert(directory.at(name));
        let target = match directory.link_target(name) {
            Ok(target) => target,
            Err(error) => return self.obstacle(&error),
        };
        let beside = match split(&target) {
            Ok((parent, file)) if parent == directory.own_path() => Some(file.to_owned()),
            _ if !target.contains('/') && !matches!(target.as_str(), "" | "." | "..") => Some(target.clone()),
            _ => None,
        };
        let Some(beside) = beside else {
            let found = format!("a link to {}", target.escape_debug());
            let mend = "see why the kubelet's certificate is not in its directory";
            return self.collector.finding(Id::SymlinkInPath, &directory.at(name), mend, found);
        };
        match directory.file(&beside).and_then(crate::rootfs::OpenFile::contents) {
            Ok(contents) => {
                let target = Some(beside.escape_debug().to_string());
                let place = Place { target, ..Place::file(directory.at(name)) };
                self.collector.certificate_file(&contents, &place);
            }
            Err(WalkError::NotFound { .. }) => {
                let found = format!("a link to {}, which is not there", beside.escape_debug());
                self.collector.finding(Id::FileMissing, &directory.at(name), "restart the kubelet", found);
            }
            Err(error) => self.obstacle(&error),
        }
    }

    /// The files of sealift's record that carry certificates or are kubeconfigs.
    fn record(&mut self) {
        let files = match record::stored_manifest(self.root) {
            Ok(manifest) => manifest.map(|manifest| manifest.files).unwrap_or_default(),
            Err(error) => return self.obstacle(&error),
        };
        for file in files.iter().filter(|file| file.certificate.is_none()) {
            if self.seen.contains(&file.path) || !self.can_be_told(&file.path, record::MANIFEST) {
                continue;
            }
            match record::contents(self.root, &file.path) {
                Ok(None) => {}
                Ok(Some(contents)) => {
                    self.seen.insert(file.path.clone());
                    if carries_certificates(&contents) {
                        self.collector.pem(&contents, &Place::file(&file.path));
                    } else if kubeconfig::looks_like(&contents)
                        && let Ok(Some(kubeconfig)) = kubeconfig::read(&contents)
                    {
                        let named = self.collector.kubeconfig(kubeconfig, &file.path);
                        self.named.extend(named.into_iter().map(|name| (name, file.path.clone())));
                    }
                }
                Err(error) => self.obstacle(&error),
            }
        }
    }

    /// Whether a path that a file names is safe to print; a finding about that file when it is not.
    fn can_be_told(&mut self, path: &str, by: &str) -> bool {
        let plain = !path.contains(char::is_control);
        if !plain {
            let found = format!("the path {}", path.escape_debug());
            self.collector.finding(Id::TypeMismatch, by, REPLACE, found);
        }
        plain
    }

    /// Certificates that kubeconfigs name by their path.
    fn named_files(&mut self) {
        for (file, by) in std::mem::take(&mut self.named) {
            let directory = split(&by).map_or("/", |(parent, _)| parent);
            let path = absolute(directory, &file);
            if !self.can_be_told(&path, &by) || !self.seen.insert(path.clone()) {
                continue;
            }
            match record::contents(self.root, &path) {
                Ok(Some(contents)) => self.collector.certificate_file(&contents, &Place::file(path)),
                Ok(None) => {
                    let found = format!("nothing, and {by} names it");
                    let mend = "put it back, or correct the kubeconfig";
                    self.collector.finding(Id::FileMissing, &path, mend, found);
                }
                Err(error) => self.obstacle(&error),
            }
        }
    }
}

/// A path of a kubeconfig as a host path, `.` and `..` resolved by their names.
fn absolute(directory: &str, file: &str) -> String {
    let joined = if file.starts_with('/') { file.to_owned() } else { format!("{directory}/{file}") };
    let mut components = Vec::new();
    for component in joined.split('/') {
        match component {
            "" | "." => {}
            ".." => drop(components.pop()),
            name => components.push(name),
        }
    }
    format!("/{}", components.join("/"))
}
