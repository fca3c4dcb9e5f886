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
