//! Rotations: what is replaced must exist, and must be another than what replaces it.

use super::{Holes, Path, Problem, Spec};
use crate::spec::scalars::{Generation, SeedNumber};
use crate::spec::types::{Authority, CaName, EncryptionAtRest, Rotation, ServiceAccount, Signing};

/// The part that all items have.
struct Item {
    path: Path,
    generation: Generation,
    seed: u32,
    rotation: Option<Rotation>,
    previous: Option<Previous>,
    /// Whether it is derived from its seed.
    derived: bool,
}

/// What it replaces.
struct Previous {
    /// As written.
    generation: Option<Generation>,
    seed: u32,
    derived: bool,
    /// Whether both were made elsewhere, and are the same files.
    same_files: bool,
}

/// Steps replace something, and something else.
pub(super) fn steps(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for item in items(spec).iter().filter(|item| !holes.touch(&item.path)) {
        problems.extend(nothing_to_replace(item));
        problems.extend(item.previous.as_ref().and_then(|previous| wrong_previous(item, previous)));
        problems.extend(older_seed(item));
        problems.extend(no_step(item));
    }
    let at = Path::root().key("encryptionAtRest");
    let settings = spec.encryption_at_rest.as_ref().filter(|_| !holes.touch(&at));
    problems.extend(settings.and_then(|settings| one_name(spec, &at, settings)));
}

/// Keys at rest are called by their generation, and an API server finds a key by cipher and name
/// (`k8s.io/apiserver`, `storage/value/transformer.go`): of two with one name it tries the first alone.
fn one_name(spec: &Spec, path: &Path, settings: &EncryptionAtRest) -> Option<Problem> {
    let previous = settings.previous.as_ref().filter(|_| settings.rotation.is_some())?;
    let same_cipher = previous.provider.is_none_or(|provider| provider == settings.provider);
    let item = encryption_at_rest(spec, path.clone(), settings);
    let same_name = item.previous.as_ref().is_some_and(|previous| {
        // of one seed they are the same key, and that is said already
        previous.seed != item.seed && generation(&item, previous) == item.generation.get()
    });
    let name = settings.generation.get();
    (same_cipher && same_name).then(|| {
        let at = path.key("previous");
        let message =
            format!("{at}: both keys would be called key{name}, and API servers would read with one of them");
        Problem::error(at, message).hint(format!("write `generation: {}`", name.saturating_add(1)))
    })
}

fn items(spec: &Spec) -> Vec<Item> {
    let pki = Path::root().key("pki");
    let cas = pki.key("cas");
    let authorities =
        CaName::ALL.iter().map(|name| authority(spec, cas.key(name.name()), spec.pki.cas.of(*name)));
    let mut all: Vec<_> = authorities.collect();
    all.push(service_account(spec, pki.key("serviceAccount"), &spec.pki.service_account));
    all.push(signing(spec, Path::root().key("signing"), &spec.signing));
    let encryption = spec.encryption_at_rest.as_ref();
    all.extend(
        encryption.map(|settings| encryption_at_rest(spec, Path::root().key("encryptionAtRest"), settings)),
    );
    all
}

fn seed_of(spec: &Spec, own: Option<SeedNumber>) -> u32 {
    own.unwrap_or(spec.seed).get()
}

fn authority(spec: &Spec, path: Path, settings: &Authority) -> Item {
    let previous = settings.previous.as_ref().map(|previous| Previous {
        generation: previous.generation,
        seed: seed_of(spec, previous.seed),
        derived: previous.import.is_none() && previous.external.is_none(),
        same_files: previous.import == settings.import && previous.external == settings.external,
    });
    Item {
        path,
        generation: settings.generation,
        seed: seed_of(spec, settings.seed),
        rotation: settings.rotation,
        previous,
        derived: settings.import.is_none() && settings.external.is_none(),
    }
}

fn service_account(spec: &Spec, path: Path, settings: &ServiceAccount) -> Item {
    let previous = settings.previous.as_ref().map(|previous| (previous.generation, previous.seed));
    let item = Item::derived(spec, path, (settings.generation, settings.seed), previous);
    Item { rotation: settings.rotation, ..item }
}

fn signing(spec: &Spec, path: Path, settings: &Signing) -> Item {
    let previous = settings.previous.as_ref().map(|previous| (previous.generation, previous.seed));
    let item = Item::derived(spec, path, (settings.generation, settings.seed), previous);
    Item { rotation: settings.rotation, ..item }
}

fn encryption_at_rest(spec: &Spec, path: Path, settings: &EncryptionAtRest) -> Item {
    let previous = settings.previous.as_ref().map(|previous| (previous.generation, previous.seed));
    let item = Item::derived(spec, path, (settings.generation, settings.seed), previous);
    Item { rotation: settings.rotation, ..item }
}

impl Item {
    /// What nobody can bring along: keys by their generations and seeds.
    fn derived(
        spec: &Spec,
        path: Path,
        (generation, seed): (Generation, Option<SeedNumber>),
        previous: Option<(Option<Generation>, Option<SeedNumber>)>,
    ) -> Self {
        let previous = previous.map(|(generation, seed)| Previous {
            generation,
            seed: seed_of(spec, seed),
            derived: true,
            same_files: false,
        });
        Self { path, generation, seed: seed_of(spec, seed), rotation: None, previous, derived: true }
    }
}

fn nothing_to_replace(item: &Item) -> Option<Problem> {
    item.rotation.filter(|_| item.generation == Generation::LEAST && item.previous.is_none())?;
    let at = item.path.key("rotation");
    let message = format!("{at}: there is nothing to replace: generation 1 is the first");
    Some(
        Problem::error(at, message)
            .hint("raise `generation` by one, or write as `previous` what is replaced"),
    )
}

/// The generation that `previous` means: as written, or the one before.
fn generation(item: &Item, previous: &Previous) -> u32 {
    let before = item.generation.get().saturating_sub(1).max(1);
    previous.generation.map_or(before, Generation::get)
}

fn wrong_previous(item: &Item, previous: &Previous) -> Option<Problem> {
    let at = item.path.key("previous");
    if !item.derived && previous.same_files {
        let message = format!("{at}: the same files as what replaces it");
        return Some(Problem::error(at, message).hint("name the files of the one that the cluster has now"));
    }
    let (generation, successor) = (generation(item, previous), item.generation.get());
    if generation == successor && item.derived && previous.derived && previous.seed == item.seed {
        let message =
            format!("{at}: the same as what replaces it: generation {generation} of seed {}", item.seed);
        let next = successor.saturating_add(1);
        return Some(
            Problem::error(at, message)
                .hint(format!("raise `generation` to {next}, or write another `seed`")),
        );
    }
    // whatever the seed or the files: keys of leaves come from the generation of their authority too
    item.rotation.filter(|_| generation > successor)?;
    let message =
        format!("{at}: generation {generation} is later than the one that replaces it ({successor})");
    let next = generation.saturating_add(1);
    Some(Problem::error(at, message).hint(format!(
        "generations only go up, or a key that was retired comes back: write `generation: {next}`"
    )))
}

/// Seeds are only added: one with a lower number was used before, and what came from it comes again.
fn older_seed(item: &Item) -> Option<Problem> {
    let previous = item.previous.as_ref().filter(|_| item.rotation.is_some())?;
    let (generation, successor) = (generation(item, previous), item.generation.get());
    let back = item.derived && previous.derived && previous.seed > item.seed && generation >= successor;
    let at = item.path.key("previous");
    let message = format!(
        "{at}: its seed {} is newer than seed {} of what replaces it: a key that was retired may come back",
        previous.seed, item.seed
    );
    let hint = format!("raise `generation` to one that seed {} never had here", item.seed);
    back.then(|| Problem::warning(at, message).hint(hint))
}

fn no_step(item: &Item) -> Option<Problem> {
    item.previous.as_ref().filter(|_| item.rotation.is_none())?;
    let at = item.path.key("previous");
    let message = format!("{at}: it means nothing without `rotation`");
    Some(
        Problem::warning(at, message)
            .hint("remove it, or write the step: `rotation: stage`, `promote` or `retire`"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{GOOD, brief, rendered};

    /// What is said of a spec with this beside `pki.validity`, and this at the end.
    fn with(pki: &str, end: &str) -> String {
        format!(
            "{}{end}",
            GOOD.replace(
                "  validity: {ca: 10y, leaf: 1y}\n",
                &format!("  validity: {{ca: 10y, leaf: 1y}}\n{pki}")
            )
        )
    }

    fn etcd(settings: &str) -> String {
        brief(&with(&format!("  cas: {{etcd: {{{settings}}}}}\n"), ""))
    }

    #[test]
    fn rotations_that_are_right() {
        for step in ["stage", "promote", "retire"] {
            assert_eq!(etcd(&format!("generation: 2, rotation: {step}")), "");
            assert_eq!(etcd(&format!("generation: 4, rotation: {step}, previous: {{generation: 2}}")), "");
            assert_eq!(etcd(&format!("seed: 2, rotation: {step}, previous: {{seed: 1}}")), "");
            let up = format!("seed: 2, generation: 7, rotation: {step}, previous: {{generation: 7}}");
            assert_eq!(etcd(&up), "");
        }
        let derived = "rotation: stage, import: {certificate: a.crt, key: a.key}, previous: {generation: 1}";
        assert_eq!(etcd(derived), "");
        let renewed = "rotation: stage, import: {certificate: a.crt, key: a.key}, previous: {import: {certificate: b.crt, key: a.key}}";
        assert_eq!(etcd(renewed), "");
        let taken_over =
            "generation: 1, rotation: stage, previous: {external: {certificate: a.crt, issued: a}}";
        assert_eq!(etcd(taken_over), "");
    }

    #[test]
    fn nothing_is_replaced() {
        for step in ["stage", "promote", "retire"] {
            let expected = "error pki.cas.etcd.rotation | pki.cas.etcd.rotation: there is nothing to replace: generation 1 is the first\n";
            assert_eq!(etcd(&format!("rotation: {step}")), expected);
        }
        let same = |generation| {
            format!(
                "error pki.cas.etcd.previous | pki.cas.etcd.previous: the same as what replaces it: generation {generation} of seed 1\n"
            )
        };
        assert_eq!(etcd("generation: 2, rotation: stage, previous: {generation: 2}"), same(2));
        assert_eq!(etcd("rotation: stage, previous: {}"), same(1));
        assert_eq!(etcd("rotation: stage, previous: {algorithm: ecdsa-p384}"), same(1));
        let files =
            "error pki.cas.etcd.previous | pki.cas.etcd.previous: the same files as what replaces it\n";
        let import = "import: {certificate: a.crt, key: a.key}";
        assert_eq!(etcd(&format!("generation: 2, rotation: stage, {import}, previous: {{{import}}}")), files);
        let external = "external: {certificate: a.crt, issued: a}";
        assert_eq!(
            etcd(&format!("generation: 2, rotation: stage, {external}, previous: {{{external}}}")),
            files
        );
    }

    #[test]
    fn keys_at_rest_have_names_of_their_own() {
        let at_rest = |settings: &str| brief(&with("", &format!("encryptionAtRest: {{{settings}}}\n")));
        let pointless = at_rest("provider: secretbox");
        let same = "provider: secretbox, seed: 2, rotation: stage, previous: {seed: 1}";
        let expected = "error encryptionAtRest.previous | encryptionAtRest.previous: both keys would be called key1, and API servers would read with one of them\n";
        assert_eq!(at_rest(same).replace(&pointless, ""), expected);
        for right in [
            "provider: secretbox, seed: 2, generation: 2, rotation: stage, previous: {seed: 1}",
            "provider: secretbox, seed: 2, rotation: stage, previous: {seed: 1, provider: aescbc}",
        ] {
            assert_eq!(at_rest(right), pointless, "{right}");
        }
    }

    #[test]
    fn generations_go_up() {
        let expected = "error pki.cas.etcd.previous | pki.cas.etcd.previous: generation 3 is later than the one that replaces it (2)\n";
        assert_eq!(etcd("generation: 2, rotation: stage, previous: {generation: 3}"), expected);
        // keys of leaves come from the authority's generation, and not from its seed or its files
        assert_eq!(etcd("seed: 2, generation: 2, rotation: promote, previous: {generation: 3}"), expected);
        let import = "import: {certificate: a.crt, key: a.key}";
        for step in ["stage", "promote", "retire"] {
            let settings = format!("generation: 2, rotation: {step}, {import}, previous: {{generation: 3}}");
            assert_eq!(etcd(&settings), expected);
        }
    }

    #[test]
    fn back_to_an_older_seed() {
        let expected = "warning pki.cas.etcd.previous | pki.cas.etcd.previous: its seed 2 is newer than seed 1 of what replaces it: a key that was retired may come back\n";
        assert_eq!(etcd("rotation: stage, previous: {seed: 2}"), expected);
        assert_eq!(etcd("generation: 2, rotation: retire, previous: {seed: 2, generation: 2}"), expected);
        assert_eq!(etcd("generation: 2, rotation: stage, previous: {seed: 2}"), "");
    }

    #[test]
    fn every_item_at_its_place_in_one_run() {
        let pki = "  cas: {kubernetes: {previous: {}}, front-proxy: {rotation: promote}}\n  serviceAccount:\n    generation: 2\n    rotation: stage\n    previous: {generation: 2}\n";
        let end = "encryptionAtRest:\n  provider: secretbox\n  refusePlaintext: true\n  previous: {generation: 1, provider: aescbc, seed: 2}\n";
        let expected =
            "error: pki.cas.kubernetes.previous: the same as what replaces it: generation 1 of seed 1
  --> sealift.yaml:19:22
   |
19 |   cas: {kubernetes: {previous: {}}, front-proxy: {rotation: promote}}
   |                      ^^^^^^^^
hint: raise `generation` to 2, or write another `seed`

warning: pki.cas.kubernetes.previous: it means nothing without `rotation`
  --> sealift.yaml:19:22
   |
19 |   cas: {kubernetes: {previous: {}}, front-proxy: {rotation: promote}}
   |                      ^^^^^^^^
hint: remove it, or write the step: `rotation: stage`, `promote` or `retire`

error: pki.cas.front-proxy.rotation: there is nothing to replace: generation 1 is the first
  --> sealift.yaml:19:61
   |
19 |   cas: {kubernetes: {previous: {}}, front-proxy: {rotation: promote}}
   |                                                             ^^^^^^^
hint: raise `generation` by one, or write as `previous` what is replaced

error: pki.serviceAccount.previous: the same as what replaces it: generation 2 of seed 1
  --> sealift.yaml:23:5
   |
23 |     previous: {generation: 2}
   |     ^^^^^^^^
hint: raise `generation` to 3, or write another `seed`

warning: encryptionAtRest.previous: it means nothing without `rotation`
  --> sealift.yaml:41:3
   |
41 |   previous: {generation: 1, provider: aescbc, seed: 2}
   |   ^^^^^^^^
hint: remove it, or write the step: `rotation: stage`, `promote` or `retire`
";
        // in a cluster of etcd alone, these mean nothing besides, which is another rule
        let found = rendered(&with(pki, end));
        let own: Vec<_> =
            found.split("\n\n").filter(|problem| !problem.contains("without a control plane\n")).collect();
        assert_eq!(own.join("\n\n"), expected);
    }

    #[test]
    fn a_hole_says_nothing() {
        let expected = "error pki.cas.etcd.rotation | pki.cas.etcd.rotation: `later` is not known\n";
        assert_eq!(etcd("rotation: later, previous: {}"), expected);
    }
}
