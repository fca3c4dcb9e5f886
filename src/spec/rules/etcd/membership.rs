//! Members of etcd that join and leave.

use super::{Holes, Path, Problem, Spec, etcd};
use crate::spec::types::{EtcdRun, EtcdSettings, EtcdState, Host, Role};

/// What is said of one host alone, and only of a member.
pub(in crate::spec::rules) fn of_one_host(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for (role, settings) in &spec.roles {
        let at = Path::root().key("roles").key(role.name()).key("etcd");
        for field in written(&settings.etcd) {
            let at = at.key(field);
            let message = format!("{at}: hosts join one by one");
            problems.push(Problem::error(at, message).hint("write it at the host that joins"));
        }
    }
    for (path, name, host) in super::hosts(spec) {
        let at = path.key("etcd");
        let fields = written(&host.etcd);
        if let Some((why, hint)) = nobody_joins(spec, name, host).filter(|_| !holes.touch(&path.key("roles")))
        {
            for field in fields {
                problems.push(Problem::error(at.key(field), why.clone()).hint(hint.clone()));
            }
        } else if host.etcd.state != Some(EtcdState::Existing) && !holes.has(&at.key("state")) {
            for field in fields.into_iter().filter(|field| *field != "state") {
                let at = at.key(field);
                let message = format!("{at}: {name} begins the cluster and joins none");
                problems.push(
                    Problem::error(at, message)
                        .hint("write `state: existing` beside it if the member joins a cluster that runs"),
                );
            }
        }
    }
}

/// The fields of a member that joins.
fn written(settings: &EtcdSettings) -> Vec<&'static str> {
    let fields = [
        ("state", settings.state.is_some()),
        ("join", settings.join.is_some()),
        ("founder", settings.founder.is_some()),
    ];
    fields.into_iter().filter(|(_, written)| *written).map(|(field, _)| field).collect()
}

/// Why no member of this host can be told to join, and what to do.
fn nobody_joins(spec: &Spec, name: &str, host: &Host) -> Option<(String, String)> {
    if spec.etcd.run == EtcdRun::StatefulSet {
        let hint = "remove it; change `replicas` of the StatefulSet, one at a time";
        return Some(("a StatefulSet has no members on hosts".to_owned(), hint.to_owned()));
    }
    if !host.has(Role::Etcd) {
        let hint = "give it the role `etcd`, or remove this";
        return Some((format!("{name} is no etcd member"), hint.to_owned()));
    }
    spec.has_kubeadms_member(host).then(|| {
        let hint = "remove it: `kubeadm join` adds the member; before a machine is replaced, \
                    `etcdctl member remove ID` of the one that is gone";
        (format!("{name}'s member is kubeadm's"), hint.to_owned())
    })
}

/// Somebody began the cluster.
pub(in crate::spec::rules) fn a_beginning(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let hosts = Path::root().key("hosts");
    if holes.touch(&hosts) {
        return;
    }
    let mut members = spec.hosts.values().filter(|host| host.has(Role::Etcd)).peekable();
    if members.peek().is_some() && members.all(|host| host.etcd.state == Some(EtcdState::Existing)) {
        let message = "every etcd member joins a cluster, and none began it";
        problems.push(Problem::error(hosts, message).hint(
            "leave `state: existing` out at the members that began it; if the machines of all are gone, begin a \
             new cluster from a snapshot",
        ));
    }
}

/// Who leaves is no member any more, and is named once.
pub(in crate::spec::rules) fn leaving(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let list = etcd().key("leaving");
    for (index, name) in spec.etcd.leaving.iter().enumerate() {
        let at = holes.item(&list, index);
        if spec.etcd.run == EtcdRun::StatefulSet {
            let message = format!("{at}: a StatefulSet has no members on hosts");
            let hint = "remove it; change `replicas` of the StatefulSet, one at a time";
            problems.push(Problem::error(at, message).hint(hint));
        } else if spec.etcd.leaving.iter().take(index).any(|other| other == name) {
            let message = format!("{at}: {name} is listed twice");
            problems.push(Problem::error(at, message).hint("remove one of the two"));
        } else if spec.hosts.get(name).is_some_and(|host| host.has(Role::Etcd)) {
            let message = format!("{at}: {name} still is an etcd member");
            problems.push(Problem::error(at, message).hint(format!(
                "remove {name} from `hosts`, or `etcd` from its roles; to replace its machine, raise its \
                 `generation` and write `etcd: {{state: existing}}` there instead"
            )));
        }
    }
}
