//! Which image a member runs from.

use crate::plan::releases::{Release, known_patches};
use crate::plan::settings::Settings;
use crate::spec::Problem;
use crate::spec::scalars::{EtcdVersion, ImageRef};
use crate::spec::types::{EtcdRun, Spec};
use serde::Serialize;

/// The image of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EtcdImage {
    /// As a container runtime takes it.
    pub whole: String,
    /// The repository without the name `etcd` at its end; of an image of another name, all before the tag.
    pub repository: String,
    /// The tag, with a digest where the spec pins one.
    pub tag: String,
    /// Whether the spec names the image, so that kubeadm must be told.
    pub pinned: bool,
}

/// The image; none when there is nothing to run it, or when a problem was found.
pub(super) fn image(
    spec: &Spec,
    settings: &Settings,
    release: &Release,
    problems: &mut Vec<Problem>,
) -> Option<EtcdImage> {
    if let Some(pinned) = &settings.etcd.image {
        let parts = kubeadm_parts(&pinned.value);
        if parts.is_none() && spec.etcd.run == EtcdRun::StaticPod {
            problems.push(
                Problem::error(pinned.path.clone(), "this image cannot be told to kubeadm")
                    .hint("kubeadm wants REPOSITORY/etcd:TAG, or REPOSITORY/etcd:TAG@sha256:DIGEST"),
            );
            return None;
        }
        return parts.or_else(|| Some(other(&pinned.value)));
    }
    let version = &spec.kubernetes.version;
    let Some(tag) = release.etcd_tag(version.patch()) else {
        problems.push(
            Problem::error("kubernetes.version", format!("the etcd image of Kubernetes {version} is not known here"))
                .hint(format!(
                    "name it: `etcd: {{image: \"registry.k8s.io/etcd:TAG\"}}`; `kubeadm config images list` of that release says which; \
                     sealift knows those of {}",
                    known_patches(release.minor, release.etcd_images)
                )),
        );
        return None;
    };
    let repository = spec.kubernetes.image_repository.to_string();
    Some(EtcdImage {
        whole: format!("{repository}/etcd:{tag}"),
        repository,
        tag: tag.to_owned(),
        pinned: false,
    })
}

/// kubeadm builds the image's name as `imageRepository/etcd:imageTag`.
fn kubeadm_parts(image: &ImageRef) -> Option<EtcdImage> {
    let (repository, rest) = image.as_str().rsplit_once("/etcd:")?;
    (!rest.contains('/') && !rest.is_empty()).then(|| EtcdImage {
        whole: image.to_string(),
        repository: repository.to_owned(),
        tag: rest.to_owned(),
        pinned: true,
    })
}

fn other(image: &ImageRef) -> EtcdImage {
    let text = image.as_str();
    // a colon before the last slash is a registry's port
    let name = text.rfind('/').map_or(0, |slash| slash + 1);
    let tag = text.get(name..).and_then(|rest| rest.split_once(':')).map_or("", |(_, tag)| tag);
    EtcdImage { whole: text.to_owned(), repository: text.to_owned(), tag: tag.to_owned(), pinned: true }
}

/// The release that runs: what the spec says, else what the image's tag does.
pub(super) fn version(
    settings: &Settings,
    image: Option<&EtcdImage>,
    problems: &mut Vec<Problem>,
) -> Option<EtcdVersion> {
    let of_tag = || image.and_then(|image| EtcdVersion::of_tag(&image.tag));
    let version = settings.etcd.version.or_else(of_tag);
    if version.is_none() {
        let message = match image {
            Some(image) => format!("which release of etcd {} is, its tag does not say", image.whole),
            None => "which release of etcd the service runs is not known".to_owned(),
        };
        problems.push(Problem::error("etcd.version", message).hint(
            "write `version: 3.MINOR.PATCH` under `etcd`: it decides the flags; `etcd --version` says it",
        ));
    }
    version
}
