//! Which names and paths may stand in a bundle, and where a host's file lies in the archive.

/// The longest archive entry name, in bytes.
pub const MAX_PATH: usize = 255;

/// The suffix of sealed files in the archive.
pub const SEALED_SUFFIX: &str = ".age";

const FILES: &str = "files";

/// Whether every character is one that `SHA256SUMS`, shells and tar print as it is:
/// ASCII letters, digits and `. _ / @ : + -`.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/@:+-".contains(&byte))
}

/// Whether a name is relative, plain, at most [`MAX_PATH`] bytes long, and has no empty, `.` or
/// `..` component.
pub fn is_entry_name(name: &str) -> bool {
    name.len() <= MAX_PATH
        && is_plain(name)
        && name.split('/').all(|component| !matches!(component, "" | "." | ".."))
}

/// Whether a path is absolute and otherwise what [`is_entry_name`] asks, so joining it beneath a
/// root never leaves the root by name.
pub fn is_host_path(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(is_entry_name)
}

/// The archive entry of a host path: `files` + path, + [`SEALED_SUFFIX`] for sealed files.
pub fn entry_name(host_path: &str, sealed: bool) -> String {
    let suffix = if sealed { SEALED_SUFFIX } else { "" };
    format!("{FILES}{host_path}{suffix}")
}

/// Whether an entry lies where host files lie in the archive.
pub fn is_file_entry(name: &str) -> bool {
    name.strip_prefix(FILES).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether text is exactly `digits` lower-case hexadecimal digits.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Reads a mode as the manifest writes it: `0` and three octal digits, so never setuid, setgid or
/// sticky.
pub fn parse_mode(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('0').filter(|rest| rest.len() == 3)?;
    if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'7')) {
        return None;
    }
    u32::from_str_radix(digits, 8).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{entry_name, is_entry_name, is_file_entry, is_hex, is_host_path, parse_mode};

    #[test]
    fn accepts_plain_paths_only() {
        for path in ["/etc/a", "/a", "/etc/kubernetes/pki/etcd/server.key", "/a/..b/c.", "/x@:+-_"] {
            assert!(is_host_path(path), "{path}");
        }
        let long = format!("/{}", "a".repeat(256));
        for path in
            ["", "/", "a", "//a", "/a/", "/a//b", "/./a", "/a/..", "/a b", "/a\n", "/ä", "/a\\b", &long]
        {
            assert!(!is_host_path(path), "{path:?}");
        }
        assert!(!is_entry_name("/etc/a"));
        assert!(is_file_entry("files/a") && !is_file_entry("filesa") && !is_file_entry("files"));
    }

    #[test]
    fn places_sealed_files_beside_their_path() {
        assert_eq!(entry_name("/etc/a.key", true), "files/etc/a.key.age");
        assert_eq!(entry_name("/etc/a.crt", false), "files/etc/a.crt");
    }

    #[test]
    fn reads_modes_and_hex_strictly() {
        assert_eq!(
            [parse_mode("0644"), parse_mode("0000"), parse_mode("0777")],
            [Some(0o644), Some(0), Some(0o777)]
        );
        for mode in ["644", "1644", "4755", "0648", "+644", "0+44", "00644", "", "064"] {
            assert_eq!(parse_mode(mode), None, "{mode}");
        }
        assert!(is_hex("0af9", 4) && !is_hex("0AF9", 4) && !is_hex("0af", 4) && !is_hex("0ag9", 4));
    }
}
