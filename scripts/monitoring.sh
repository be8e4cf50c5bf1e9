#!/usr/bin/env bash
# The alert rules and the dashboard under deploy/, by Prometheus' own tool: rules parse, their tests pass, every query of the dashboard parses.
# That the numbers in them exist is a test of central (`cargo test --test central monitoring::`).
# usage: scripts/monitoring.sh      Takes promtool from the PATH, else out of Debian's package prometheus, without installing a server.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
promtool=$(command -v promtool || true)
if [ -z "$promtool" ]; then
    folder=$(realpath -m "${CARGO_TARGET_DIR:-target}")/promtool
    promtool=$folder/usr/bin/promtool
    if [ ! -x "$promtool" ]; then
        mkdir -p "$folder"
        fetch() { (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root prometheus); }
        fetch 2>/dev/null || { apt-get update -qq && fetch; }
        dpkg-deb --fsys-tarfile "$work"/prometheus_*.deb | tar x -C "$folder" ./usr/bin/promtool
    fi
fi
"$promtool" check rules deploy/prometheus-rules.yml
"$promtool" test rules deploy/prometheus-rules.test.yml
# A query of a dashboard is a rule without a name.
python3 - deploy/grafana-dashboard.json > "$work/dashboard.yml" <<'PYTHON'
import json, sys

dashboard = json.load(open(sys.argv[1]))
panels = [panel for row in dashboard["panels"] for panel in [row, *row.get("panels", [])]]
queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
assert len(queries) >= 15, f"only {len(queries)} queries"
assert len({panel["id"] for panel in panels}) == len(panels), "two panels have one id"
def plain(query):
    for name, value in (("$__rate_interval", "5m"), ("$__range", "1h"), ("$job", ".*")):
        query = query.replace(name, value)
    assert "$" not in query, f"an unknown variable: {query}"
    return query
rules = [{"record": f"dashboard:query_{n}", "expr": plain(query)} for n, query in enumerate(queries)]
json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, sys.stdout)
PYTHON
echo "the queries of the dashboard:"
"$promtool" check rules "$work/dashboard.yml" | tail -n +2
