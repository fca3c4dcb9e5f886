//! Recipients: what is sealed to one host must not open for another.

use super::{Holes, Path, Problem, Spec};
use crate::spec::scalars::Recipient;
use std::collections::BTreeMap;

/// Every list of recipients: whose it is, and the path of the list.
fn lists(spec: &Spec) -> impl Iterator<Item = (Path, &[Recipient])> {
    let operators = (Path::root().key("cluster").key("operators"), spec.cluster.operators.as_slice());
    let hosts =
        super::hosts(spec).map(|(path, _, host)| (path.key("recipients"), host.recipients.as_slice()));
    std::iter::once(operators).chain(hosts)
}

/// One key belongs to one host, or to operators alone; within a list it needs to stand once.
///
/// A key given in its age and in its OpenSSH form is one key ([`Recipient::montgomery`]).
pub(super) fn distinct(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let mut owners: BTreeMap<[u8; 32], (Path, Path)> = BTreeMap::new();
    for (list, recipients) in lists(spec) {
        for (index, recipient) in recipients.iter().enumerate() {
            let at = holes.item(&list, index);
            let key = recipient.montgomery();
            let Some((owner, first)) = owners.get(&key) else {
                owners.insert(key, (list.clone(), at));
                continue;
            };
            problems.push(if *owner == list {
                let message = format!("{at}: the same key as {first}");
                Problem::warning(at, message).hint("remove one of the two")
            } else {
                let message = format!("{at}: the same key as {first}");
                Problem::error(at, message)
                    .hint("whoever has this key opens the secrets of both; give each a key of its own")
            });
        }
    }
}
