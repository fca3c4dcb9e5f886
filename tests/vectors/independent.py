#!/usr/bin/env python3
"""A second implementation of sealift's derivation and sealing, from docs/formats.md alone.

Python's standard library only: hashlib, hmac, and the curves and the cipher written out from
RFC 7748, RFC 8032, RFC 8439, RFC 6979 and SP 800-186. Slow and not constant time: for test vectors.

usage: independent.py INPUT   INPUT is JSON; writes the vectors as JSON to standard output
"""

import base64
import hashlib
import hmac
import json
import struct
import sys

SCHEME = b"sealift/v1"


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def extract(salt, ikm):
    return mac(salt or bytes(32), ikm)


def expand(prk, info, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = mac(prk, block + info + bytes([counter]))
        out, counter = out + block, counter + 1
    return out[:length]


def hkdf(salt, ikm, info):
    return expand(extract(salt, ikm), info, 32)


# --- labels ---------------------------------------------------------------------------------


def part(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">I", len(data)) + data


def purpose_key(seed, purpose):
    return expand(extract(SCHEME, seed), purpose.encode(), 32)


def secret(seed, purpose, length, cluster="", row="", instance="", host="", algorithm="", generation=""):
    parts = [purpose, cluster, row, instance, host, algorithm, generation]
    info = SCHEME + b"\0" + b"".join(part(each) for each in parts)
    return expand(purpose_key(seed, purpose), info, length)


LOWER = "0123456789abcdefghijklmnopqrstuvwxyz"
MIXED = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def letters(number, alphabet, count):
    number, out = int.from_bytes(number, "big"), ""
    for _ in range(count):
        number, rest = divmod(number, len(alphabet))
        out += alphabet[rest]
    return out


# --- ECDSA ----------------------------------------------------------------------------------


class Curve:
    """A curve y² = x³ - 3x + b of SP 800-186, and the hash that goes with it."""

    def __init__(self, size, p, n, x, y, oid, digest):
        self.size, self.p, self.n, self.g = size, p, n, (x, y)
        self.oid, self.digest = bytes.fromhex(oid), digest

    def add(self, a, b):
        if a is None or b is None:
            return a or b
        if a[0] == b[0] and (a[1] + b[1]) % self.p == 0:
            return None
        if a == b:
            slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, self.p)
        else:
            slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, self.p)
        x = (slope * slope - a[0] - b[0]) % self.p
        return x, (slope * (a[0] - x) - a[1]) % self.p

    def mul(self, scalar):
        out, point = None, self.g
        while scalar:
            if scalar & 1:
                out = self.add(out, point)
            point, scalar = self.add(point, point), scalar >> 1
        return out

    def scalar(self, wide):
        return int.from_bytes(wide, "big") % (self.n - 1) + 1

    def octets(self, number):
        return number.to_bytes(self.size, "big")

    def point(self, scalar):
        x, y = self.mul(scalar)
        return b"\x04" + self.octets(x) + self.octets(y)

    def sign(self, scalar, message):
        """RFC 6979 section 3.2; the hash is as long as n."""

        def keyed(key, data):
            return hmac.new(key, data, self.digest).digest()

        z = int.from_bytes(self.digest(message).digest(), "big")
        seed = self.octets(scalar) + self.octets(z % self.n)
        value, key = b"\x01" * self.size, bytes(self.size)
        for octet in (b"\x00", b"\x01"):
            key = keyed(key, value + octet + seed)
            value = keyed(key, value)
        while True:
            value = keyed(key, value)
            k = int.from_bytes(value, "big")
            if 1 <= k < self.n:
                r = self.mul(k)[0] % self.n
                s = pow(k, -1, self.n) * (z + r * scalar) % self.n
                if r and s:
                    return der(0x30, integer(r), integer(s))
            key = keyed(key, value + b"\x00")
            value = keyed(key, value)


P256 = Curve(
    32,
    2**256 - 2**224 + 2**192 + 2**96 - 1,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    "2a8648ce3d030107",
    hashlib.sha256,
)
P384 = Curve(
    48,
    2**384 - 2**128 - 2**96 + 2**32 - 1,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
    0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    "2b81040022",
    hashlib.sha384,
)


# --- DER and PEM ----------------------------------------------------------------------------


def der(tag, *contents):
    body = b"".join(contents)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def integer(number):
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def read_der(data):
    """Tag, contents, and the rest."""
    length, start = data[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(data[2:start], "big")
    return data[0], data[start : start + length], data[start + length :]


def pem(label, data):
    text = base64.b64encode(data).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def unpem(text):
    return base64.b64decode("".join(text.split("\n")[1:-2]))


def ec_private_key(curve, scalar):
    """RFC 5915: version 1, scalar, curve, public key."""
    public = der(3, b"\0" + curve.point(scalar))
    name = der(0xA0, der(6, curve.oid))
    return der(0x30, integer(1), der(4, curve.octets(scalar)), name, der(0xA1, public))


def ec_public_key(curve, scalar):
    """RFC 5480 section 2."""
    algorithm = der(0x30, der(6, bytes.fromhex("2a8648ce3d0201")), der(6, curve.oid))
    return der(0x30, algorithm, der(3, b"\0" + curve.point(scalar)))


ED25519_ALGORITHM = der(0x30, der(6, bytes.fromhex("2b6570")))


def certificate(text, serial_key, issuer):
    """The serial number and signature that a certificate with these contents must have."""
    _, whole, _ = read_der(unpem(text))
    _, tbs, _ = read_der(whole)
    version, after = tbs[:5], tbs[5:]
    _, _, rest = read_der(after)
    number = bytearray(mac(serial_key, der(0x30, version, integer(1), rest))[:16])
    number[0] = number[0] & 0x3F | 0x40
    signed = der(0x30, version, der(2, bytes(number)), rest)
    algorithm = der(0x30, der(6, bytes.fromhex("2a8648ce3d040302")))
    made = der(0x30, signed, algorithm, der(3, b"\0", P256.sign(issuer, signed)))
    return number.hex(), pem("CERTIFICATE", made)


# --- Curve25519 -----------------------------------------------------------------------------

Q = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, Q) % Q
BASE_Y = 4 * pow(5, -1, Q) % Q


def x25519(scalar, u):
    """RFC 7748 section 5."""
    k = int.from_bytes(bytes([scalar[0] & 248]) + scalar[1:31] + bytes([scalar[31] & 127 | 64]), "little")
    x1 = int.from_bytes(u, "little") % 2**255
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for bit in range(254, -1, -1):
        now = k >> bit & 1
        if swap != now:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = now
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a % Q, c * b % Q
        x3, z3 = (da + cb) ** 2 % Q, x1 * (da - cb) ** 2 % Q
        aa, bb = a * a % Q, b * b % Q
        e = (aa - bb) % Q
        x2, z2 = aa * bb % Q, e * (aa + 121665 * e) % Q
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, -1, Q) % Q).to_bytes(32, "little")


X25519_BASE = (9).to_bytes(32, "little")


def ed_add(a, b):
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % Q
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, Q) % Q
    return x, (y1 * y2 + x1 * x2) * pow(1 - product, -1, Q) % Q


def ed_base():
    square = (BASE_Y * BASE_Y - 1) * pow(D * BASE_Y * BASE_Y + 1, -1, Q) % Q
    x = pow(square, (Q + 3) // 8, Q)
    if (x * x - square) % Q:
        x = x * pow(2, (Q - 1) // 4, Q) % Q
    return (Q - x if x & 1 else x), BASE_Y


def ed_mul(scalar):
    out, point = (0, 1), ed_base()
    while scalar:
        if scalar & 1:
            out = ed_add(out, point)
        point, scalar = ed_add(point, point), scalar >> 1
    return out


def ed_encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def ed_secret(key):
    digest = hashlib.sha512(key).digest()
    scalar = bytearray(digest[:32])
    scalar[0], scalar[31] = scalar[0] & 248, scalar[31] & 127 | 64
    return int.from_bytes(scalar, "little"), digest[32:]


def ed25519_public(key):
    return ed_encode(ed_mul(ed_secret(key)[0]))


def ed25519_sign(key, message):
    """RFC 8032 section 5.1.6."""

    def reduce(data):
        return int.from_bytes(hashlib.sha512(data).digest(), "little") % L

    scalar, prefix = ed_secret(key)
    public = ed_encode(ed_mul(scalar))
    nonce = reduce(prefix + message)
    r = ed_encode(ed_mul(nonce))
    s = (nonce + reduce(r + public + message) * scalar) % L
    return r + s.to_bytes(32, "little")


# --- SSH ------------------------------------------------------------------------------------


def ssh_blob(public):
    return part("ssh-ed25519") + part(public)


def sshsig(key, namespace, message):
    """OpenSSH's PROTOCOL.sshsig, Ed25519 and SHA-512, armored."""
    digest = hashlib.sha512(message).digest()
    head = part(namespace) + part(b"") + part("sha512")
    signature = ed25519_sign(key, b"SSHSIG" + head + part(digest))
    blob = b"SSHSIG" + struct.pack(">I", 1) + part(ssh_blob(ed25519_public(key)))
    blob += head + part(part("ssh-ed25519") + part(signature))
    text = base64.b64encode(blob).decode()
    lines = "\n".join(text[at : at + 70] for at in range(0, len(text), 70))
    return f"-----BEGIN SSH SIGNATURE-----\n{lines}\n-----END SSH SIGNATURE-----\n"


# --- ChaCha20-Poly1305, RFC 8439 ------------------------------------------------------------


def rotate(value, bits):
    return (value << bits | value >> 32 - bits) & 0xFFFFFFFF


def chacha_block(key, counter, nonce):
    start = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
    state = start[:]

    def quarter(a, b, c, d):
        for left, add, turn, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[left] = (state[left] + state[add]) & 0xFFFFFFFF
            state[turn] = rotate(state[turn] ^ state[left], bits)

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for column in range(4):
            quarter(column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(start, state)))


def encrypt(key, nonce, plaintext):
    stream = b"".join(chacha_block(key, 1 + at, nonce) for at in range((len(plaintext) + 63) // 64))
    cipher = bytes(a ^ b for a, b in zip(plaintext, stream))
    one_time = chacha_block(key, 0, nonce)
    r = int.from_bytes(one_time[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    text = cipher + bytes(-len(cipher) % 16) + struct.pack("<QQ", 0, len(cipher))
    total = 0
    for at in range(0, len(text), 16):
        total = (total + int.from_bytes(text[at : at + 16] + b"\x01", "little")) * r % (2**130 - 5)
    tag = (total + int.from_bytes(one_time[16:32], "little")) % 2**128
    return cipher + tag.to_bytes(16, "little")


# --- recipients and sealing -----------------------------------------------------------------

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


class Recipient:
    """`age1…` or `ssh-ed25519 …`; texts come from our own example, so checksums are not checked."""

    def __init__(self, text):
        self.ssh = text.startswith("ssh-ed25519 ")
        if self.ssh:
            self.wire = base64.b64decode(text.split(" ")[1])
            y = int.from_bytes(self.wire[-32:], "little") % 2**255
            self.point = ((1 + y) * pow(1 - y, -1, Q) % Q).to_bytes(32, "little")
            return
        bits = "".join(f"{BECH32.index(c):05b}" for c in text[4:-6])
        self.point = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))
        self.wire = part("X25519") + part(self.point)

    def stanza(self, ephemeral, file_key):
        share = x25519(ephemeral, X25519_BASE)
        shared = x25519(ephemeral, self.point)
        if self.ssh:
            info = b"age-encryption.org/v1/ssh-ed25519"
            shared = x25519(hkdf(self.wire, b"", info), shared)
            words = ["ssh-ed25519", plain64(hashlib.sha256(self.wire).digest()[:4]), plain64(share)]
        else:
            info = b"age-encryption.org/v1/X25519"
            words = ["X25519", plain64(share)]
        key = hkdf(share + self.point, shared, info)
        return f"-> {' '.join(words)}\n{plain64(encrypt(key, bytes(12), file_key))}\n"


def plain64(data):
    return base64.b64encode(data).decode().rstrip("=")


def seal(seed, cluster, host, path, generation, recipients, plaintext):
    recipients = sorted((Recipient(text) for text in recipients), key=lambda each: each.wire)
    wires = b"".join(part(each.wire) for each in recipients)
    rest = [cluster, host, path, generation, wires, hashlib.sha256(plaintext).digest()]

    def draw(label, length):
        info = SCHEME + b"\0" + b"".join(part(each) for each in ["seal", label] + rest)
        return expand(purpose_key(seed, "seal"), info, length)

    file_key, nonce = draw("file-key", 16), draw("nonce", 16)
    text = "age-encryption.org/v1\n"
    for index, recipient in enumerate(recipients):
        text += recipient.stanza(draw(b"ephemeral" + struct.pack(">I", index), 32), file_key)
    text += "---"
    text += f" {plain64(mac(hkdf(b'', file_key, b'header'), text.encode()))}\n"
    out, key = text.encode() + nonce, hkdf(nonce, file_key, b"payload")
    chunks = [plaintext[at : at + 65536] for at in range(0, len(plaintext), 65536)] or [b""]
    for counter, chunk in enumerate(chunks):
        last = counter == len(chunks) - 1
        out += encrypt(key, counter.to_bytes(11, "big") + bytes([last]), chunk)
    return out


def keyed_digest(key, path, plaintext):
    path = path.encode()
    return mac(key, struct.pack(">Q", len(path)) + path + struct.pack(">Q", len(plaintext)) + plaintext).hex()


def inputs_digest(inputs, templates):
    digest = hashlib.sha256()
    for path in sorted(templates):
        for text in (path.encode(), templates[path].encode()):
            digest.update(struct.pack(">Q", len(text)) + text)
    value = dict(inputs, templates=digest.hexdigest())
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


# --- the vectors ----------------------------------------------------------------------------


def p384_key(seed, cluster):
    wide = secret(seed, "key", 72, cluster, "etcd-ca", "", "", "ecdsa-p384", "1")
    scalar = P384.scalar(wide)
    return {
        "bytes": wide.hex(),
        "scalar": f"{scalar:096x}",
        "keyPemSha256": sha256(pem("EC PRIVATE KEY", ec_private_key(P384, scalar)).encode()),
        "publicKeyPemSha256": sha256(pem("PUBLIC KEY", ec_public_key(P384, scalar)).encode()),
        "signatureOfEmpty": P384.sign(scalar, b"").hex(),
    }


def ed25519_key(seed, cluster):
    """RFC 8410 sections 4 and 7."""
    key = secret(seed, "key", 32, cluster, "etcd-ca", "", "", "ed25519", "1")
    private = der(0x30, integer(0), ED25519_ALGORITHM, der(4, der(4, key)))
    public = der(0x30, ED25519_ALGORITHM, der(3, b"\0" + ed25519_public(key)))
    return {
        "bytes": key.hex(),
        "keyPemSha256": sha256(pem("PRIVATE KEY", private).encode()),
        "publicKeyPemSha256": sha256(pem("PUBLIC KEY", public).encode()),
        "signatureOfEmpty": ed25519_sign(key, b"").hex(),
    }


def shared_secrets(seed, cluster):
    """What a cluster with a control plane has, beside certificates."""

    def account(curve, algorithm, length):
        scalar = curve.scalar(secret(seed, "key", length, cluster, "sa", "", "", algorithm, "1"))
        private = pem("EC PRIVATE KEY", ec_private_key(curve, scalar))
        public = pem("PUBLIC KEY", ec_public_key(curve, scalar))
        return {"keyPemSha256": sha256(private.encode()), "publicKeyPemSha256": sha256(public.encode())}

    def at_rest(provider, generation):
        return secret(seed, "at-rest", 32, cluster, "encryption-at-rest", "", "", provider, generation).hex()

    def token(name, generation):
        number = secret(seed, "token", 64, cluster, "bootstrap-token", name, "", "", generation)
        text = letters(number, LOWER, 22)
        return f"{text[:6]}.{text[6:]}"

    def password(name, generation, length):
        number = secret(seed, "password", 64, cluster, "password", name, "", "", generation)
        return letters(number, MIXED, length)

    return {
        "serviceAccountEcdsaP256": account(P256, "ecdsa-p256", 48),
        "serviceAccountEcdsaP384": account(P384, "ecdsa-p384", 72),
        "atRestSecretbox1": at_rest("secretbox", "1"),
        "atRestSecretbox2": at_rest("secretbox", "2"),
        "atRestAescbc1": at_rest("aescbc", "1"),
        "tokenJoin1": token("join", "1"),
        "tokenLate3": token("late", "3"),
        "passwordVrrp1": password("vrrp", "1", 24),
        "passwordLong2": password("long", "2", 64),
    }


def vectors(given):
    seed, cluster = bytes.fromhex(given["seed"]), given["cluster"]
    words = ["key", "serial", "seal", "sign", "hmac", "seed-id", "at-rest", "token", "password"]
    ca_key = secret(seed, "key", 48, cluster, "etcd-ca", "", "", "ecdsa-p256", "1")
    ca = P256.scalar(ca_key)
    signing = secret(seed, "sign", 32, cluster, "signing", "", "", "ed25519", "1")
    out = {
        "purposeKeys": {word: purpose_key(seed, word).hex() for word in words},
        "seedId": secret(seed, "seed-id", 16, cluster).hex(),
        "signing": {
            "secret": signing.hex(),
            "public": f"ssh-ed25519 {base64.b64encode(ssh_blob(ed25519_public(signing))).decode()}",
            "sshsigOfEmptySha256": sha256(sshsig(signing, "sealift-bundle", b"").encode()),
        },
        "etcdCa": {"bytes": ca_key.hex(), "scalar": f"{ca:064x}"},
        "etcdCaEcdsaP384": p384_key(seed, cluster),
        "etcdCaEd25519": ed25519_key(seed, cluster),
        "secrets": shared_secrets(seed, cluster),
        "hosts": {},
        "inputs": inputs_digest(given["inputs"], given["templates"]),
    }
    serial_key = purpose_key(seed, "serial")
    number, made = certificate(given["ca"], serial_key, ca)
    out["etcdCa"].update(serial=number, certificateSha256=sha256(made.encode()))
    for name, host in sorted(given["hosts"].items()):
        verify = secret(seed, "hmac", 32, cluster, "verify-key", "", name, "hmac-sha256", "1")
        wide = secret(seed, "key", 48, cluster, "etcd-server", "", name, "ecdsa-p256", "1,1,1")
        scalar = P256.scalar(wide)
        key = pem("EC PRIVATE KEY", ec_private_key(P256, scalar)).encode()
        path = "/etc/kubernetes/pki/etcd/server.key"
        sealed = seal(seed, cluster, name, path, "1", host["recipients"], key)
        number, made = certificate(host["certificate"], serial_key, ca)
        out["hosts"][name] = {
            "verifyKey": verify.hex(),
            "serverKeyBytes": wide.hex(),
            "serverKeyPemSha256": sha256(key),
            "serverKeyHmac": keyed_digest(verify, path, key),
            "serverKeySealedSha256": sha256(sealed),
            "serverKeySealedHeader": sealed.split(b"\n---")[0].decode().split("\n"),
            "serverSerial": number,
            "serverCertificateSha256": sha256(made.encode()),
        }
    return out


def sha256(data):
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        json.dump(vectors(json.load(file)), sys.stdout, indent=2)
