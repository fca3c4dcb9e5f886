//! One host: the tables laid over a spec at one place.

use super::{
    BalancersPlan, ClusterPlan, EtcdPlan, Facts, FilePlan, HostPlan, ItemPlan, KubeletPlan, OPERATOR,
    PreparationPlan, StatefulSetPlan, apiserver, certs, directories, etcd::Members, files, images::Images,
    kubeadm, kubelet, membership, objects, patches, pods, preparation, registries, releases, runbook,
    seed_of, settings, timer,
};
use crate::spec::scalars::{HostName, Recipient};
use crate::spec::types::{Host, Spec};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What runs or is applied somewhere, as far as it is planned before its files.
#[derive(Clone, Copy, Default)]
struct Parts<'p> {
    kubelet: Option<&'p KubeletPlan>,
    kubeadm: Option<&'p kubeadm::KubeadmPlan>,
    etcd: Option<&'p EtcdPlan>,
    objects: Option<&'p objects::ObjectsPlan>,
    stateful_set: Option<&'p StatefulSetPlan>,
    balancers: Option<&'p BalancersPlan>,
    preparation: Option<&'p PreparationPlan>,
    timed: bool,
}

/// What a host runs.
pub(super) struct Services {
    pub(super) etcd: Option<EtcdPlan>,
    pub(super) kubelet: Option<KubeletPlan>,
    pub(super) balancers: Option<BalancersPlan>,
}

/// What the plans of all hosts come from.
pub(super) struct Shared<'a> {
    pub(super) spec: &'a Spec,
    pub(super) facts: &'a Facts,
    pub(super) release: Option<&'static releases::Release>,
    pub(super) images: Option<Images>,
    pub(super) members: &'a Members,
    pub(super) names: preparation::Names,
    pub(super) cluster: &'a ClusterPlan,
}

impl Shared<'_> {
    /// A machine.
    pub(super) fn host(
        &self,
        name: &HostName,
        host: &Host,
        here: &[certs::Place],
        settings: &settings::Settings,
        services: Services,
    ) -> HostPlan {
        let Services { etcd, kubelet, balancers } = services;
        let subject = certs::Subject {
            name: name.as_str(),
            generation: host.generation.get(),
            seed: host.seed,
            addresses: &host.addresses,
            members: Some(self.members),
            api_address: host.advertise_address(),
            own: Some(&host.certificates),
        };
        let kubeadm = kubeadm::plan(self, name, host, settings, etcd.as_ref(), kubelet.as_ref());
        let site = preparation::Site { shared: self, name, host, settings, kubelet: kubelet.as_ref() };
        let preparation = preparation::plan(&site);
        let timer = timer::plan(settings);
        let parts = Parts {
            kubelet: kubelet.as_ref(),
            kubeadm: kubeadm.as_ref(),
            etcd: etcd.as_ref(),
            balancers: balancers.as_ref(),
            preparation: preparation.as_ref(),
            timed: timer.is_some(),
            ..Parts::default()
        };
        let mut planned = self.place(&subject, here, parts);
        let data = etcd.as_ref().map(EtcdPlan::data).unwrap_or_default();
        let allow = &settings.allow_files;
        planned.directories = directories::plan(here, &planned.files, &data, allow, kubelet.is_some()).into();
        HostPlan {
            addresses: host.addresses.clone(),
            machine_id: host.machine_id.clone(),
            keep_previous: settings.keep_previous.unwrap_or_default(),
            recipients: distinct(&host.recipients),
            revision: host.revision.get(),
            patches: kubelet::patches(self, host, settings),
            registries: registries::plan(self.spec),
            kubeadm,
            pods: pods::plan(self, host, settings, etcd.as_ref()),
            etcd: etcd.map(Box::new),
            balancers: balancers.map(Box::new),
            preparation: preparation.map(Box::new),
            timer,
            kubelet,
            ..planned
        }
    }

    /// The operators' bundle.
    pub(super) fn operator(&self, stateful_set: Option<StatefulSetPlan>) -> HostPlan {
        let spec = self.spec;
        let subject = certs::Subject {
            name: OPERATOR,
            generation: 1,
            seed: Some(spec.seed),
            addresses: &[],
            members: None,
            api_address: None,
            own: None,
        };
        let here = [certs::Place::Operator];
        let objects = objects::plan(self);
        let applied =
            Parts { objects: objects.as_ref(), stateful_set: stateful_set.as_ref(), ..Parts::default() };
        let planned = self.place(&subject, &here, applied);
        HostPlan {
            recipients: distinct(&spec.cluster.operators),
            directories: directories::plan(&here, &planned.files, &directories::Data::default(), &[], false)
                .into(),
            files: planned.files.iter().cloned().map(at_rest).collect(),
            objects,
            stateful_set: stateful_set.map(Box::new),
            patches: patches::of_operator(spec, &planned.files),
            ..planned
        }
    }

    /// What the tables place somewhere.
    fn place(&self, subject: &certs::Subject<'_>, here: &[certs::Place], parts: Parts<'_>) -> HostPlan {
        let Parts { kubelet, kubeadm, etcd, objects, stateful_set, balancers, preparation, timed } = parts;
        let Self { spec, facts, release, cluster, .. } = *self;
        let certificates = certs::leaves(spec, release, &cluster.authorities, facts, subject, here);
        let mut site = files::Site {
            spec,
            release,
            cluster,
            here,
            certificates: &certificates,
            kubelet,
            kubeadm,
            etcd,
            objects,
            stateful_set,
            balancers,
            preparation,
            timed,
            told: false,
        };
        let mut files = files::plan(&site);
        let rotations = runbook::rotations(spec, cluster, &files, here, stateful_set);
        let membership = membership::plan(spec, self.members, subject.name, here);
        if !rotations.is_empty() || membership.is_some() {
            site.told = true;
            files = files::plan(&site);
        }
        HostPlan {
            name: subject.name.to_owned(),
            addresses: Vec::new(),
            machine_id: None,
            keep_previous: false,
            recipients: Vec::new(),
            item: ItemPlan { seed: seed_of(spec, subject.seed), generation: subject.generation },
            revision: 0,
            certificates,
            directories: Arc::default(),
            files: files.into(),
            rotations,
            membership: membership.map(Box::new),
            patches: BTreeMap::new(),
            registries: Vec::new(),
            kubeadm: None,
            pods: Vec::new(),
            apiserver: apiserver::plan(spec, here),
            balancers: None,
            preparation: None,
            timer: None,
            objects: None,
            etcd: None,
            stateful_set: None,
            kubelet: None,
        }
    }
}

/// Nothing runs from the operators' bundle, so nothing of it restarts; objects are to be applied.
fn at_rest(file: FilePlan) -> FilePlan {
    FilePlan { restart: Vec::new(), ..file }
}

/// Sorted by wire form and distinct: the order in a spec's list means nothing.
fn distinct(recipients: &[Recipient]) -> Vec<Recipient> {
    let mut sorted = recipients.to_vec();
    sorted.sort();
    sorted.dedup();
    sorted
}
