//! Names of things that the system has: interfaces, settings and modules of the kernel, time zones.

use super::label::HostName;
use super::name::text_type;
use super::{ScalarError, text_scalar};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A network interface: at most 15 bytes (the kernel's `IFNAMSIZ`), and none that means something to a
/// program's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct InterfaceName(String);
text_type!(InterfaceName);

impl FromStr for InterfaceName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a network interface", reason)
                .hint("write it as `ip link` shows it, such as eth0 or bond0.100")
        };
        if text.is_empty() || text.len() > 15 {
            return Err(error("it has not 1 to 15 characters"));
        }
        if text.starts_with(['.', '-']) {
            return Err(error("it begins with a dot or a dash"));
        }
        if text.bytes().any(|byte| !byte.is_ascii_alphanumeric() && !b"_-.".contains(&byte)) {
            return Err(error("it has other characters than letters, digits, `_`, `-` and `.`"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(InterfaceName, "interface-name", "A network interface, as `ip link` shows it.", "eth0");

/// A machine's id, as `/etc/machine-id` has it (machine-id(5)): 32 lower-case hex digits, not all zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MachineId(String);
text_type!(MachineId);

impl FromStr for MachineId {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a machine id", reason)
                .hint("write what /etc/machine-id says on that host")
        };
        if text.len() != 32 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(error("it is not 32 lower-case hex digits"));
        }
        if text.bytes().all(|byte| byte == b'0') {
            return Err(error("it is all zero, which no machine has"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(
    MachineId,
    "machine-id",
    "A machine's id, as `/etc/machine-id` has it.",
    "8b2f3a5c9d014e6fa7b8c9d0e1f20314"
);

/// A setting of the kernel, with dots: `net.ipv4.ip_forward`. Where a name has a dot itself (of an
/// interface), sysctl.d(5) has it as `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SysctlKey(String);
text_type!(SysctlKey);

impl FromStr for SysctlKey {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a setting of the kernel", reason)
                .hint("write it as `sysctl --all` shows it, such as net.ipv4.ip_forward")
        };
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte);
        if !text.contains('.') || text.len() > 128 {
            return Err(error("it has no dot, or more than 128 characters"));
        }
        if text.split('.').any(|part| part.is_empty() || !part.bytes().all(good)) {
            return Err(error("it is not made of words with dots between them"));
        }
        // sysctl.d(5): where the first separator is a slash, dots are part of names
        if text.find('/') < text.find('.') && text.contains('/') {
            return Err(error("it has a slash before the first dot"));
        }
        if text.starts_with(['-', '/']) || text.contains("//") || text.contains("./") || text.contains("/.") {
            return Err(error("it begins with a dash or slash, or has an empty word"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(SysctlKey, "sysctl-key", "A setting of the kernel.", "net.ipv4.ip_forward");

/// The value of a setting of the kernel: on one line, without blanks around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SysctlValue(String);
text_type!(SysctlValue);

impl FromStr for SysctlValue {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| ScalarError::new(text, "the value of a setting", reason);
        if text.is_empty() || text.len() > 256 {
            return Err(error("it has not 1 to 256 characters").hint("write a number or a text"));
        }
        if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) || text.trim() != text {
            return Err(error("it has blanks around it, or characters beyond ASCII")
                .hint("write numbers with single blanks between them, or a word"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl schemars::JsonSchema for SysctlValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SysctlValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "integer"],
            "format": "sysctl-value",
            "description": "The value of a setting of the kernel.",
            "examples": ["1024 65000"],
            "x-sealift": "scalar",
        })
    }
}

impl<'de> serde::Deserialize<'de> for SysctlValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A module of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleName(String);
text_type!(ModuleName);

impl FromStr for ModuleName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if text.is_empty() || text.len() > 55 || !text.bytes().all(good) || text.starts_with('-') {
            let reason = "it is not made of 1 to 55 letters, digits, `_` and `-`";
            return Err(ScalarError::new(text, "a module of the kernel", reason)
                .hint("write it as `lsmod` shows it, such as br_netfilter"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(ModuleName, "module-name", "A module of the kernel.", "br_netfilter");

/// A time zone of the IANA's database, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimezoneName(String);
text_type!(TimezoneName);

impl FromStr for TimezoneName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte);
        let word = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.len() <= 30 && part.bytes().all(good)
        };
        if text.split('/').count() > 3 || !text.split('/').all(word) {
            let reason = "it is not made of up to three names with `/` between them";
            return Err(ScalarError::new(text, "a time zone", reason)
                .hint("write it as `timedatectl list-timezones` shows it, such as Europe/Berlin or UTC"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_scalar!(TimezoneName, "timezone-name", "A time zone of the IANA's database.", "Europe/Berlin");

/// A server of the time: a DNS name or an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NtpServer(String);
text_type!(NtpServer);

impl FromStr for NtpServer {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if text.parse::<IpAddr>().is_ok() || text.parse::<HostName>().is_ok() {
            return Ok(Self(text.to_owned()));
        }
        Err(ScalarError::new(text, "a time server", "it is neither a DNS name nor an address")
            .hint("write it like ntp.example or 10.0.0.2"))
    }
}

text_scalar!(NtpServer, "ntp-server", "A time server: a DNS name or an address.", "ntp.example");

/// An address that names are for in `/etc/hosts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostAddress(IpAddr);

impl HostAddress {
    /// The address.
    pub const fn get(self) -> IpAddr {
        self.0
    }
}

impl FromStr for HostAddress {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let address: IpAddr = text.parse().map_err(|_| {
            ScalarError::new(text, "an IP address", "it is neither IPv4 nor IPv6")
                .hint("write it like 10.0.0.6 or fd00::6")
        })?;
        // two spellings of a key would be one address with the names of either
        if address.to_string() != text {
            return Err(ScalarError::new(text, "an IP address", "it has a shorter form")
                .hint(format!("write it {address}")));
        }
        Ok(Self(address))
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_scalar!(HostAddress, "host-address", "An address of /etc/hosts.", "10.0.0.6");

#[cfg(test)]
mod tests {
    use super::{
        HostAddress, InterfaceName, MachineId, ModuleName, NtpServer, SysctlKey, SysctlValue, TimezoneName,
    };
    use crate::spec::scalars::ScalarError;
    use std::str::FromStr;

    fn good<T: FromStr<Err = ScalarError> + ToString>(texts: &[&str]) {
        for text in texts {
            assert_eq!(text.parse::<T>().map(|it| it.to_string()).as_deref(), Ok(*text));
        }
    }

    fn bad<T: FromStr<Err = ScalarError>>(texts: &[&str]) {
        for text in texts {
            assert!(text.parse::<T>().is_err(), "{text:?}");
        }
    }

    const HOSTILE: &[&str] = &[
        "",
        " ",
        "a b\n",
        "a\nb",
        "a;b",
        "a'b",
        "a\"b",
        "a{b",
        "a}b",
        "a$b",
        "a%b",
        "a\0b",
        "a\u{202e}b",
        "é",
    ];

    #[test]
    fn what_systems_have_and_nothing_that_breaks_out_of_a_configuration() {
        good::<InterfaceName>(&["eth0", "bond0.100", "enp0s31f6", "br-lan", "veth_1"]);
        bad::<InterfaceName>(&[".", "..", "-a", "abcdefghijklmnop", "eth0:1", "a/b", "a b", "@"]);
        good::<MachineId>(&["8b2f3a5c9d014e6fa7b8c9d0e1f20314"]);
        bad::<MachineId>(&[
            "8B2F3A5C9D014E6FA7B8C9D0E1F20314",
            "00000000000000000000000000000000",
            "8b2f",
            "uninitialized",
        ]);
        good::<SysctlKey>(&["net.ipv4.ip_forward", "net.ipv4.conf.bond0/100.rp_filter", "vm.swappiness"]);
        bad::<SysctlKey>(&[
            "swappiness",
            "a..b",
            ".a.b",
            "a.b.",
            "-a.b",
            "a.b=c",
            "a.b #",
            "/a.b",
            "a./b",
            "net/ipv4.ip_forward",
        ]);
        good::<SysctlValue>(&["1", "1024 65000", "|/bin/false", "fq_codel", "-1"]);
        bad::<SysctlValue>(&[" 1", "1 ", "1\n2", "1\t2", "ä"]);
        good::<ModuleName>(&["br_netfilter", "ip_vs", "8021q"]);
        bad::<ModuleName>(&["a b", "../a", "-a", "a.ko", "a#"]);
        good::<TimezoneName>(&["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+1"]);
        bad::<TimezoneName>(&["..", "../../etc/passwd", "/UTC", "UTC/", "a//b", "a/b/c/d", "Europe Berlin"]);
        good::<NtpServer>(&["ntp.example", "10.0.0.2", "fd00::2"]);
        bad::<NtpServer>(&["ntp.example iburst", "http://a", "a_b"]);
        good::<HostAddress>(&["10.0.0.6", "fd00::6"]);
        bad::<HostAddress>(&["10.0.0.0/8", "a", "fd00:0::6", "FD00::6"]);
        bad::<InterfaceName>(HOSTILE);
        bad::<MachineId>(HOSTILE);
        bad::<SysctlKey>(HOSTILE);
        bad::<ModuleName>(HOSTILE);
        bad::<TimezoneName>(HOSTILE);
        bad::<NtpServer>(HOSTILE);
        bad::<HostAddress>(HOSTILE);
    }
}
