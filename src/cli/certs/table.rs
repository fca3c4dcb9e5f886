//! The inventory for people: by host, each CA with what it issued below it.

use super::{Group, State, Terms};
use crate::check::certificates::rfc3339;
use crate::check::inventory::{Held, Issuer};
use crate::cli::check::counted;
use crate::cli::output::{ERROR, Output, WARNING};
use anstyle::Style;

/// One certificate, laid out: the lines of a host in order.
struct Line<'a> {
    /// Branches before the subject, then before what follows it.
    branch: String,
    below: String,
    held: &'a Held,
}

pub(super) fn print(groups: &[Group], terms: &Terms, output: &mut Output<'_>) {
    let laid: Vec<_> = groups.iter().map(|group| (group, trees(group))).collect();
    let lines = || laid.iter().flat_map(|(_, (found, lost))| found.iter().chain(lost));
    let widest = |width: fn(&Line<'_>) -> usize| lines().map(width).max().unwrap_or(0);
    let subject = widest(|line| line.branch.chars().count() + line.held.certificate.subject.chars().count());
    for (index, (group, (found, lost))) in laid.iter().enumerate() {
        if index > 0 {
            output.line("");
        }
        output.line(format_args!("{}  {}", group.host, group.source));
        if group.certificates.is_empty() {
            output.line("  no certificates");
        }
        for line in found {
            line.print(subject, terms, output);
        }
        if !lost.is_empty() {
            output.line("  issuer not found:");
        }
        for line in lost {
            line.print(subject, terms, output);
        }
    }
}

/// The trees of a host, and those whose root was issued by no certificate here.
fn trees(group: &Group) -> (Vec<Line<'_>>, Vec<Line<'_>>) {
    let (mut found, mut lost) = (Vec::new(), Vec::new());
    for (index, held) in group.certificates.iter().enumerate() {
        match held.issuer {
            Issuer::Held(_) => {}
            Issuer::Itself => plant(group, index, held, ["  ", "  "].map(String::from), &mut found),
            Issuer::NotFound => plant(group, index, held, ["    ", "    "].map(String::from), &mut lost),
        }
    }
    (found, lost)
}

fn plant<'a>(group: &'a Group, index: usize, held: &'a Held, branch: [String; 2], out: &mut Vec<Line<'a>>) {
    let children: Vec<_> = group
        .certificates
        .iter()
        .enumerate()
        .filter(|(_, other)| other.issuer == Issuer::Held(index))
        .collect();
    let [own, next] = branch;
    let bar = if children.is_empty() { "    " } else { "│   " };
    out.push(Line { branch: own, below: format!("{next}{bar}"), held });
    for (number, (child, other)) in children.iter().enumerate() {
        let last = number + 1 == children.len();
        let (own, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        plant(group, *child, other, [format!("{next}{own}"), format!("{next}{below}")], out);
    }
}

impl Line<'_> {
    fn print(&self, width: usize, terms: &Terms, output: &mut Output<'_>) {
        let certificate = &self.held.certificate;
        let (style, left) = remaining(self.held, terms);
        let subject = format!("{}{}", self.branch, certificate.subject);
        output.line(format_args!(
            "{subject:<width$}  {style}{left:>13}{style:#}  {} to {}  {}",
            rfc3339(certificate.not_before),
            rfc3339(certificate.not_after),
            certificate.key
        ));
        let below = &self.below;
        for place in &self.held.places {
            output.line(format_args!("{below}{place}"));
        }
        if self.held.issuer == Issuer::NotFound {
            output.line(format_args!("{below}issuer {}", certificate.issuer));
        }
        let names: Vec<_> = [&certificate.dns, &certificate.ips, &certificate.other_names]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        if !names.is_empty() {
            output.line(format_args!("{below}names {}", names.join(", ")));
        }
        let ca = certificate.ca.then(|| "CA".to_owned());
        let usages: Vec<_> = ca.into_iter().chain(certificate.usages.iter().cloned()).collect();
        let usages = if usages.is_empty() { "no usage".to_owned() } else { usages.join(", ") };
        match &certificate.serial {
            Some(serial) => output.line(format_args!("{below}{usages}; serial {serial}")),
            None => output.line(format_args!("{below}{usages}")),
        }
    }
}

fn remaining(held: &Held, terms: &Terms) -> (Style, String) {
    let days = counted(usize::try_from(terms.days_left(held)).unwrap_or(0), "day");
    match terms.state(held) {
        State::Valid => (Style::new(), days),
        State::Expiring => (WARNING, days),
        State::Expired => (ERROR, "expired".to_owned()),
        State::NotYetValid => (ERROR, "not yet valid".to_owned()),
    }
}

/// One line when nothing is wrong.
pub(super) fn summary(groups: &[Group], terms: &Terms, output: &mut Output<'_>) {
    let all = || groups.iter().flat_map(|group| &group.certificates);
    let first = all().min_by_key(|held| held.certificate.not_after);
    let ends = first.map_or_else(String::new, |held| {
        let until = rfc3339(held.certificate.not_after);
        format!("; the first ends {until}, {} left", remaining(held, terms).1)
    });
    output.good("ok", format_args!("{}{ends}", counted(all().count(), "certificate")));
}
