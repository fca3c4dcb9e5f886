//! Bundles as lists of entries, to look into them and to forge them.

use flate2::{Compression, GzBuilder, read::GzDecoder};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

/// One file of a tar archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: String,
    /// Its permission bits.
    pub(crate) mode: u32,
    /// Its time, seconds since 1970.
    pub(crate) mtime: u64,
    /// What is in it.
    pub(crate) contents: Vec<u8>,
}

impl Member {
    /// The contents of a text file.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.contents).unwrap()
    }
}

/// Everything in a bundle, in order.
#[track_caller]
pub(crate) fn members(bundle: &Path) -> Vec<Member> {
    let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(bundle).unwrap()));
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let mut contents = Vec::new();
        let _: usize = Read::read_to_end(&mut entry, &mut contents).unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let (mode, mtime) = (entry.header().mode().unwrap(), entry.header().mtime().unwrap());
        Member { name, mode, mtime, contents }
    };
    archive.entries().unwrap().map(read).collect()
}

/// The one member of that name.
#[track_caller]
pub(crate) fn member(bundle: &Path, name: &str) -> Member {
    let mut found: Vec<_> = members(bundle).into_iter().filter(|member| member.name == name).collect();
    assert_eq!(found.len(), 1, "{name} in {}", bundle.display());
    found.remove(0)
}

/// Writes a bundle as sealift does, whatever is in it.
pub(crate) fn write(bundle: &Path, members: &[Member]) {
    let mut archive = tar::Builder::new(Vec::new());
    for member in members {
        let mut header = tar::Header::new_ustar();
        header.set_path(&member.name).unwrap();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(member.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(member.mtime);
        header.set_size(member.contents.len() as u64);
        header.set_device_major(0).unwrap();
        header.set_device_minor(0).unwrap();
        header.set_cksum();
        archive.append(&header, member.contents.as_slice()).unwrap();
    }
    let tar = archive.into_inner().unwrap();
    let mut gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::new(6));
    gzip.write_all(&tar).unwrap();
    fs::write(bundle, gzip.finish().unwrap()).unwrap();
}
