//! Who is a member of the cluster, how it is reached, and whom its host lists.
//!
//! etcd compares `--initial-cluster` of a member that joins with the members that there are
//! (`etcdserver/api/membership`, `ValidateClusterAndAssignIDs`), and ignores it from then on. So a
//! member lists those that began the cluster, those that joined before it, and itself: one that joins
//! later changes no file of others.

use crate::spec::scalars::{Generation, HostName};
use crate::spec::types::{EtcdState, EtcdUrls, Host, Role, Spec};
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// etcd's port for clients.
const CLIENT_PORT: u16 = 2379;
/// etcd's port for members.
const PEER_PORT: u16 = 2380;

/// One member.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Member {
    /// Its name: the node name.
    pub(in crate::plan) name: String,
    /// Where it listens.
    pub(in crate::plan) address: IpAddr,
    /// The name that it is reached by; none where members are reached by address.
    pub(in crate::plan) dns_name: Option<String>,
    /// The generation of its host.
    pub(in crate::plan) generation: Generation,
    /// Whether those that began the cluster list it.
    founder: bool,
    /// Of one that joins: its turn.
    turn: Option<Generation>,
    /// Of one that joins: whether it takes the place of a member of its name.
    pub(in crate::plan) replaces: bool,
}

/// All members of a cluster.
#[derive(Debug)]
pub(in crate::plan) struct Members {
    /// In byte order of their names.
    pub(in crate::plan) all: Vec<Member>,
    /// All client URLs, joined by commas.
    pub(in crate::plan) client_urls: String,
    /// What the members list that began the cluster.
    founders: Listed,
}

/// The members that a host knows from its files.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// `--initial-cluster`: `name=https://address:2380`, joined by commas.
    pub initial_cluster: Arc<str>,
    /// Their client URLs, joined by commas.
    #[serde(skip)]
    pub client_urls: Arc<str>,
}

impl Members {
    /// All members of a spec.
    pub(in crate::plan) fn of(spec: &Spec) -> Self {
        let hosts = spec.hosts.iter().filter(|(_, host)| host.has(Role::Etcd));
        let all: Vec<_> = hosts.filter_map(|(name, host)| Member::of(spec, name, host)).collect();
        let client_urls = joined(all.iter().map(Member::client_url));
        let founders = listed(all.iter().filter(|member| member.founder));
        Self { all, client_urls, founders }
    }

    /// One of them.
    pub(in crate::plan) fn find(&self, name: &str) -> Option<&Member> {
        let index = self.all.binary_search_by(|member| member.name.as_str().cmp(name)).ok()?;
        self.all.get(index)
    }

    /// Whom the host of a member lists.
    pub(super) fn listed_by(&self, member: &Member) -> Listed {
        let Some(own) = member.turn else { return self.founders.clone() };
        let before = |other: &&Member| {
            other.founder
                || other.name == member.name
                || other.turn.is_some_and(|turn| (turn, &other.name) < (own, &member.name))
        };
        listed(self.all.iter().filter(before))
    }

    /// Those that join, in their order.
    fn joining(&self) -> Vec<&Member> {
        let mut joining: Vec<_> = self.all.iter().filter(|member| member.turn.is_some()).collect();
        joining.sort_by_key(|member| (member.turn, &member.name));
        joining
    }

    /// Those of them that join last.
    pub(in crate::plan) fn latest(&self) -> Vec<&Member> {
        let mut joining = self.joining();
        let last = joining.last().and_then(|member| member.turn);
        joining.retain(|member| member.turn == last);
        joining
    }
}

impl Member {
    /// Whether it joins a cluster that runs.
    pub(in crate::plan) fn joins(&self) -> bool {
        self.turn.is_some()
    }

    fn of(spec: &Spec, name: &HostName, host: &Host) -> Option<Self> {
        let joins = host.etcd.state == Some(EtcdState::Existing);
        let dns_name = host.etcd_name.as_ref().unwrap_or(name);
        let again = host.generation > Generation::LEAST && !spec.retired.contains_key(name);
        let founder = !joins || host.etcd.founder.unwrap_or(again);
        Some(Self {
            name: name.to_string(),
            address: address_of(spec, host)?,
            dns_name: (spec.etcd.urls == EtcdUrls::Name).then(|| dns_name.to_string()),
            generation: host.generation,
            founder,
            replaces: joins && (founder || again),
            turn: joins.then(|| host.etcd.join.unwrap_or_default()),
        })
    }

    /// The URL that clients use.
    pub(in crate::plan) fn client_url(&self) -> String {
        self.url(CLIENT_PORT)
    }

    /// The URL that other members use.
    pub(in crate::plan) fn peer_url(&self) -> String {
        self.url(PEER_PORT)
    }

    fn url(&self, port: u16) -> String {
        self.dns_name
            .as_ref()
            .map_or_else(|| url(self.address, port), |name| format!("https://{name}:{port}"))
    }
}

/// Where clients reach a member at an address.
pub(super) fn client_url(address: IpAddr) -> String {
    url(address, CLIENT_PORT)
}

/// Where other members reach it.
pub(super) fn peer_url(address: IpAddr) -> String {
    url(address, PEER_PORT)
}

/// An https URL; IPv6 stands in brackets.
fn url(address: IpAddr, port: u16) -> String {
    format!("https://{}", SocketAddr::new(address, port))
}

fn listed<'m>(members: impl Iterator<Item = &'m Member> + Clone) -> Listed {
    Listed {
        initial_cluster: joined(
            members.clone().map(|member| format!("{}={}", member.name, member.peer_url())),
        )
        .into(),
        client_urls: joined(members.map(Member::client_url)).into(),
    }
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(",")
}

/// kubeadm has its members listen where the API server does.
fn address_of(spec: &Spec, host: &Host) -> Option<IpAddr> {
    let api = host.api_address.filter(|_| spec.has_kubeadms_member(host));
    host.etcd_address.or(api).or_else(|| host.addresses.first().copied())
}
