# Says and does what kubeadm 1.36 says and does with a root (its last word), as far as the tests look.
# Above this come `#!/bin/sh`, FAULT_PHASE and a function `fault`: what it does wrong, and where.
set -eu
all=$*
phase=${all%% --*}
for root; do :; done
etc=$root/etc/kubernetes
# A path of its configuration follows --config.
config=$root${all#*--config }
config=${config%% *}

say() { echo "$1"; }
complain() { printf '\t[WARNING %s]: %s already exists\n' "FileAvailable-$(echo "$1" | tr / -)" "$1" >&2; }
available() { if [ -e "$root$1" ]; then complain "$1"; fi; }
write() { mkdir -p "$(dirname "$1")"; echo "$phase" >"$1"; chmod 600 "$1"; }
stop() { echo "error execution phase: couldn't validate the identity of the API Server: no such host" >&2; exit 1; }
control_plane() { grep -q '^controlPlane:' "$config"; }

# kubeadm loads its configuration first, whatever the phase.
[ -s "$config" ]
if [ "$phase" = "$FAULT_PHASE" ]; then fault; fi

case $phase in
'init phase preflight')
    say '[preflight] Running pre-flight checks'
    for name in kube-apiserver kube-controller-manager kube-scheduler etcd; do
        available "/etc/kubernetes/manifests/$name.yaml"
    done
    printf '\t[WARNING Swap]: swap is supported for cgroup v2 only\n' >&2
    ;;
'init phase certs all')
    for name in ca front-proxy-ca etcd/ca apiserver apiserver-kubelet-client front-proxy-client \
        etcd/server etcd/peer etcd/healthcheck-client apiserver-etcd-client; do
        kind='certificate and key on disk'
        case $name in ca | *-ca | */ca)
            kind='certificate authority'
            [ -e "$etc/pki/$name.key" ] || kind="keyless $kind"
            ;;
        esac
        if [ -e "$etc/pki/$name.crt" ]; then
            say "[certs] Using existing $name $kind"
        else
            say "[certs] Generating \"$name\" certificate and key"
            write "$etc/pki/$name.crt"
        fi
    done
    ;;
'init phase kubeconfig all')
    for name in admin super-admin kubelet controller-manager scheduler; do
        if [ ! -e "$etc/pki/ca.key" ]; then
            [ -e "$etc/$name.conf" ]
            say "[kubeconfig] External CA mode: Using user provided $name.conf"
        elif [ -e "$etc/$name.conf" ]; then
            say "[kubeconfig] Using existing kubeconfig file: \"/etc/kubernetes/$name.conf\""
        else
            say "[kubeconfig] Writing \"$name.conf\" kubeconfig file"
            write "$etc/$name.conf"
        fi
    done
    ;;
'init phase kubelet-start')
    for name in config.yaml instance-config.yaml kubeadm-flags.env; do write "$root/var/lib/kubelet/$name"; done
    cat >"$root/var/lib/kubelet/config.yaml" <<'END'
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}}
authorization: {mode: Webhook}
staticPodPath: /etc/kubernetes/manifests
END
    ;;
'init phase control-plane all')
    for name in apiserver controller-manager scheduler; do write "$etc/manifests/kube-$name.yaml"; done
    ;;
'init phase etcd local')
    mkdir -p "$root/var/lib/etcd"
    write "$etc/manifests/etcd.yaml"
    ;;
'join phase preflight')
    say '[preflight] Running pre-flight checks'
    available /etc/kubernetes/kubelet.conf
    available /etc/kubernetes/bootstrap-kubelet.conf
    control_plane || available /etc/kubernetes/pki/ca.crt
    stop
    ;;
'join phase control-plane-prepare download-certs') ;;
'join phase control-plane-prepare certs' | 'join phase control-plane-prepare kubeconfig' | \
    'join phase control-plane-prepare control-plane')
    if control_plane; then stop; fi
    ;;
'join phase kubelet-start') stop ;;
*)
    echo "unknown: $phase" >&2
    exit 64
    ;;
esac
