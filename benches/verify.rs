//! What reading costs that `verify --root` and `install` do: one large file, hashed as it is read.
//!
//! `cargo bench --bench verify`; beside it, the same bytes hashed in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::disallowed_methods, reason = "writes the file that it reads")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sealift::rootfs::Root;
use sha2::{Digest, Sha256};
use std::fs;

const SIZE: usize = 256 << 20;

fn large(c: &mut Criterion) {
    let place = tempfile::TempDir::new().unwrap();
    let bytes = vec![7; SIZE];
    fs::write(place.path().join("large"), &bytes).unwrap();
    let root = Root::open(place.path()).unwrap();
    let mut group = c.benchmark_group("large");
    group.throughput(Throughput::Bytes(SIZE as u64)).sample_size(10);
    group.bench_function("in memory", |b| b.iter(|| Sha256::digest(&bytes)));
    group.bench_function("from a file", |b| {
        b.iter(|| {
            let mut hash = Sha256::new();
            root.file("/large").unwrap().stream(|piece| hash.update(piece)).unwrap();
            hash.finalize()
        });
    });
    group.finish();
}

criterion_group!(benches, large);
criterion_main!(benches);
