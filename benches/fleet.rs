//! What a build costs: whole fleets through all stages, and each stage alone on one host of three.
//!
//! `cargo bench --bench fleet`; `cargo bench --bench fleet -- stage/` for the stages only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::disallowed_methods, reason = "sets up the threads that the cli would")]

mod fleet_spec;

use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sealift::build::{self, Inputs};
use sealift::bundle::open::open;
use sealift::bundle::pack::pack;
use sealift::bundle::trust::{Trust, trust_line};
use sealift::check::bundle::verify_times;
use sealift::derive::Cluster;
use sealift::derive::certificate::Authority;
use sealift::derive::key::PrivateKey;
use sealift::derive::keyring::Keyring;
use sealift::derive::label::{Deriver, Label};
use sealift::derive::seal::{Place, seal};
use sealift::plan::{HostPlan, Plan};
use sealift::render::Renderer;
use sealift::render::templates::Templates;
use sealift::spec::scalars::Recipient;
use sealift::spec::types::Algorithm;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

/// What the targets in docs/performance.md are for.
const THREADS: usize = 2;

const AGE: &str = "age1ccl4fap4sn570398ey640unurgs94r70awermwklmuqqp95e35fsshyp05";
const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIATlpF1DmwQyDwfp5iOCkmeCEUfxKh1z0QlZv3co+3I9";

fn keyring() -> Keyring {
    Keyring::read(Keyring::write(fleet_spec::CLUSTER_ID, &[7; 32]).as_bytes()).unwrap()
}

fn plan(spec: &str) -> Plan {
    let loaded = sealift::spec::load(spec);
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    sealift::plan::plan(&loaded.spec, &sealift::plan::Facts::default()).0
}

/// All that `sealift build` does to a spec, but for the files: the total size of the bundles.
fn build(spec: &str, keyring: &Keyring, templates: &Templates) -> usize {
    let plan = plan(spec);
    let imported = sealift::imports::Material::default();
    let cluster = Cluster::new(&plan.cluster, keyring, &imported).unwrap();
    let renderer = Renderer::new(templates).unwrap();
    let seed_id = |seed| keyring.seed_id(seed);
    let inputs = Inputs::new(&plan.cluster, plan.hosts.values(), seed_id, templates).unwrap();
    let hosts: Vec<&HostPlan> = plan.hosts.values().collect();
    let size = |host: &HostPlan| {
        let digest = inputs.of(host).unwrap();
        build::host(&plan.cluster, host, &cluster, &renderer, &digest).unwrap().bytes.len()
    };
    hosts.into_par_iter().map(size).sum()
}

fn fleets(criterion: &mut Criterion) {
    let (keyring, templates) = (keyring(), Templates::embedded());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().unwrap();
    let mut group = criterion.benchmark_group("fleet");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    for hosts in [3, 100, 1000] {
        let spec = fleet_spec::spec(hosts);
        group.throughput(Throughput::Elements(u64::from(hosts)));
        group.bench_function(BenchmarkId::new("one-cluster", hosts), |bencher| {
            bencher.iter(|| pool.install(|| build(&spec, &keyring, &templates)));
        });
    }
    let spec = fleet_spec::spec(3);
    group.throughput(Throughput::Elements(999));
    group.bench_function(BenchmarkId::new("clusters-of-three", 999), |bencher| {
        let all = || (0..333).into_par_iter().map(|_| build(&spec, &keyring, &templates)).sum::<usize>();
        bencher.iter(|| pool.install(all));
    });
    group.finish();
}

fn stages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stage");
    before_the_hosts(&mut group);
    keys_and_certificates(&mut group);
    seals(&mut group);
    hosts_and_bundles(&mut group);
    group.finish();
}

fn before_the_hosts(group: &mut BenchmarkGroup<'_, WallTime>) {
    for hosts in [3, 1000] {
        let text = fleet_spec::spec(hosts);
        group.bench_function(BenchmarkId::new("load", hosts), |bencher| {
            bencher.iter(|| sealift::spec::load(black_box(&text)));
        });
        let loaded = sealift::spec::load(&text);
        group.bench_function(BenchmarkId::new("plan", hosts), |bencher| {
            bencher.iter(|| sealift::plan::plan(black_box(&loaded.spec), &sealift::plan::Facts::default()));
        });
    }
}

fn keys_and_certificates(group: &mut BenchmarkGroup<'_, WallTime>) {
    let deriver = Deriver::new(&[7; 32]);
    let key = |row: &str| {
        let label = Label { row, ..Label::default() };
        PrivateKey::derived(Algorithm::EcdsaP256, &deriver, &label).unwrap()
    };
    group.bench_function("key", |bencher| bencher.iter(|| key(black_box("etcd-server"))));
    group.bench_function("key-pem", |bencher| {
        let key = key("etcd-server");
        bencher.iter(|| key.to_pem().unwrap());
    });
    let plan = plan(&fleet_spec::spec(3));
    let authority =
        Authority::new(&plan.cluster.authorities[0].certificates.active, key("etcd-ca"), &deriver).unwrap();
    let leaf = &plan.hosts.values().next().unwrap().certificates[0];
    let leaf_key = key(leaf.row.id);
    group.bench_function("certificate", |bencher| {
        bencher.iter(|| authority.issue(leaf, &leaf_key).unwrap());
    });
}

fn seals(group: &mut BenchmarkGroup<'_, WallTime>) {
    let deriver = Deriver::new(&[7; 32]);
    let place = Place { cluster: fleet_spec::CLUSTER_ID, host: "infra0", path: "/key", generation: "1" };
    let plaintext = [0x2a; 227];
    for (kind, recipient) in [("age", AGE), ("ssh", SSH)] {
        let recipients: [Recipient; 1] = [recipient.parse().unwrap()];
        group.bench_function(BenchmarkId::new("seal", kind), |bencher| {
            bencher.iter(|| seal(&deriver, place, &recipients, black_box(&plaintext)).unwrap());
        });
    }
}

fn hosts_and_bundles(group: &mut BenchmarkGroup<'_, WallTime>) {
    let (keyring, templates) = (keyring(), Templates::embedded());
    let plan = plan(&fleet_spec::spec(3));
    let material = sealift::imports::Material::default();
    let cluster = Cluster::new(&plan.cluster, &keyring, &material).unwrap();
    let renderer = Renderer::new(&templates).unwrap();
    let seed_id = |seed| keyring.seed_id(seed);
    let inputs = Inputs::new(&plan.cluster, plan.hosts.values(), seed_id, &templates).unwrap();
    let host = plan.hosts.values().next().unwrap();
    let digest = inputs.of(host).unwrap();
    let packed = build::host(&plan.cluster, host, &cluster, &renderer, &digest).unwrap();
    let key = cluster.signer().key();
    let epoch = u64::try_from(plan.cluster.epoch).unwrap();
    let trust = Trust::parse(&trust_line(&plan.cluster.id, &key.verifying_key().to_bytes())).unwrap();
    let opened = open(&packed.bytes, "infra0.tar.gz", &trust, plan.cluster.epoch).unwrap();
    let files = opened.manifest().files.iter();
    let contents: BTreeMap<String, Vec<u8>> =
        files.map(|file| (file.path.clone(), opened.contents(&file.path).unwrap().to_vec())).collect();

    group.bench_function("inputs", |bencher| bencher.iter(|| inputs.of(host).unwrap()));
    group.bench_function("derive", |bencher| bencher.iter(|| cluster.host(host).unwrap()));
    group.bench_function("render", |bencher| bencher.iter(|| renderer.templates(host).unwrap()));
    group.bench_function("pack", |bencher| {
        let one = |manifest| pack(manifest, &contents, epoch, key).unwrap();
        bencher.iter_batched(|| packed.manifest.clone(), one, BatchSize::SmallInput);
    });
    group.bench_function("host", |bencher| {
        bencher.iter(|| build::host(&plan.cluster, host, &cluster, &renderer, &digest).unwrap());
    });
    group.bench_function("open", |bencher| {
        bencher.iter(|| open(black_box(&packed.bytes), "infra0.tar.gz", &trust, plan.cluster.epoch).unwrap());
    });
    group.bench_function("verify-times", |bencher| {
        bencher.iter(|| verify_times(&opened, plan.cluster.epoch, None));
    });
}

criterion_group!(benches, fleets, stages);
criterion_main!(benches);
