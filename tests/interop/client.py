"""A terminal written from docs/protocol.md alone: enrols, keeps a journal in memory, sends it, and believes only what central signed.

Nothing of the product is imported. HTTP message signatures are PyPI's `http-message-signatures`, Ed25519 is `cryptography`.
"""

import base64
import gzip
import hashlib
import http.client
import json
import re
import secrets
import time
import uuid
import warnings
from datetime import datetime, timezone
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    HTTPMessageSignaturesException,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.signatures import SignatureVerifyWarning

PROTOCOL = "1"
LABEL = "sig1"
ENTRIES = "application/x-ndjson"
RECEIPT = "application/vnd.xinsheng.receipt+json"
JSON = "application/json"


class NotProven(Exception):
    """An answer that central did not sign for this very request."""


class Refused(Exception):
    """A refusal signed by central."""

    def __init__(self, answer):
        super().__init__(f"{answer.status_code}: {answer.body[:300]!r}")
        self.answer = answer


class Keys(HTTPSignatureKeyResolver):
    """One key for signing, one for verifying."""

    def __init__(self, private=None, public=None):
        self.private, self.public = private, public

    def resolve_private_key(self, key_id):
        return self.private

    def resolve_public_key(self, key_id):
        return self.public


class Message:
    """A request as the signature library wants it."""

    def __init__(self, method, url, headers):
        self.method, self.url, self.headers = method, url, headers


class Answer:
    """An answer, with the request that it answers."""

    def __init__(self, status_code, headers, body, request):
        self.status_code, self.headers, self.body, self.request = status_code, headers, body, request

    def json(self):
        return json.loads(self.body)


def sha256(data):
    return hashlib.sha256(data).digest()


def genesis(chain_hex):
    """The hash before the first entry: SHA-256 of the 16 bytes of the chain id."""
    return sha256(bytes.fromhex(chain_hex))


def link(previous, line):
    """The hash after a line, from the hash before it."""
    return sha256(previous + sha256(line))


def binding(secret, key):
    """The five digits that bind an enrolment code to the key (SHA-256 of the SubjectPublicKeyInfo) of central's own certificate."""
    digits = re.sub(r"\D", "", secret)
    end = sha256(f"xinsheng enrolment code 1\n{digits}\n{key.hex()}".encode())[-8:]
    return f"{int.from_bytes(end, 'big') % 100_000:05}"


def digest(body):
    return "sha-256=:" + base64.b64encode(sha256(body)).decode() + ":"


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(time.time() * 1000) % 1000:03d}Z"


def uuid7():
    """A UUID of version 7: 48 bits of milliseconds, then chance."""
    value = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    return str(uuid.UUID(int=value))


def request_components(has_body, has_query, has_encoding, has_terminal):
    """What a request's signature covers, in this order."""
    covered = ["@method", "@path"]
    if has_query:
        covered.append("@query")
    if has_body:
        if has_encoding:
            covered.append("content-encoding")
        covered.append("content-digest")
    if has_terminal:
        covered.append("xinsheng-terminal")
    covered.append("xinsheng-protocol")
    return covered


def sign(message, key, key_id, covered, nonce=None, created=None):
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=Keys(private=key))
    signer.sign(
        message,
        key_id=key_id,
        label=LABEL,
        created=created or datetime.now(timezone.utc),
        nonce=nonce or secrets.token_hex(12),
        covered_component_ids=covered,
        # The digest is made here, over the body as sent.
        use_existing_digest="content-digest" in message.headers,
    )


class Terminal:
    """One terminal: a key, a chain, and what central said."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.url, self.host, self.port = url, parts.hostname, parts.port
        self.key = Ed25519PrivateKey.generate()
        self.public = base64.b64encode(
            self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        ).decode()
        self.id = self.store = self.central = None
        self.chain = secrets.token_hex(16)
        self.boot = uuid7()
        self.started = time.monotonic()
        self.lines = []
        self.head = genesis(self.chain)
        self.accepted_through = 0

    # ---- the journal -------------------------------------------------------------------------------------------------

    def moment(self):
        return {
            "wall": now(),
            "boot": self.boot,
            "up_ms": int((time.monotonic() - self.started) * 1000),
            "quality": "synced",
        }

    def append(self, kind, **fields):
        """Freezes one entry line and links it into the chain."""
        entry = {"v": 1, "seq": len(self.lines) + 1, "id": uuid7(), "at": self.moment(), "kind": kind, **fields}
        line = json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode()
        assert len(line) <= 4096
        self.lines.append(line)
        self.head = link(self.head, line)
        return entry

    def head_at(self, seq):
        """The chain hash after `seq` entries, recomputed from the lines."""
        head = genesis(self.chain)
        for line in self.lines[:seq]:
            head = link(head, line)
        return head

    def batch(self, first, count):
        """A header line and the exact lines."""
        lines = self.lines[first - 1 : first - 1 + count]
        header = {
            "chain": self.chain,
            "first_seq": first,
            "previous_hash": self.head_at(first - 1).hex(),
            "count": len(lines),
            "head_hash": self.head_at(first - 1 + len(lines)).hex(),
            "sent": self.moment(),
        }
        header = json.dumps(header, separators=(",", ":")).encode()
        return b"".join(part + b"\n" for part in [header, *lines])

    # ---- requests ----------------------------------------------------------------------------------------------------

    def call(self, method, path, body=b"", content_type=None, compress=False, terminal=True, change=None, headers=None):
        """Sends a signed request and gives the answer as it came. `change(message)` spoils the request after it was signed."""
        sent = {"xinsheng-protocol": PROTOCOL, **(headers or {})}
        if terminal and self.id:
            sent["xinsheng-terminal"] = self.id
        if compress:
            body = gzip.compress(body)
            sent["content-encoding"] = "gzip"
        if body:
            sent["content-type"] = content_type
            sent["content-digest"] = digest(body)
        message = Message(method, f"http://{self.host}:{self.port}{path}", sent)
        covered = request_components(bool(body), "?" in path, compress, "xinsheng-terminal" in sent)
        sign(message, self.key, self.id if "xinsheng-terminal" in sent else self.public, covered)
        if change:
            change(message)
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        connection.request(method, path, body=body or None, headers=message.headers)
        reply = connection.getresponse()
        answer = Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read(), message)
        connection.close()
        return answer

    def proven(self, answer):
        """Raises `NotProven` unless central signed exactly this answer to exactly this request."""
        if "signature-input" not in answer.headers:
            raise NotProven(f"unsigned: {answer.status_code} {answer.body[:200]!r}")
        if answer.body and answer.headers.get("content-digest") != digest(answer.body):
            raise NotProven("the body is not the one that was signed")
        verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Keys(public=self.central))
        # Signatures of others (a proxy's) may stand in the same fields: ours is the member of this name.
        verifier.allow_label_only_selection = True
        try:
            # Central's clock need not be ours: an answer is bound to its request, not to a time.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SignatureVerifyWarning)
                (result,) = verifier.verify(answer, max_age=None, expect_label=LABEL)
        except (InvalidSignature, HTTPMessageSignaturesException) as error:
            raise NotProven(str(error)) from error
        if result.parameters["keyid"] != self.store:
            raise NotProven("signed for another store")
        expected = response_components(answer)
        found = set(result.covered_components) - {'"@signature-params"'}
        if found != expected:
            raise NotProven(f"covers {sorted(found)}, must cover {sorted(expected)}")
        return answer

    def believed(self, answer, status=200):
        self.proven(answer)
        if answer.status_code != status:
            raise Refused(answer)
        return answer

    # ---- the protocol ------------------------------------------------------------------------------------------------

    def enrol(self, code, hardware_id="interop"):
        body = json.dumps(
            {
                "code": code,
                "public_key": self.public,
                "hardware_id": hardware_id,
                "software": "interop client",
                "sent": self.moment(),
            }
        ).encode()
        answer = self.call("POST", "/v1/enrolments", body, JSON, terminal=False)
        if answer.status_code != 200:
            raise Refused(answer)
        reply = answer.json()
        self.central = Ed25519PublicKey.from_public_bytes(base64.b64decode(reply["central_key"]))
        self.store = reply["store"]
        self.proven(answer)
        self.id = reply["terminal"]
        return reply

    def cursor(self):
        reply = self.believed(self.call("GET", f"/v1/terminals/self/cursor?chain={self.chain}")).json()
        assert reply["store"] == self.store and reply["chain"] == self.chain
        return reply

    def send(self, first, count, compress=True):
        """One batch; the cursor moves only by a receipt for this chain whose head hash is our own."""
        body = self.batch(first, count)
        answer = self.believed(self.call("POST", "/v1/terminals/self/entries", body, ENTRIES, compress=compress))
        if answer.headers["content-type"] != RECEIPT:
            raise NotProven(f"a receipt of type {answer.headers['content-type']}")
        receipt = answer.json()
        if receipt["store"] != self.store or receipt["chain"] != self.chain:
            raise NotProven("a receipt for another store or chain")
        through = receipt["accepted_through"]
        if through > len(self.lines) or receipt["head_hash"] != self.head_at(through).hex():
            raise NotProven("a receipt for another history")
        self.accepted_through = max(self.accepted_through, through)
        return receipt

    def health(self):
        body = {
            "chain": self.chain,
            "last_seq": len(self.lines),
            "queue_depth": len(self.lines) - self.accepted_through,
            "oldest_unsent_s": None,
            "refused": 0,
            "last_error": None,
            "temperature_c": 41.5,
            "disk_free_bytes": 1 << 30,
            "clock": "synced",
            "software": "interop client",
            "config_hash": "00" * 32,
            "screen": {"width_px": 1280, "height_px": 800},
            "restarts": 0,
            "sent": self.moment(),
        }
        return self.believed(self.call("POST", "/v1/terminals/self/health", json.dumps(body).encode(), JSON)).json()

    def config(self, etag=None):
        headers = {"if-none-match": etag} if etag else None
        return self.call("GET", "/v1/terminals/self/config", headers=headers)


def response_components(answer):
    """What central's signature of an answer covers: the answer itself, and the request that it answers."""
    covered = {'"@status"'}
    if answer.body:
        covered |= {'"content-type"', '"content-digest"'}
    if "etag" in answer.headers:
        covered.add('"etag"')
    covered |= {'"@method";req', '"@path";req', '"signature";req;key="sig1"'}
    if "?" in answer.request.url:
        covered.add('"@query";req')
    if "content-digest" in answer.request.headers:
        covered.add('"content-digest";req')
    return covered
