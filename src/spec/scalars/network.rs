//! Names and addresses in the network: endpoints, subnets, what certificates are good for.

use super::label::{is_number, label_flaw};
use super::{ScalarError, decimal, text_scalar};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The longest DNS name (RFC 1035 section 2.3.4, without the final dot).
const LONGEST: usize = 253;

/// Says what is wrong with a DNS name, `None` when nothing is.
fn dns_flaw(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("it is empty".into());
    }
    if name.len() > LONGEST {
        return Some(format!("it is longer than {LONGEST} characters"));
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    name.split('.')
        .find_map(label_flaw)
        .or_else(|| is_number(last).then(|| "it would be read as an IP address, and is none".into()))
}

/// The host of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointHost {
    /// A DNS name.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Where a service is reached: `api.prod.example:6443`, `10.0.0.100:6443`, `[fd00::100]:6443`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    host: EndpointHost,
    port: u16,
}

impl Endpoint {
    /// Name or address.
    pub const fn host(&self) -> &EndpointHost {
        &self.host
    }

    /// TCP port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// That of an address.
    pub const fn of(address: IpAddr, port: u16) -> Self {
        Self { host: EndpointHost::Address(address), port }
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self::of(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 6443)
    }
}

impl FromStr for Endpoint {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "an endpoint", reason)
                .hint("write it like api.prod.example:6443, 10.0.0.100:6443 or \"[fd00::100]:6443\"")
        };
        if text.contains("//") {
            return Err(error("it is a URL"));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(|| error("it has no port"))?;
        let port = decimal(port).ok().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        let port = port.ok_or_else(|| error("its port is not a number from 1 to 65535"))?;
        if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            let address: Ipv6Addr =
                inner.parse().map_err(|_| error("what stands in brackets is not an IPv6 address"))?;
            return Ok(Self::of(address.into(), port));
        }
        if host.contains(':') {
            return Err(error("an IPv6 address stands in brackets"));
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Ok(Self::of(address.into(), port));
        }
        match dns_flaw(host) {
            Some(reason) => Err(error(&reason)),
            None => Ok(Self { host: EndpointHost::Name(host.to_owned()), port }),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            EndpointHost::Name(name) => write!(f, "{name}:{}", self.port),
            EndpointHost::Address(address) => SocketAddr::new(*address, self.port).fmt(f),
        }
    }
}

text_scalar!(Endpoint, "endpoint", "NAME:PORT or ADDRESS:PORT.", "api.prod.example:6443");

/// A range of addresses, `10.96.0.0/12` or `fd00:96::/112`, with no bit set behind its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subnet {
    address: IpAddr,
    prefix: u8,
}

impl Subnet {
    /// kubeadm's default for services.
    pub const SERVICES: Self = Self { address: IpAddr::V4(Ipv4Addr::new(10, 96, 0, 0)), prefix: 12 };

    /// The first address of the range.
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// How many bits all addresses share.
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether it is a range of IPv6.
    pub const fn is_ipv6(self) -> bool {
        self.address.is_ipv6()
    }

    /// How many bits an address of its family has.
    const fn bits(self) -> u8 {
        if self.address.is_ipv4() { 32 } else { 128 }
    }

    /// The address at a distance from the first, `None` outside the range.
    pub fn nth(self, distance: u32) -> Option<IpAddr> {
        let address = match self.address {
            IpAddr::V4(first) => u32::from(first).checked_add(distance).map(|n| IpAddr::V4(n.into()))?,
            IpAddr::V6(first) => {
                u128::from(first).checked_add(u128::from(distance)).map(|n| IpAddr::V6(n.into()))?
            }
        };
        self.contains(address).then_some(address)
    }

    /// Whether an address lies in it.
    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && number(address) >> (self.bits() - self.prefix)
                == number(self.address) >> (self.bits() - self.prefix)
    }

    /// Whether two ranges share an address.
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

impl Default for Subnet {
    fn default() -> Self {
        Self::SERVICES
    }
}

impl FromStr for Subnet {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: &str| {
            ScalarError::new(text, "a subnet", reason).hint("write it like 10.96.0.0/12 or fd00:96::/112")
        };
        let (address, prefix) = text.split_once('/').ok_or_else(|| error("it has no prefix length"))?;
        let address: IpAddr = address.parse().map_err(|_| error("it does not begin with an IP address"))?;
        if matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some()) {
            return Err(error("an IPv4 address in an IPv6 address; write it as IPv4"));
        }
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = decimal(prefix).ok().and_then(|prefix| u8::try_from(prefix).ok());
        let prefix = prefix
            .filter(|prefix| (1..=most).contains(prefix))
            .ok_or_else(|| error(&format!("its prefix length is not a number from 1 to {most}")))?;
        let rest = most - prefix;
        if rest > 0 && number(address) & (u128::MAX >> (128 - u32::from(rest))) != 0 {
            return Err(error("it has bits set behind its prefix"));
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

text_scalar!(Subnet, "subnet", "A range of addresses, ADDRESS/PREFIX.", "10.96.0.0/12");

/// The cluster's DNS domain: a DNS-1123 subdomain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterDomain(String);

impl ClusterDomain {
    /// The domain.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ClusterDomain {
    fn default() -> Self {
        Self("cluster.local".to_owned())
    }
}

impl FromStr for ClusterDomain {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: String| {
            ScalarError::new(text, "a DNS domain", reason).hint("write it like cluster.local")
        };
        dns_flaw(text).map_or_else(|| Ok(Self(text.to_owned())), |reason| Err(error(reason)))
    }
}

impl fmt::Display for ClusterDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_scalar!(ClusterDomain, "cluster-domain", "A DNS domain.", "cluster.local");

/// What a server's certificate is good for: a DNS name, one with `*.` before it, or an IP address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum San {
    /// A DNS name.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

impl Default for San {
    fn default() -> Self {
        Self::Dns(String::new())
    }
}

impl FromStr for San {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: String| {
            ScalarError::new(text, "a name or address", reason)
                .hint("write it like api.prod.example, *.prod.example, 10.0.0.100 or fd00::100")
        };
        if let Ok(address) = text.parse::<IpAddr>() {
            let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
            let reason = "an IPv4 address in an IPv6 address; write it as IPv4";
            return if mapped { Err(error(reason.into())) } else { Ok(Self::Ip(address)) };
        }
        let bare = text.strip_prefix("*.").unwrap_or(text);
        dns_flaw(bare).map_or_else(|| Ok(Self::Dns(text.to_owned())), |reason| Err(error(reason)))
    }
}

impl fmt::Display for San {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

text_scalar!(San, "san", "A DNS name or an IP address.", "api.prod.example");
