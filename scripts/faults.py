#!/usr/bin/env python3
"""Joins tests/faults.toml with what the tests noted (target/tmp/faults.jsonl) and writes docs/faults.md.

`scripts/faults.py` writes; `scripts/faults.py --check` fails if a fault has neither a test nor a reason, or if docs/faults.md names other
tests than those that ran. Run it after `cargo test`.
"""

import json
import os
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAD = """# Faults, and the tests that show that they are survived

Written by `scripts/faults.py` from `tests/faults.toml` and from what the tests noted while they ran. How often: in the last run that wrote this page; model
suites and power cuts run as often as `XINSHENG_STEPS` and `XINSHENG_CUTS` say.

| | fault | what must happen | test | how often |
|---|---|---|---|---|
"""


def notes():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    found = defaultdict(dict)
    file = target / "tmp" / "faults.jsonl"
    for line in file.read_text().splitlines() if file.exists() else []:
        note = json.loads(line)
        for number in note["faults"]:
            # The last run of a test counts, not the sum over all runs of this target folder.
            found[number][f"{note['program']}::{note['test']}"] = f"{note['times']:,} {note['unit']}"
    return found


def page(faults, found):
    rows = []
    for fault in faults:
        tests = sorted(found.get(fault["n"], {}).items())
        names = "<br>".join(f"`{name.removeprefix('power_cut::').removeprefix('journal_speed::')}`" for name, _ in tests) or f"none: {fault.get('open', '?')}"
        times = "<br>".join(times for _, times in tests)
        rows.append(f"| {fault['n']} | {fault['what']} | {fault['expected']} | {names} | {times} |\n")
    return HEAD + "".join(rows)


def names_in(text):
    """Each row without its count."""
    return [line.rsplit("|", 2)[0] for line in text.splitlines() if line.startswith("| ")]


def main():
    faults = tomllib.loads((ROOT / "tests" / "faults.toml").read_text())["fault"]
    found = notes()
    made = page(faults, found)
    missing = [f["n"] for f in faults if not found.get(f["n"]) and "open" not in f]
    unknown = sorted(set(found) - {f["n"] for f in faults})
    file = ROOT / "docs" / "faults.md"
    if "--check" not in sys.argv:
        file.write_text(made)
    elif names_in(file.read_text()) != names_in(made):
        old, new = set(names_in(file.read_text())), set(names_in(made))
        for row in sorted(old ^ new):
            print("+" if row in new else "-", row)
        print("docs/faults.md names other tests than those that ran: scripts/faults.py writes it anew")
        return 1
    if missing or unknown:
        print(f"faults without a test or a reason: {missing}; noted but not listed: {unknown}")
        return 1
    print(f"{sum(bool(found.get(f['n'])) for f in faults)} of {len(faults)} faults shown by {len({t for v in found.values() for t in v})} tests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
