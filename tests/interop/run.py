"""Drives the real central with the independent client: `python3 run.py PATH/TO/xinsheng-central CONFIG_FOLDER`.

Each check is one function; its name is the sentence that it checks. Ends with 1 if one fails.
"""

import base64
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request
from pathlib import Path

import vectors
from client import ENTRIES, JSON, NotProven, Refused, Terminal, digest, link, sha256, uuid7

TOUCHPOINT = "registration"


class Central:
    """The real program, on a free port of this machine, with a folder of its own."""

    def __init__(self, program, config):
        self.program = program
        self.folder = Path(tempfile.mkdtemp(prefix="xinsheng-interop-"))
        for name in ["central.toml", "touchpoints.toml"]:
            shutil.copy(Path(config) / name, self.folder / name)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        file = self.folder / "central.toml"
        text = file.read_text()
        text = re.sub(r"(?m)^listen = .*$", f'listen = "127.0.0.1:{self.port}"', text)
        text = re.sub(r"(?m)^public_url = .*$", f'public_url = "http://127.0.0.1:{self.port}"', text)
        file.write_text(re.sub(r"(?m)^dir = .*$", 'dir = "data"', text))
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.program, "serve", "--config", self.folder / "central.toml"])
        for _ in range(200):
            try:
                with urllib.request.urlopen(self.url + "/readyz", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("central does not come up")

    def command(self, *words):
        done = subprocess.run(
            [self.program, *words, "--config", self.folder / "central.toml"], capture_output=True, text=True
        )
        if done.returncode:
            raise AssertionError(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def code(self):
        found = re.search(r"\d[\d -]{13,}\d", self.command("enrol", "--touchpoint", TOUCHPOINT))
        return re.sub(r"\D", "", found.group(0))

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return json.load(reply)

    def terminal(self):
        terminal = Terminal(self.url)
        terminal.enrol(self.code())
        return terminal

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


def visit(terminal, value=5):
    """One visitor: an answer and its end."""
    response = uuid7()
    terminal.append(
        "answer",
        response=response,
        touchpoint=TOUCHPOINT,
        questionnaire="registration@1",
        question="overall",
        scale="csat5",
        value=value,
        lang="zh-CN",
        shown_ms=1800,
        order=[5, 4, 3, 2, 1],
    )
    terminal.append("response_end", response=response, touchpoint=TOUCHPOINT, outcome="completed")


def expect(error, action):
    try:
        action()
    except error as found:
        return found
    raise AssertionError(f"expected {error.__name__}")


# ---- checks ------------------------------------------------------------------------------------------------------------


def the_test_vectors_come_out_by_this_code(central):
    vectors.check()


def an_enrolment_is_answered_under_centrals_key_and_again_with_the_same_answer(central):
    code = central.code()
    terminal = Terminal(central.url)
    first = terminal.enrol(code)
    assert first["touchpoint"] == TOUCHPOINT
    again = terminal.enrol(code)
    assert again["terminal"] == first["terminal"]
    other = Terminal(central.url)
    assert expect(Refused, lambda: other.enrol(code)).answer.status_code == 403


def batches_are_receipted_and_a_repeated_one_is_a_duplicate(central):
    terminal = central.terminal()
    terminal.append("boot", software="interop", config_hash="00" * 32, boot=terminal.boot, clock="synced")
    for value in [5, 4, 1]:
        visit(terminal, value)
    receipt = terminal.send(1, 3)
    assert (receipt["accepted_through"], receipt["stored"], receipt["duplicate"]) == (3, 3, 0), receipt
    receipt = terminal.send(1, 3)
    assert (receipt["stored"], receipt["duplicate"]) == (0, 3), receipt
    receipt = terminal.send(4, 4, compress=False)
    assert receipt["accepted_through"] == 7 and receipt["quarantined"] == [], receipt
    cursor = terminal.cursor()
    assert cursor["accepted_through"] == 7 and cursor["head_hash"] == terminal.head.hex()


def a_batch_beyond_a_gap_stores_nothing_and_says_from_where_to_send(central):
    terminal = central.terminal()
    for _ in range(3):
        visit(terminal)
    receipt = terminal.send(3, 2)
    assert (receipt["accepted_through"], receipt["stored"]) == (0, 0), receipt
    assert terminal.send(1, 6)["accepted_through"] == 6


def a_line_that_cannot_be_read_is_kept_and_quarantined_with_the_reason(central):
    terminal = central.terminal()
    terminal.append("dance", steps=3)
    visit(terminal)
    receipt = terminal.send(1, 3)
    assert receipt["accepted_through"] == 3
    assert [q["seq"] for q in receipt["quarantined"]] == [1], receipt


def a_withheld_line_keeps_the_chain_whole(central):
    terminal = central.terminal()
    for _ in range(2):
        visit(terminal)
    leaf = sha256(terminal.lines[1])
    withheld = json.dumps({"withheld": {"seq": 2, "leaf": leaf.hex(), "reason": "erased"}}, separators=(",", ":"))
    lines = terminal.batch(1, 4).split(b"\n")
    lines[2] = withheld.encode()
    answer = terminal.believed(terminal.call("POST", "/v1/terminals/self/entries", b"\n".join(lines), ENTRIES))
    assert answer.json()["head_hash"] == terminal.head.hex()


def health_and_configuration_are_signed_and_an_unchanged_one_too(central):
    terminal = central.terminal()
    reply = terminal.health()
    config = terminal.believed(terminal.config())
    assert config.headers["etag"] == reply["config_etag"] and b"[[touchpoint]]" in config.body
    unchanged = terminal.believed(terminal.config(config.headers["etag"]), status=304)
    assert not unchanged.body


def what_does_not_add_up_is_refused_under_signature(central):
    terminal = central.terminal()
    visit(terminal)
    spoilt = terminal.batch(1, 2).replace(terminal.head.hex().encode(), b"ab" * 32)
    found = terminal.proven(terminal.call("POST", "/v1/terminals/self/entries", spoilt, ENTRIES))
    assert found.status_code == 422, found.status_code
    found = terminal.proven(terminal.call("POST", "/v1/terminals/self/entries", b"nonsense\n", ENTRIES))
    assert found.status_code == 400, found.status_code
    assert found.json()["status"] == 400


def another_history_is_a_signed_conflict_with_centrals_place(central):
    terminal = central.terminal()
    for _ in range(2):
        visit(terminal)
    terminal.send(1, 4)
    terminal.lines[1] = terminal.lines[1].replace(b"completed", b"timed_out")
    found = terminal.proven(terminal.call("POST", "/v1/terminals/self/entries", terminal.batch(1, 4), ENTRIES))
    assert found.status_code == 409, found.status_code
    assert found.json()["accepted_through"] == 4


def a_request_that_proves_nothing_gets_no_signature(central):
    terminal = central.terminal()
    visit(terminal)
    body = terminal.batch(1, 2)

    def spoil(name, value):
        def change(message):
            if value is None:
                message.headers.pop(next(k for k in message.headers if k.lower() == name))
            else:
                message.headers[next(k for k in message.headers if k.lower() == name)] = value

        return change

    names = ["signature", "signature-input", "content-digest", "xinsheng-terminal", "xinsheng-protocol"]
    for name in names:
        for value in [None, "", "sig1=:AAAA:", "9"]:
            answer = terminal.call("POST", "/v1/terminals/self/entries", body, ENTRIES, change=spoil(name, value))
            assert answer.status_code >= 400, (name, value, answer.status_code)
            expect(NotProven, lambda: terminal.proven(answer))
            assert "signature" not in answer.headers, (name, value, answer.headers)


def an_answer_to_one_request_proves_nothing_for_another(central):
    terminal = central.terminal()
    visit(terminal)
    first = terminal.call("GET", f"/v1/terminals/self/cursor?chain={terminal.chain}")
    second = terminal.call("GET", f"/v1/terminals/self/cursor?chain={terminal.chain}")
    terminal.proven(first)
    first.request = second.request
    expect(NotProven, lambda: terminal.proven(first))


def central_lists_each_chain_as_complete_and_its_own_check_finds_nothing(central):
    terminal = central.terminal()
    for _ in range(5):
        visit(terminal)
    terminal.send(1, 10)
    chains = json.dumps(central.get("/v1/chains"))
    assert terminal.chain in chains, chains
    said = central.command("verify")
    assert terminal.chain[:8] in said or "whole" in said, said


CHECKS = [check for name, check in list(globals().items()) if callable(check) and name.count("_") >= 4]


def main():
    program, config = sys.argv[1:3]
    central = Central(program, config)
    failed = 0
    try:
        for check in CHECKS:
            try:
                check(central)
                print(f"ok    {check.__name__.replace('_', ' ')}")
            except Exception:
                failed += 1
                print(f"FAIL  {check.__name__.replace('_', ' ')}")
                traceback.print_exc()
    finally:
        central.stop()
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
