//! From a plan and public material to files. Never sees a secret.
//!
//! Templates mirror the host's file system; each gets one typed context. What a value may contain
//! is decided by the format of the file it lands in (`escape`), and YAML is parsed again
//! afterwards.

mod apiserver;
mod container;
mod context;
mod escape;
mod etcd;
mod hosts;
mod json;
mod keepalived;
mod kube_vip;
mod kubeadm;
mod kubelet;
mod membership;
mod objects;
mod patch;
mod pod;
mod proxy;
mod registries;
mod runbook;
mod runtimes;
mod system;
pub mod templates;
mod timer;
mod toml;
mod unit;

use crate::derive::public::Public;
use crate::plan::{FilePlan, HostPlan, ObjectsPlan, Source};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, State, UndefinedBehavior};
use std::collections::BTreeMap;
use templates::Templates;

/// Why a file cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template cannot be read.
    #[error("template {path}: {source}")]
    Template {
        /// The path on the host.
        path: String,
        /// Where and why.
        source: minijinja::Error,
    },
    /// The output is not what its format demands.
    #[error("template {path} makes invalid YAML: {message}")]
    Output {
        /// The path on the host.
        path: String,
        /// Where and why.
        message: String,
    },
    /// A patch of the spec does not fit the file.
    #[error("the patch of {path} cannot be applied: {message}")]
    Patch {
        /// The path on the host.
        path: String,
        /// Why.
        message: String,
    },
    /// A configuration has a value that its format cannot hold: a fault in the rules of the spec.
    #[error("{path} cannot be written: {message}")]
    Format {
        /// The path on the host.
        path: String,
        /// Why.
        message: String,
    },
    /// The plan has a file that nothing renders: a fault in the tables.
    #[error("nothing renders {0}")]
    Unknown(String),
}

/// Of static pods, by name: the digest of the files that a pod reads at its start only, as `sha256:` and hex.
pub type Digests = BTreeMap<String, String>;

/// Templates, ready to render.
pub struct Renderer<'t> {
    environment: Environment<'t>,
}

impl<'t> Renderer<'t> {
    /// Reads all templates.
    ///
    /// # Errors
    /// [`RenderError::Template`] for one with a syntax error.
    pub fn new(templates: &'t Templates) -> Result<Self, RenderError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(syntax()?);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_formatter(escape::format);
        environment.add_filter("yaml", |state: &State<'_, '_>, value: Value, indent: Option<usize>| {
            escape::block(state, &value, indent)
        });
        unit::add_filters(&mut environment);
        for (path, source) in templates.iter() {
            environment
                .add_template(path, source)
                .map_err(|source| RenderError::Template { path: path.to_owned(), source })?;
        }
        Ok(Self { environment })
    }

    /// Renders what comes from templates alone, by host path: not the manifests of static pods, which
    /// come after what the pods read.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn templates(&self, host: &HostPlan) -> Result<BTreeMap<String, Vec<u8>>, RenderError> {
        let rendered = host.files.iter().filter_map(|file| {
            let text = match file.source {
                Source::Template(path) => self.template(path, None, host, &Digests::new()),
                Source::Each(path, ref name) => self.template(path, Some(name), host, &Digests::new()),
                Source::Patch => json::patch(&file.path, host),
                Source::Configuration => runtimes::configuration(&file.path, host),
                _ => return None,
            };
            Some(text.map(|text| (file.path.clone(), text.into_bytes())))
        });
        let manifests = host.objects.iter().flat_map(ObjectsPlan::paths);
        let manifests = manifests.map(|(path, manifest)| Ok((path, manifest.text.clone().into_bytes())));
        rendered.chain(manifests).collect()
    }

    /// Renders the manifests of a host's static pods, by host path.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn pods(&self, host: &HostPlan, digests: &Digests) -> Result<BTreeMap<String, Vec<u8>>, RenderError> {
        let rendered = host.files.iter().filter_map(|file| {
            let Source::Pod(path) = file.source else { return None };
            Some(self.template(path, None, host, digests).map(|text| (file.path.clone(), text.into_bytes())))
        });
        rendered.collect()
    }

    /// Renders the public files of one host, by host path, besides [`Renderer::pods`].
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn host(&self, host: &HostPlan, public: &Public) -> Result<BTreeMap<String, Vec<u8>>, RenderError> {
        let mut files = self.templates(host)?;
        let derived = |file: &&FilePlan| {
            !matches!(
                file.source,
                Source::Template(_)
                    | Source::Each(..)
                    | Source::Pod(_)
                    | Source::Manifest
                    | Source::Patch
                    | Source::Configuration
                    | Source::Foreign
            ) && !file.source.is_secret()
        };
        for file in host.files.iter().filter(derived) {
            let text = public.file(&file.path);
            let text = text.ok_or_else(|| RenderError::Unknown(file.path.clone()))?;
            files.insert(file.path.clone(), text.as_bytes().to_vec());
        }
        Ok(files)
    }

    /// `each` names the one of several that the template is rendered for.
    fn template(
        &self,
        path: &'static str,
        each: Option<&str>,
        host: &HostPlan,
        digests: &Digests,
    ) -> Result<String, RenderError> {
        let context =
            context::of(path, each, host, digests).ok_or_else(|| RenderError::Unknown(path.to_owned()))?;
        let text = self
            .environment
            .get_template(path)
            .and_then(|template| template.render(Serde(&context)))
            .map_err(|source| RenderError::Template { path: path.to_owned(), source })?;
        let invalid = |message| RenderError::Output { path: path.to_owned(), message };
        escape::check(path, &text).map_err(invalid)?;
        let Some(changes) = host.patches.get(path) else { return Ok(text) };
        patch::apply(&text, changes.map())
            .map_err(|message| RenderError::Patch { path: path.to_owned(), message })
    }
}

/// Lines that hold only a block leave nothing behind, and files keep their last line feed.
fn syntax() -> Result<SyntaxConfig, RenderError> {
    let mut builder = SyntaxConfig::builder();
    builder.keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true);
    builder.build().map_err(|source| RenderError::Template { path: "(syntax)".to_owned(), source })
}

impl std::fmt::Debug for Renderer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Renderer(..)")
    }
}
