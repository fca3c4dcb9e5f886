//! A machine with an API server of Python's and keepalived, from what is installed.

use super::files::user;
use super::support::etcd::{Process, eventually};
use super::support::network::{Network, ip};
use super::support::run;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Answers every request with one number, in TLS with the installed certificate. A file named `ill` beside
/// the certificate makes it 500.
const SERVER: &str = r"
import http.server, os, socket, ssl, sys
root, bind, code = sys.argv[1:]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if os.path.exists(root + '/ill') else int(code))
        self.end_headers()
    def log_message(self, *words): pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ':' in bind else socket.AF_INET
    def handle_error(self, *_): pass
server = Server((bind, 6443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(root + '/etc/kubernetes/pki/apiserver.crt', root + '/etc/kubernetes/pki/apiserver.key')
# who goes away while it speaks stops nobody else
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
";

/// What answers as an API server.
pub(crate) struct ApiServer {
    root: PathBuf,
    bind: String,
    code: u32,
}

impl ApiServer {
    pub(crate) fn new(root: &Path, bind: &str, code: u32) -> Self {
        fs::write(root.join("server.py"), SERVER).unwrap();
        Self { root: root.to_owned(), bind: bind.to_owned(), code }
    }

    /// Words of a shell.
    pub(crate) fn command(&self) -> String {
        let root = self.root.display();
        format!("python3 {root}/server.py {root} {} {}", self.bind, self.code)
    }
}

/// A machine on a bridge.
pub(crate) struct Machine {
    pub(crate) root: PathBuf,
    pub(crate) end: String,
    network: Network,
    keepalived: Option<Process>,
    _server: Process,
}

impl Machine {
    /// Number 0 is cp1.
    pub(crate) fn new(number: usize, root: &Path) -> Self {
        user(root);
        let end = format!("end{number}");
        let network = Network::new("br0", &end, &format!("10.0.0.{}", 6 + number));
        let address = format!("fd00::{}/64", 6 + number);
        let words = ["address", "add", &address, "dev", "eth0", "nodad"];
        let _ = run(network.inside("ip").args(words)).expect_code(0);
        let server = ApiServer::new(root, "::", 200).command();
        let server = network.inside("sh").args(["-c", &format!("exec {server}")]).spawn().unwrap();
        let machine =
            Self { root: root.to_owned(), end, network, keepalived: None, _server: Process(server) };
        eventually("an API server", || {
            let words =
                ["--silent", "--insecure", "--fail", "--output", "/dev/null", "https://10.0.0.6:6443/readyz"];
            let words = words.map(|word| word.replace("10.0.0.6", &format!("10.0.0.{}", 6 + number)));
            run(machine.network.inside("curl").args(words)).code == 0
        });
        machine
    }

    pub(crate) fn start(&mut self) {
        let root = self.root.display();
        let log = fs::File::options().create(true).append(true).open(self.root.join("log")).unwrap();
        let inside = format!(
            "mount --bind {root}/etc/keepalived /etc/keepalived && mount --bind {root}/etc/passwd /etc/passwd && \
             mount --bind {root}/etc/group /etc/group && exec keepalived --dont-fork --log-console --vrrp \
             --pid {root}/pid --vrrp_pid {root}/vrrp-pid"
        );
        let mut command = self.network.inside("unshare");
        command.args(["--mount", "sh", "-c", &inside]);
        let child =
            command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null()).spawn().unwrap();
        self.keepalived = Some(Process(child));
    }

    /// As the kernel's killer does: the parent is gone at once, and its child notices.
    pub(crate) fn kill(&mut self) {
        let pid = self.keepalived.as_ref().unwrap().0.id().to_string();
        let _ = run(Command::new("kill").args(["-KILL", &pid])).expect_code(0);
        self.keepalived = None;
    }

    /// Whether its API server is ready.
    pub(crate) fn is_well(&self, well: bool) {
        let file = self.root.join("ill");
        if well { fs::remove_file(file).unwrap() } else { fs::write(file, "").unwrap() }
    }

    /// Cuts its cable, or mends it.
    pub(crate) fn link(&self, state: &str) {
        ip(&["link", "set", &self.end, state]);
    }

    pub(crate) fn holds(&self, vip: &str) -> bool {
        let ran =
            run(self.network.inside("ip").args(["-o", "address", "show", "dev", "eth0"])).expect_code(0);
        ran.stdout.contains(&format!(" {vip}/"))
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.root.join("log")).unwrap_or_default()
    }
}
