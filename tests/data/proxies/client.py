"""Asks an API server through a proxy, again and again, each time by a new connection that knows the CA.

client.py ADDRESS PORT CA: each line is when it asked, in seconds, how long it took, and who answered,
or `-` and what went wrong."""

import socket
import ssl
import sys
import threading
import time

address, port, authority = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
lock = threading.Lock()


def ask():
    with socket.create_connection((address, int(port)), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname="kubernetes") as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: kubernetes\r\n\r\n")
            answer = b""
            while part := tls.recv(4096):
                answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 ") or not body:
        raise ValueError(f"no answer: {answer!r}")
    return body.decode()


def forever():
    while True:
        begin = time.time()
        try:
            said = ask()
        except (OSError, ValueError) as error:
            said = f"- {error!r}"
        with lock:
            print(f"{begin:.3f} {time.time() - begin:.3f} {said}", flush=True)
        time.sleep(0.1)


for _ in range(4):
    threading.Thread(target=forever).start()
