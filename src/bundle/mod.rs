//! The bundle: one host's signed archive. Knows files, digests and signatures, and nothing of Kubernetes.

pub mod manifest;
