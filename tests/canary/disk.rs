//! A file system in a file, so that what was ever written to it can be read, deleted or not.

use crate::support::{is_root, need, run, skip};
use std::path::{Path, PathBuf};
use std::process::Command;

/// ext4 without a journal, mounted so that every write goes to the image at once.
pub(crate) struct Disk {
    directory: tempfile::TempDir,
}

impl Disk {
    /// A new one of so many MiB. None, with [`skip`], where this user cannot mount.
    pub(crate) fn new(size: u64) -> Option<Self> {
        let (format, mount) = (need("mkfs.ext4")?, need("mount")?);
        if !is_root() {
            skip("only root can mount");
            return None;
        }
        // in memory where there is such a place: each write waits for it
        let place = Path::new("/dev/shm");
        let place = if place.is_dir() { place.to_path_buf() } else { std::env::temp_dir() };
        let directory = tempfile::Builder::new().prefix("sealift-test-").tempdir_in(place).unwrap();
        let disk = Self { directory };
        std::fs::File::create(disk.image()).unwrap().set_len(size << 20).unwrap();
        std::fs::create_dir(disk.path("")).unwrap();
        let options = ["-q", "-F", "-m", "0", "-O", "^has_journal"];
        let _ = run(Command::new(format).args(options).arg(disk.image())).expect_code(0);
        let mounted = run(Command::new(mount).args(["-o", "loop,sync"]).args([disk.image(), disk.path("")]));
        if mounted.code != 0 {
            skip(&format!("cannot mount here: {}", mounted.stderr.trim()));
            return None;
        }
        Some(disk)
    }

    /// A path on it.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join("mounted").join(below)
    }

    /// Takes it out; what is left is the image.
    #[track_caller]
    pub(crate) fn out(&self) -> PathBuf {
        let _ = run(Command::new("umount").arg(self.path(""))).expect_code(0);
        self.image()
    }

    fn image(&self) -> PathBuf {
        self.directory.path().join("image")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // nothing is mounted any more when the test came to its end
        let _ = Command::new("umount").arg("-q").arg("-l").arg(self.path("")).output();
    }
}
