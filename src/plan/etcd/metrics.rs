//! Where a member says over plain http how it is: metrics, and what probes ask.

use super::{EtcdPlan, loopback};
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where a member says how it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricsPlan {
    /// On which addresses.
    pub listen: MetricsListener,
    /// The port; kubeadm's `EtcdMetricsPort` by default.
    pub port: u16,
}

/// On which addresses it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricsListener {
    /// Loopback.
    #[default]
    Loopback,
    /// Loopback, and where the member listens.
    Host,
    /// Every address.
    All,
}

impl Default for MetricsPlan {
    fn default() -> Self {
        Self { listen: MetricsListener::Loopback, port: 2381 }
    }
}

impl MetricsPlan {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The URLs of a member at an address, joined by commas, loopback or what has it in it first: kubeadm
    /// probes the first one (`GetEtcdProbeEndpoint`).
    pub fn urls(&self, address: IpAddr) -> String {
        let url = |address| format!("http://{}", SocketAddr::new(address, self.port));
        let local = loopback(address);
        match self.listen {
            MetricsListener::Loopback => url(local),
            MetricsListener::Host => format!("{},{}", url(local), url(address)),
            MetricsListener::All => url(match address {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            }),
        }
    }
}

impl EtcdPlan {
    /// `--listen-metrics-urls`.
    pub fn metrics_urls(&self) -> String {
        self.metrics.urls(self.address)
    }

    /// Where its own host asks how it is: always loopback.
    pub fn probe_address(&self) -> SocketAddr {
        SocketAddr::new(loopback(self.address), self.metrics.port)
    }
}
