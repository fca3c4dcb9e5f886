"""An API server to a proxy: TLS, /readyz as a file says, and its own name for everything else.

server.py ADDRESS PORT NAME CERTIFICATE KEY READY"""

import http.server
import socket
import ssl
import sys

address, port, name, certificate, key, ready = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        code, body = 200, name.encode()
        if self.path == "/readyz":
            with open(ready) as file:
                code, body = int(file.read()), b"ok"
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    daemon_threads = True

    def handle_error(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server = Server((address, int(port)), Handler)
# the handshake is the handler's: who only connects holds up nobody
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
