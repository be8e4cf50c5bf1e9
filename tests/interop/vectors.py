"""Recomputes docs/vectors/*.json with the independent client's own code."""

import base64
import gzip
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from http_message_signatures import HTTPMessageVerifier, algorithms

from client import Answer, Keys, Message, Terminal, binding, digest, genesis, link, request_components, sha256

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "vectors"


def load(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def message_of(vector):
    query = "?" + vector["query"] if vector["query"] is not None else ""
    return Message(vector["method"], f"http://127.0.0.1{vector['path']}{query}", dict(vector["headers"]))


def check_chain():
    chain = load("chain")
    head = genesis(chain["chain"])
    assert head.hex() == chain["first_hash"]
    for entry in chain["entries"]:
        line = entry["line"].encode()
        assert sha256(line).hex() == entry["leaf"]
        head = link(head, line)
        assert head.hex() == entry["hash"]
    head = genesis(chain["chain"])
    for line in chain["with_a_withheld_line"]:
        held = json.loads(line).get("withheld")
        leaf = bytes.fromhex(held["leaf"]) if held else sha256(line.encode())
        head = sha256(head + leaf)
    assert head.hex() == chain["head_hash"]


def check_codes():
    for vector in load("codes")["codes"]:
        for bound in vector["bound"]:
            assert bound["code"].startswith(vector["secret"] + "-")
            assert binding(vector["secret"], bytes.fromhex(bound["key"])) == bound["code"][-5:]


def check_requests():
    file = load("requests")
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(file["terminal_key"]["seed_hex"]))
    for vector in file["requests"]:
        headers, body = vector["headers"], base64.b64decode(vector["body_base64"])
        if body:
            assert headers["content-digest"] == digest(body), vector["name"]
        Ed25519PublicKey.verify(
            key.public_key(),
            base64.b64decode(headers["signature"].removeprefix("sig1=:").removesuffix(":")),
            vector["signature_base"].encode(),
        )
        # The library makes the same base from the request as it stands, and covers what the page says.
        verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Keys(public=key.public_key()))
        (result,) = verifier.verify(message_of(vector), max_age=None)
        covered = request_components(
            bool(body), vector["query"] is not None, "content-encoding" in headers, "xinsheng-terminal" in headers
        )
        found = [name.strip('"') for name in result.covered_components if name != '"@signature-params"']
        assert found == covered, (vector["name"], found)
    batches = {v["name"]: base64.b64decode(v["body_base64"]) for v in file["requests"]}
    assert gzip.decompress(batches["compressed-batch"]) == batches["batch"]


def check_responses():
    file, requests = load("responses"), {v["name"]: v for v in load("requests")["requests"]}
    terminal = Terminal("http://127.0.0.1:1")
    terminal.central = Ed25519PublicKey.from_public_bytes(base64.b64decode(file["central_key"]["public_base64"]))
    terminal.store = file["store"]
    for vector in file["responses"]:
        body = base64.b64decode(vector["body_base64"])
        request = message_of(requests[vector["request"]])
        terminal.proven(Answer(vector["status"], vector["headers"], body, request))


def check():
    check_chain()
    check_codes()
    check_requests()
    check_responses()
