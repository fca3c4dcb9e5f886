//! A host's tree as systemd walks it: through links, but beneath the root.

use super::load::Contents;
use super::syntax::MOST_BYTES;
use crate::rootfs::{Dir, Entry, Kind, Root, WalkError, split};
use zeroize::Zeroizing;

/// The most links on the way to one file (the kernel's own limit).
const MOST_LINKS: usize = 40;
/// The most components of one path, links resolved.
const MOST_COMPONENTS: usize = 256;
/// What units are masked with.
const NULL: &str = "/dev/null";

/// What systemd would read at a path.
#[derive(Debug)]
pub(super) enum Held {
    /// Nothing: no such path, or a link that leads nowhere.
    Nothing,
    /// A device, such as `/dev/null`, or an empty file: what masks.
    Mask,
    /// A file.
    File(Zeroizing<Vec<u8>>),
    /// A directory.
    Directory,
}

/// Reads what stands at a path, or where its links lead; of a file that was read already, that.
pub(super) fn read(root: &Root, held: Contents<'_>, path: &str) -> Result<Held, WalkError> {
    let real = match resolve(root, path) {
        Ok(Some(real)) => real,
        Ok(None) => return Ok(Held::Nothing),
        Err(error) => return Err(error),
    };
    if real == NULL {
        return Ok(Held::Mask);
    }
    if let Some(bytes) = held(&real) {
        return match bytes.len() as u64 {
            0 => Ok(Held::Mask),
            size if size > MOST_BYTES => Err(WalkError::TooLarge { at: path.to_owned() }),
            _ => Ok(Held::File(Zeroizing::new(bytes.to_vec()))),
        };
    }
    let open = match root.file(&real) {
        Ok(open) => open,
        Err(error) if error.is_not_found() => return Ok(Held::Nothing),
        Err(WalkError::NotAFile { kind: Kind::Device, .. }) => return Ok(Held::Mask),
        Err(WalkError::NotAFile { kind: Kind::Directory, .. } | WalkError::Invalid { .. }) => {
            return Ok(Held::Directory);
        }
        Err(error) => return Err(error),
    };
    match open.metadata().size {
        0 => Ok(Held::Mask),
        size if size > MOST_BYTES => Err(WalkError::TooLarge { at: path.to_owned() }),
        _ => open.contents().map(Held::File),
    }
}

/// The entries of a directory, links on the way resolved; nothing of what is none.
pub(super) fn list(root: &Root, path: &str) -> Result<Vec<Entry>, WalkError> {
    directory(root, path)?.map_or(Ok(Vec::new()), |open| open.list())
}

/// Opens a directory, links on the way resolved; none of what is none.
pub(super) fn directory(root: &Root, path: &str) -> Result<Option<Dir>, WalkError> {
    let Some(real) = resolve(root, path)? else { return Ok(None) };
    match root.directory(&real) {
        Ok(open) => Ok(Some(open)),
        Err(WalkError::NotFound { .. } | WalkError::NotADirectory { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The path without links that a path stands for; none when it leads nowhere, or round and round.
fn resolve(root: &Root, path: &str) -> Result<Option<String>, WalkError> {
    let mut rest: Vec<String> = components(path);
    let mut done: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(name) = rest.pop() {
        if name == ".." {
            done.pop();
            continue;
        }
        done.push(name);
        let at = format!("/{}", done.join("/"));
        // a tree that is no running system may have no /dev
        if at == "/dev" && rest == ["null"] {
            return Ok(Some(NULL.to_owned()));
        }
        if done.len() + rest.len() > MOST_COMPONENTS {
            return Ok(None);
        }
        match root.metadata(&at) {
            Ok(metadata) if metadata.kind == Kind::Symlink => {}
            Ok(_) => continue,
            Err(WalkError::NotFound { .. } | WalkError::NotADirectory { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
        links += 1;
        if links > MOST_LINKS {
            return Ok(None);
        }
        let (parent, name) = split(&at)?;
        let target = match root.directory(parent)?.link_target(name) {
            Ok(target) => target,
            // it was a link a moment ago
            Err(WalkError::NotAFile { .. }) => return Err(WalkError::Changed { at }),
            Err(error) => return Err(error),
        };
        done.pop();
        if target.starts_with('/') {
            done.clear();
        }
        rest.extend(components(&target));
    }
    Ok(Some(format!("/{}", done.join("/"))))
}

/// The components of a path, the last one first.
fn components(path: &str) -> Vec<String> {
    path.split('/').rev().filter(|name| !matches!(*name, "" | ".")).map(str::to_owned).collect()
}

/// The path that a link's target names, as text: `..` taken back, no further link looked at.
pub(super) fn lexical(directory: &str, target: &str) -> String {
    let whole = if target.starts_with('/') { target.to_owned() } else { format!("{directory}/{target}") };
    let mut done: Vec<&str> = Vec::new();
    for name in whole.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                done.pop();
            }
            name => done.push(name),
        }
    }
    format!("/{}", done.join("/"))
}
