//! Names of units and where they are searched.

/// Where systemd looks for system units, what counts most first (systemd.unit(5), `systemd-analyze unit-paths`).
pub const LOAD_PATH: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// The directories that belong to packages of the distribution.
const PACKAGES: [&str; 2] = ["/lib/systemd/system", "/usr/lib/systemd/system"];

/// Types of units (systemd.unit(5)).
const TYPES: [&str; 11] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

/// The type of a unit's name, such as `service`; none of what is no unit's name.
pub fn unit_type(name: &str) -> Option<&str> {
    let (stem, kind) = name.rsplit_once('.')?;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    (!stem.is_empty() && stem.bytes().all(good) && TYPES.contains(&kind)).then_some(kind)
}

/// The unit whose file, or whose drop-in, a path of the load path is.
pub fn unit_of(path: &str) -> Option<&str> {
    let below = LOAD_PATH.iter().find_map(|directory| path.strip_prefix(directory)?.strip_prefix('/'))?;
    let unit = match below.split_once('/') {
        None => below,
        Some((directory, file)) if is_drop_in(file) && !file.contains('/') => directory.strip_suffix(".d")?,
        Some(_) => return None,
    };
    unit_type(unit).map(|_| unit)
}

/// Where on the load path a path stands, from 0; what stands elsewhere comes last.
pub fn rank(path: &str) -> usize {
    let is = |directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    LOAD_PATH.iter().position(|directory| is(directory)).unwrap_or(LOAD_PATH.len())
}

/// Whether systemd reads a file of this name as a drop-in.
pub fn is_drop_in(name: &str) -> bool {
    name.strip_suffix(".conf").is_some_and(|stem| !stem.starts_with('.') && !stem.is_empty())
}

/// Where older packages of kubeadm had the kubelet's command line; upgrades may leave it there.
const KUBEADM: &str = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf";

/// Whether a package brings the file of this path: what lies in the distribution's directories, and
/// kubeadm's own drop-in.
pub fn is_of_package(path: &str) -> bool {
    path == KUBEADM
        || PACKAGES
            .iter()
            .any(|directory| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')))
}

/// The directories of drop-ins of one name, without their parents, what counts most first:
/// `a-b@c.service` has `a-b@c.service.d`, `a-b@.service.d` and `a-.service.d`.
pub fn drop_in_directories(name: &str) -> Vec<String> {
    let Some((stem, kind)) = name.rsplit_once('.') else { return Vec::new() };
    let mut all = vec![format!("{name}.d")];
    let prefix = match stem.split_once('@') {
        Some((prefix, instance)) => {
            all.extend((!instance.is_empty()).then(|| format!("{prefix}@.{kind}.d")));
            prefix
        }
        None => stem,
    };
    // `a-b-.service` itself stands above `a-.service`
    let mut rest = prefix.strip_suffix('-').unwrap_or(prefix);
    while let Some((shorter, _)) = rest.rsplit_once('-') {
        if shorter.is_empty() {
            break;
        }
        all.push(format!("{shorter}-.{kind}.d"));
        rest = shorter;
    }
    all
}
