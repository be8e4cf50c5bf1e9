#!/usr/bin/env bash
# The published protocol against the real central: an independent client in Python, and every documented request under schemathesis.
# usage: scripts/interop.sh [PATH/TO/xinsheng-central]      Needs python3 with venv; installs two packages into target/interop.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
program=${1:-$target/debug/xinsheng-central}
[ -x "$program" ] || { echo "there is no $program: cargo build --bin xinsheng-central"; exit 2; }
venv=$target/interop
if ! "$venv/bin/python" -c 'import http_message_signatures, schemathesis' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/interop/requirements.txt
fi
"$venv/bin/python" tests/interop/run.py "$program" config
"$venv/bin/python" tests/interop/openapi.py "$program" config "$venv/bin/schemathesis"
