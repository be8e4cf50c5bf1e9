#!/usr/bin/env python3
"""Joins tests/faults.toml with what the tests noted (target/tmp/faults.jsonl) and writes docs/faults.md.

`scripts/faults.py` writes; `scripts/faults.py --check` fails if a fault has neither a test nor a reason, or if docs/faults.md names other
tests than those that ran. Run it after `cargo test`.
"""

import json
import os
import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAD = """# Faults, and the tests that show that they are survived

Written by `scripts/faults.py` from `tests/faults.toml` and from what the tests noted while they ran. How often: in the run that wrote this page; model
suites and power cuts run as often as `XINSHENG_STEPS` and `XINSHENG_CUTS` say. Tests with a file before their
name (the library's and the screens') run with the others, and are not counted.

| | fault | what must happen | test | how often |
|---|---|---|---|---|
"""


def notes():
    """For each fault the tests that noted it, with how often. The last run of a test counts, not the sum over all runs."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    file = target / "tmp" / "faults.jsonl"
    found = defaultdict(dict)
    for line in file.read_text().splitlines() if file.exists() else []:
        note = json.loads(line)
        for number in note["faults"]:
            found[number][note["test"]] = f"{note['times']:,} {note['unit']}"
    return found


def add_named_tests(faults, found):
    """Tests that note nothing are named by hand, and have to exist."""
    for fault in faults:
        for name in fault.get("named", []):
            file, test = name.split(" ")
            path = ROOT / file
            if not path.exists() or not re.search(rf"#\[test\]\s+fn {test}\(", path.read_text()):
                sys.exit(f"tests/faults.toml: fault {fault['n']} names {file} {test}, which is no test")
            found[fault["n"]][f"{file} {test}"] = "not counted"


def page(faults, found):
    rows = []
    for fault in faults:
        tests = sorted(found.get(fault["n"], {}).items())
        names = [f"`{name}`" for name, _ in tests]
        times = [times for _, times in tests]
        if "open" in fault:
            names.append(f"**open**: {fault['open']}")
        cells = [str(fault["n"]), fault["what"], fault["expected"], "<br>".join(names), "<br>".join(times)]
        rows.append(f"| {' | '.join(cells)} |\n")
    return HEAD + "".join(rows)


def without_counts(text):
    return [line.rsplit("|", 2)[0] for line in text.splitlines() if line.startswith("| ")]


def main():
    faults = tomllib.loads((ROOT / "tests" / "faults.toml").read_text())["fault"]
    found = notes()
    unknown = sorted(set(found) - {fault["n"] for fault in faults})
    add_named_tests(faults, found)
    missing = [fault["n"] for fault in faults if not found.get(fault["n"]) and "open" not in fault]
    if missing or unknown:
        sys.exit(f"faults without a test or a reason: {missing}; noted but not listed: {unknown}")
    made = page(faults, found)
    file = ROOT / "docs" / "faults.md"
    if "--check" not in sys.argv:
        file.write_text(made)
    else:
        old, new = without_counts(file.read_text()), without_counts(made)
        if old != new:
            for row in sorted(set(old) ^ set(new)):
                print("+" if row in new else "-", row)
            sys.exit("docs/faults.md names other tests than those that ran: scripts/faults.py writes it anew")
    shown = sum(bool(found.get(fault["n"])) for fault in faults)
    print(f"{shown} of {len(faults)} faults shown by {len({test for tests in found.values() for test in tests})} tests")


if __name__ == "__main__":
    main()
