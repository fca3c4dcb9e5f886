//! The API server's own configuration files, which it reads under either provisioner.

use super::certs::Place;
use crate::spec::scalars::Certificates;
use crate::spec::types::{FreeForm, Provisioner, Role, Spec};
use serde::Serialize;

/// What is in the API server's configuration files; absent is no file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiServerPlan {
    /// The fields of an audit.k8s.io/v1 `Policy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_policy: Option<FreeForm>,
    /// An `AuthenticationConfiguration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<FreeForm>,
    /// An `AdmissionConfiguration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admission: Option<FreeForm>,
    /// The certificates that an identity provider is checked against: of each the lines of base64
    /// (RFC 7468).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub oidc_ca: Vec<Vec<String>>,
}

/// The files of a host; none where no API server runs, or where it has none.
pub(super) fn plan(spec: &Spec, here: &[Place]) -> Option<ApiServerPlan> {
    let of = &spec.kubernetes;
    let runs = here.contains(&Place::Role(Role::ControlPlane)) && of.provisioner != Provisioner::None;
    let own = Some(&of.api_server).filter(|_| runs)?;
    let oidc = own.oidc.as_ref().and_then(|oidc| oidc.ca.as_ref());
    let plan = ApiServerPlan {
        audit_policy: own.audit.as_ref().map(|audit| audit.policy.clone()),
        authentication: own.authentication.clone(),
        admission: own.admission.clone(),
        oidc_ca: oidc.map(Certificates::lines).unwrap_or_default(),
    };
    (plan != ApiServerPlan::default()).then_some(plan)
}
