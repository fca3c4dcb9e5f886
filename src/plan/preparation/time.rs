//! The time zone, and where the time comes from.

use super::{Site, is_off};
use crate::plan::os;
use crate::spec::types::{NtpClient, NtpPrep, Os};
use serde::Serialize;

/// The time zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimezonePlan {
    /// Its name in the IANA's database.
    pub name: String,
}

/// Where the time comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NtpPlan {
    /// The file that says so.
    pub file: &'static str,
    /// Whom it asks, in order.
    pub servers: Vec<String>,
}

/// systemd-timesyncd's file.
pub(super) const TIMESYNCD: &str = "/etc/systemd/timesyncd.conf.d/90-sealift.conf";
/// chrony's, where its configuration reads a directory of servers.
pub(super) const SOURCES: &str = "/etc/chrony/sources.d/sealift.sources";
/// chrony's configuration, where it reads no directory.
pub(super) const CHRONY: &str = "/etc/chrony.conf";

/// The time zone; none without a name.
pub(super) fn timezone(site: &Site<'_>) -> Option<TimezonePlan> {
    let part = site.settings.prep.timezone.as_ref().filter(|part| !is_off(part.enabled))?;
    Some(TimezonePlan { name: part.name.as_ref()?.to_string() })
}

/// Where the time comes from; none without servers.
pub(super) fn ntp(site: &Site<'_>) -> Option<NtpPlan> {
    let part = site.settings.prep.ntp.as_ref().filter(|part| !is_off(part.enabled))?;
    let file = match client(part, site.settings.os) {
        NtpClient::Timesyncd => TIMESYNCD,
        NtpClient::Chrony => os::paths(site.settings.os).chrony?,
    };
    let servers: Vec<_> = part.servers.iter().map(ToString::to_string).collect();
    (!servers.is_empty()).then_some(NtpPlan { file, servers })
}

/// What asks for the time: the distribution's own.
pub(super) fn client(part: &NtpPrep, os: Os) -> NtpClient {
    part.client.unwrap_or(match os {
        Os::Rhel => NtpClient::Chrony,
        Os::Debian | Os::Flatcar => NtpClient::Timesyncd,
    })
}
