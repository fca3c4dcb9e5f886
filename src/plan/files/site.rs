//! For whom files are planned: which rows have a file there, and what a certificate's are.

use super::{FilePlan, FileRow, RowSource, Source, When};
use crate::plan::certs::place::CONTROL_PLANE;
use crate::plan::certs::{CertPlan, CertRow, Form, Kind, Place};
use crate::plan::objects::ObjectsPlan;
use crate::plan::releases::Release;
use crate::plan::{
    BalancersPlan, ClusterPlan, EtcdPlan, KubeadmPlan, KubeletPlan, Owner, Policy, PreparationPlan,
    StatefulSetPlan, etcd, pods, restart,
};
use crate::spec::types::{CaName, Spec};

/// For what files are planned.
pub(in crate::plan) struct Site<'a> {
    pub(in crate::plan) spec: &'a Spec,
    pub(in crate::plan) release: Option<&'static Release>,
    pub(in crate::plan) cluster: &'a ClusterPlan,
    pub(in crate::plan) here: &'a [Place],
    pub(in crate::plan) certificates: &'a [CertPlan],
    pub(in crate::plan) kubelet: Option<&'a KubeletPlan>,
    pub(in crate::plan) kubeadm: Option<&'a KubeadmPlan>,
    pub(in crate::plan) etcd: Option<&'a EtcdPlan>,
    pub(in crate::plan) told: bool,
    /// Whether a timer verifies the host.
    pub(in crate::plan) timed: bool,
    /// What the operators apply; in their bundle alone.
    pub(in crate::plan) objects: Option<&'a ObjectsPlan>,
    pub(in crate::plan) stateful_set: Option<&'a StatefulSetPlan>,
    pub(in crate::plan) balancers: Option<&'a BalancersPlan>,
    pub(in crate::plan) preparation: Option<&'a PreparationPlan>,
}

impl Site<'_> {
    /// Whether a row has a file here.
    pub(super) fn has(&self, row: &FileRow) -> bool {
        let patch = || self.kubeadm.is_some_and(|plan| plan.patches.contains_key(row.path));
        Place::any(self.here, row.on) && self.holds(row.when) && (row.source != RowSource::Patch || patch())
    }

    /// What of this host restarts when a certificate changes.
    fn restarts(&self, row: &CertRow) -> Vec<&'static str> {
        let mut targets = restart::targets(row.restart, self.here, self.spec.etcd.run);
        // --kubelet-certificate-authority is read at start, unlike --client-ca-file
        if row.kind == Kind::Authority(CaName::Kubernetes)
            && pods::checks_kubelets(self.spec)
            && Place::any(self.here, CONTROL_PLANE)
        {
            targets.insert(0, "static-pod/kube-apiserver");
        }
        if self.kube_vip_reads(row) {
            targets.push("static-pod/kube-vip");
        }
        targets
    }

    /// How the host is held to a row's files: kubeadm makes the kubelet rotate its certificate where
    /// the cluster signs, and points its kubeconfig to it.
    fn policy(&self, row: &CertRow) -> Policy {
        let operator = self.here.contains(&Place::Operator);
        let signed = self.holds(When::Kubeadm) && self.holds(When::SigningOnHosts);
        match row.policy {
            // it is not needed once, but all the time
            _ if self.kube_vip_reads(row) => Policy::Managed,
            _ if operator => Policy::Managed,
            Policy::Initial if !signed => Policy::Managed,
            policy => policy,
        }
    }

    /// Whether kube-vip has this kubeconfig, which it reads at its start.
    fn kube_vip_reads(&self, row: &CertRow) -> bool {
        let plan = self.balancers.and_then(|balancers| balancers.kube_vip.as_ref());
        plan.is_some_and(|plan| plan.kubeconfig == row.public_path())
    }

    /// The files of a certificate or a key pair, with kubeadm's modes: certificates 0644, all else 0600.
    pub(super) fn of_row(&self, row: &'static CertRow, with_key: bool) -> Vec<FilePlan> {
        let file = |path, mode, source| FilePlan {
            path,
            mode,
            owner: Owner::default(),
            source,
            policy: self.policy(row),
            fields: None,
            certificate: None,
            restart: self.restarts(row),
            run: Vec::new(),
        };
        let public = row.public_path();
        let mut files = match row.form {
            Form::Pair(_) => vec![file(public, 0o644, Source::Certificate(row.id))],
            Form::PublicKey(_) => vec![file(public, 0o600, Source::PublicKeys(row.id))],
            Form::Kubeconfig(..) => vec![file(public, 0o600, Source::Kubeconfig(row.id))],
        };
        if let Some(path) = row.key_path().filter(|_| with_key) {
            let (mode, owner) = self.of_key(row);
            let key = file(path, mode, Source::Key(row.id));
            files.push(FilePlan { certificate: row.certificate_path(), owner, ..key });
        }
        files
    }

    /// Mode and owner of a key: etcd's user reads its own and changes none.
    fn of_key(&self, row: &CertRow) -> (u32, Owner) {
        let reader = etcd::owner(self.spec).filter(|_| row.of_etcds_own());
        reader.map_or((0o600, Owner::default()), |owner| (0o640, Owner { uid: 0, ..owner }))
    }

    /// Whether the key of an authority lies here.
    pub(super) fn has_key(&self, ca: CaName, row: &CertRow) -> bool {
        let asked = self.spec.pki.ca_keys_on_hosts.contains(&ca) && Place::any(self.here, row.key_on_request);
        let external = self.cluster.authority(ca).is_some_and(|plan| plan.certificates.active.is_external());
        (asked || Place::any(self.here, row.key_on)) && !external
    }
}
