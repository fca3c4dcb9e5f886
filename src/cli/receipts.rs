//! A directory of receipts: what `sealift verify --root DIR --format json` said, a file for each host.

use super::failure::{Failure, USAGE};
use super::world;
use crate::check::receipt::Receipt;
use std::fs;
use std::path::Path;

/// No host has more to say.
const LIMIT: u64 = 16 * 1024 * 1024;

/// What a directory of receipts holds.
#[derive(Default)]
pub(super) struct Receipts {
    /// The receipts, in byte order of their files.
    pub(super) all: Vec<Receipt>,
    /// Files that are none, and why.
    pub(super) others: Vec<(String, String)>,
}

impl Receipts {
    /// Reads every `*.json` in it.
    pub(super) fn read(directory: &Path) -> Result<Self, Failure> {
        if !directory.is_dir() {
            let message = format!("--receipts {}: not a directory", directory.display());
            return Err(Failure::new(USAGE, message).hint(
                "name the directory with what `sealift verify --root / --format json` said on each host",
            ));
        }
        let unreadable = |error: std::io::Error| world::unreadable(directory, &error);
        let mut files = Vec::new();
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            files.push(entry.map_err(unreadable)?.path());
        }
        files.retain(|path| path.extension().is_some_and(|end| end == "json"));
        files.sort();
        let mut receipts = Self::default();
        for path in files {
            let bytes = world::regular(&path, LIMIT);
            match bytes.and_then(|bytes| Receipt::parse(&bytes).map_err(|error| error.to_string())) {
                Ok(receipt) => receipts.all.push(receipt),
                Err(reason) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    receipts.others.push((name.escape_debug().to_string(), reason));
                }
            }
        }
        Ok(receipts)
    }
}
