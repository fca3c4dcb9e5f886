use super::{Algorithm, RELEASES, known_patches};

#[test]
fn one_row_for_each_release_from_29_to_36() {
    let minors: Vec<_> = RELEASES.iter().map(|row| row.minor).collect();
    assert_eq!(minors, (29..=36).collect::<Vec<_>>());
}

#[test]
fn kubeadm_is_told_the_algorithms_that_it_knows() {
    let word = |minor, algorithm| {
        RELEASES.iter().find(|row| row.minor == minor).and_then(|row| row.encryption_algorithm(algorithm))
    };
    assert_eq!(word(30, Algorithm::EcdsaP256), None);
    assert_eq!(word(31, Algorithm::EcdsaP256), Some("ECDSA-P256"));
    assert_eq!(word(33, Algorithm::EcdsaP384), None);
    assert_eq!(word(34, Algorithm::EcdsaP384), Some("ECDSA-P384"));
    assert_eq!(word(36, Algorithm::Ed25519), None);
}

/// Each cell of the table of default images, as kubeadm's constants.go had it in those releases.
#[test]
fn default_images() {
    #[rustfmt::skip]
    let table = [
        (29, 0..=2, "3.9", Some("3.5.10-0"), "v1.11.1"),
        (29, 3..=8, "3.9", Some("3.5.12-0"), "v1.11.1"),
        (29, 9..=10, "3.9", Some("3.5.15-0"), "v1.11.1"),
        (29, 11..=20, "3.9", None, "v1.11.1"),
        (30, 0..=4, "3.9", Some("3.5.12-0"), "v1.11.1"),
        (30, 5..=6, "3.9", Some("3.5.15-0"), "v1.11.3"),
        (30, 7..=20, "3.9", None, "v1.11.3"),
        (31, 0..=0, "3.10", Some("3.5.15-0"), "v1.11.1"),
        (31, 1..=13, "3.10", Some("3.5.15-0"), "v1.11.3"),
        (31, 14..=20, "3.10", None, "v1.11.3"),
        (32, 0..=9, "3.10", Some("3.5.16-0"), "v1.11.3"),
        (32, 10..=20, "3.10", None, "v1.11.3"),
        (33, 0..=5, "3.10", Some("3.5.21-0"), "v1.12.0"),
        (33, 6..=20, "3.10", None, "v1.12.0"),
        (34, 0..=0, "3.10.1", None, "v1.12.1"),
        (34, 1..=1, "3.10.1", Some("3.6.4-0"), "v1.12.1"),
        (34, 2..=2, "3.10.1", Some("3.6.5-0"), "v1.12.1"),
        (34, 3..=20, "3.10.1", None, "v1.12.1"),
        (35, 0..=20, "3.10.1", Some("3.6.6-0"), "v1.13.1"),
        (36, 0..=20, "3.10.2", Some("3.6.8-0"), "v1.14.2"),
    ];
    for (minor, patches, pause, etcd, coredns) in table {
        let row = RELEASES.iter().find(|row| row.minor == minor);
        for patch in patches {
            let cells = row.map(|row| (row.pause_tag, row.etcd_tag(patch), row.coredns_tag(patch)));
            assert_eq!(cells, Some((pause, etcd, Some(coredns))), "1.{minor}.{patch}");
        }
    }
}

#[test]
fn patches_that_are_known() {
    let of = |minor| {
        RELEASES.iter().find(|row| row.minor == minor).map(|row| known_patches(minor, row.etcd_images))
    };
    assert_eq!(of(29).as_deref(), Some("1.29.0 to 1.29.10"));
    assert_eq!(of(34).as_deref(), Some("1.34.1 to 1.34.2"));
    assert_eq!(of(36).as_deref(), Some("1.36.0 and later"));
    assert_eq!(known_patches(37, &[(3..=3, "")]), "1.37.3");
}

#[test]
fn an_unknown_patch_has_no_default_image() {
    let tag =
        |minor, patch| RELEASES.iter().find(|row| row.minor == minor).and_then(|row| row.etcd_tag(patch));
    assert_eq!(tag(29, 2), Some("3.5.10-0"));
    assert_eq!(tag(29, 3), Some("3.5.12-0"));
    assert_eq!(tag(29, 11), None);
    assert_eq!(tag(34, 0), None);
    assert_eq!(tag(36, 2), Some("3.6.8-0"));
}
