#!/usr/bin/env bash
# The published protocol against the real central: an independent client in Python. With --openapi instead every documented request of
# /openapi.json under schemathesis, XINSHENG_EXAMPLES of each (default 40).
# usage: scripts/interop.sh [--openapi] [PATH/TO/xinsheng-central]      Needs python3 with venv; installs its packages into target/interop.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
openapi=
[ "${1:-}" = --openapi ] && { openapi=yes; shift; }
program=${1:-$target/debug/xinsheng-central}
[ -x "$program" ] || { echo "there is no $program: cargo build --bin xinsheng-central"; exit 2; }
venv=$target/interop
if ! "$venv/bin/python" -c 'import http_message_signatures, schemathesis' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/interop/requirements.txt
fi
if [ -n "$openapi" ]; then
    "$venv/bin/python" tests/interop/openapi.py "$program" config "$venv/bin/schemathesis"
else
    "$venv/bin/python" tests/interop/run.py "$program" config
fi
