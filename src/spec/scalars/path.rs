//! Paths on a host, sockets named by them, and files beside a spec.

use super::name::text_type;
use super::{ScalarError, text_scalar};
use std::fmt;
use std::str::FromStr;

/// The longest path: what a ustar header can carry.
const LONGEST: usize = 255;

/// Says what is wrong with an absolute path, `None` when nothing is.
fn flaw(path: &str) -> Option<String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Some("it does not begin with `/`".into());
    };
    if path.len() > LONGEST {
        return Some(format!("it is longer than {LONGEST} characters"));
    }
    if rest.is_empty() {
        return Some("it is the root directory".into());
    }
    if rest.ends_with('/') {
        return Some("it ends with `/`".into());
    }
    if let Some(part) = rest.split('/').find(|part| matches!(*part, "" | "." | "..")) {
        let part = if part.is_empty() { "//" } else { part };
        return Some(format!("it has `{part}` in it"));
    }
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "._/@:+-".contains(*c);
    path.chars().find(|c| !allowed(c)).map(|c| format!("`{}` is not allowed", super::shown(&c.to_string())))
}

/// A path on a host: begins with `/`, of `[A-Za-z0-9._/@:+-]`, with no empty, `.` or `..` part,
/// not the root, at most 255 characters. So it means the same in a shell, a unit and an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AbsolutePath(String);

impl AbsolutePath {
    /// The path; empty only in a default value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AbsolutePath {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        match flaw(text) {
            Some(reason) => Err(ScalarError::new(text, "an absolute path", reason)
                .hint("write it like /var/lib/etcd; allowed are letters, digits and . _ / @ : + -")),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for AbsolutePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for AbsolutePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

text_scalar!(AbsolutePath, "absolute-path", "A path on a host, from /.", "/var/lib/etcd");

/// Logs by the pattern of their path: as [`AbsolutePath`], with `*` for any name in the directories and file
/// names. So it is one word of logrotate's, with no other meaning than that.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPattern(String);
text_type!(LogPattern);

impl FromStr for LogPattern {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: String| {
            ScalarError::new(text, "a pattern of logs", reason)
                .hint("write it like /var/log/etcd/*.log; allowed are letters, digits and . _ / @ : + - *")
        };
        match flaw(&text.replace('*', "x")) {
            Some(reason) => Err(error(reason)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

text_scalar!(LogPattern, "log-pattern", "Logs by their path, with * for any name.", "/var/log/etcd/*.log");

/// A Unix socket as a URL: `unix://` and an absolute path, as the kubelet takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketUrl(AbsolutePath);

impl SocketUrl {
    /// The socket's path.
    pub const fn path(&self) -> &AbsolutePath {
        &self.0
    }
}

impl FromStr for SocketUrl {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: String| {
            ScalarError::new(text, "a socket's URL", reason)
                .hint("write it like unix:///run/containerd/containerd.sock")
        };
        let path =
            text.strip_prefix("unix://").ok_or_else(|| error("it does not begin with `unix://`".into()))?;
        match flaw(path) {
            Some(reason) => Err(error(format!("of its path, {reason}"))),
            None => Ok(Self(AbsolutePath(path.to_owned()))),
        }
    }
}

impl fmt::Display for SocketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix://{}", self.0)
    }
}

text_scalar!(
    SocketUrl,
    "socket-url",
    "A Unix socket, unix:///PATH.",
    "unix:///run/containerd/containerd.sock"
);

/// A file or directory that a build reads: a path from the spec's directory, or from `/`.
///
/// Any characters but control characters; at most 1024 of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilePath(String);

impl FilePath {
    /// The path as written; empty only in a default value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FilePath {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a path", reason)
                .hint("write it like ca/etcd-ca.crt, from the spec's directory")
        };
        if super::looks_secret(text) {
            return Err(ScalarError::secret(text));
        }
        if text.is_empty() {
            return Err(error("it is empty"));
        }
        if text.chars().any(|c| !super::is_plain(c)) {
            return Err(error("it has control characters"));
        }
        if text.len() > 1024 {
            return Err(error("it is longer than 1024 characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_scalar!(FilePath, "file-path", "A path from the spec's directory.", "ca/etcd-ca.crt");
