#!/usr/bin/env python3
"""Joins tests/faults.toml with what the tests noted (tmp/faults.jsonl in the target folder) and writes docs/faults.md.

`scripts/faults.py` writes; `scripts/faults.py --check` fails if a fault has neither a test nor a reason, or if docs/faults.md names other
tests than those that ran. Counts are not compared: some follow the machine. Run it after `cargo test`, over a file of notes that was
removed before.
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

Written by `scripts/faults.py` from `tests/faults.toml` and from what the tests noted at their end, when everything held: a test that failed, was
skipped or is `#[ignore]`d is not here. {summary}

How often: in the run that wrote this page ({run}).
Model suites and power cuts run as often as these variables say; for a night `XINSHENG_STEPS=1000000`, `XINSHENG_CUTS=10000` and
`XINSHENG_ENTRIES=1000000` are right. "Not counted": a test of the screens, which notes nothing; it is there, it is not ignored, and it runs with
the others.

| | fault | what must happen | test | how often |
|---|---|---|---|---|
"""
VARIABLES = {"XINSHENG_STEPS": "each suite's own", "XINSHENG_CUTS": "200", "XINSHENG_ENTRIES": "100000"}
KEYS = {"n", "what", "expected", "named", "partly", "elsewhere"}


def notes():
    """For each fault the tests that noted it, with how often. The last run of a test counts, not the sum over all runs."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    file = target / "tmp" / "faults.jsonl"
    found = defaultdict(dict)
    for line in file.read_text().splitlines() if file.exists() else []:
        note = json.loads(line)
        require_test(source_of(note["test"]), note["test"].rsplit("::", 1)[-1], f"{file} holds a note of {note['test']}")
        for number in note["faults"]:
            found[number][note["test"]] = f"{note['times']:,} {note['unit']}"
    return found


def source_of(path):
    """The file of a test by its path: `terminal::backup::name`, `xinsheng::sync::outcome::tests::name`."""
    program, *modules = path.split("::")[:-1]
    if program == "xinsheng":
        folder, modules = ROOT / "src", [module for module in modules if module != "tests"]
        tried = [folder.joinpath(*modules, "tests.rs"), folder.joinpath(*modules).with_suffix(".rs")]
    else:
        tried = [(ROOT / "tests").joinpath(program, *modules).with_suffix(".rs")]
    return next((file for file in tried if file.exists()), tried[-1])


def require_test(file, name, what):
    """It is there, it is a test, and it is not ignored."""
    text = file.read_text() if file.exists() else ""
    found = re.search(rf"((?:^[ ]*(?:#\[.*\]|//.*)\n)*)^[ ]*(?:async )?fn {name}\b", text, re.MULTILINE)
    attributes = found.group(1) if found else ""
    # A contract is a test for each kind of store.
    contract = found and re.search(rf"^contract(?:_of_kind)?! \{{[^}}]*\b{name}\b", text, re.MULTILINE)
    if not contract and not re.search(r"#\[(tokio::)?test\b", attributes):
        sys.exit(f"{what}, which is no test of {file.relative_to(ROOT)}")
    if "#[ignore" in attributes:
        sys.exit(f"{what}, which is ignored")


def add_named_tests(faults, found):
    """Tests that note nothing are named by hand."""
    for fault in faults:
        for name in fault.get("named", []):
            file, test = name.split(" ")
            require_test(ROOT / file, test, f"tests/faults.toml: fault {fault['n']} names {name}")
            found[fault["n"]][f"{file} {test}"] = "not counted"


def page(faults, found):
    run = ", ".join(f"`{name}`: {os.environ.get(name, usual)}" for name, usual in VARIABLES.items())
    rows = [HEAD.format(summary=summary(faults, found), run=run)]
    for fault in faults:
        tests = sorted(found.get(fault["n"], {}).items())
        names = [f"`{name}`" for name, _ in tests]
        times = [times for _, times in tests]
        if "partly" in fault:
            names.append(f"**not shown**: {fault['partly']}")
        if "elsewhere" in fault:
            names.append(f"**no test here**: {fault['elsewhere']}")
        cells = [str(fault["n"]), fault["what"], fault["expected"], "<br>".join(names), "<br>".join(times)]
        rows.append(f"| {' | '.join(cells)} |\n")
    return "".join(rows)


def summary(faults, found):
    shown = [fault for fault in faults if found.get(fault["n"])]
    partly = sum("partly" in fault for fault in shown)
    tests = {test for tests in found.values() for test in tests}
    return (
        f"Of {len(faults)} faults {len(shown)} are shown by {len(tests)} tests, {partly} of them in part; "
        f"{len(faults) - len(shown)} are not this program's to survive."
    )


def without_counts(text):
    """What must be equal: the numbers of faults and tests, and each row but for its last column."""
    rows = [line.rsplit("|", 2)[0] for line in text.splitlines() if line.startswith("| ")]
    return re.findall(r"^.*Of \d+ faults.*$", text, re.MULTILINE) + rows


def main():
    faults = tomllib.loads((ROOT / "tests" / "faults.toml").read_text())["fault"]
    for place, fault in enumerate(faults, start=1):
        if fault["n"] != place or not set(fault) <= KEYS:
            sys.exit(f"tests/faults.toml: fault {place} is numbered {fault['n']}, or has other keys than {sorted(KEYS)}")
    found = notes()
    unknown = sorted(set(found) - {fault["n"] for fault in faults})
    add_named_tests(faults, found)
    missing = [fault["n"] for fault in faults if bool(found.get(fault["n"])) == ("elsewhere" in fault)]
    if missing or unknown:
        sys.exit(f"faults without a test or a reason, or with both: {missing}; noted but not listed: {unknown}")
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
    print(summary(faults, found))


if __name__ == "__main__":
    main()
