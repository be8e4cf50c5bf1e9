#!/usr/bin/env bash
# Inside the container of scripts/service.sh: starts, uses, hangs and stops central by its unit.
set -euo pipefail
unit=xinsheng-central.service
address=127.0.0.1:8460
say() { printf '%s\n' "$*"; }
property() { systemctl show "$unit" -p "$1" --value; }
fail() {
    say "FAILED: $*"
    journalctl --no-pager -o cat -u "$unit" | tail -30
    exit 1
}
trap 'fail "line $LINENO"' ERR
# The first word of the status line behind HTTP/1.1, or nothing.
status() { curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' "http://$address$1" || true; }
as_central() { setpriv --reuid xinsheng-central --regid xinsheng-central --clear-groups --inh-caps=-all -- "$@"; }

systemd-analyze verify /etc/systemd/system/xinsheng-central{.service,-backup.service,-backup.timer}
systemctl start "$unit"
# Type=notify: `start` came back because central said that it is ready.
[ "$(status /readyz)" = 200 ] || fail "it said that it is ready, and is not: $(status /readyz)"
say "ready: $(property StatusText)"
pid=$(property MainPID)
say "user $(ps -o user= -p "$pid"), seccomp $(awk '/^Seccomp:/ {print $2}' "/proc/$pid/status"), capabilities $(awk '/^CapEff:/ {print $2}' "/proc/$pid/status"), no new privileges $(awk '/^NoNewPrivs:/ {print $2}' "/proc/$pid/status")"
say "handles: $(awk '/^Max open files/ {print $4}' "/proc/$pid/limits")"
for path in / /healthz /metrics /openapi.json /v1/scores; do
    code=$(status $path)
    # Whoever must sign in first is answered too.
    [[ $code =~ ^[234] ]] || fail "$path is answered with $code"
    say "$path $code"
done

code=$(as_central xinsheng-central enrol --touchpoint registration --config /etc/xinsheng/central.toml 2>/dev/null)
[ ${#code} -ge 15 ] || fail "no code: $code"
backups=/var/lib/xinsheng-central-backups
systemctl start xinsheng-central-backup.service
touch -d "31 days ago" "$backups/xinsheng-central-20000101T000000000Z.sqlite" "$backups/somebody-elses"
systemctl start xinsheng-central-backup.service
made=("$backups"/xinsheng-central-2*.sqlite)
[ ${#made[@]} = 2 ] && [ -e "$backups/somebody-elses" ] || fail "backups: $(ls "$backups")"
say "backups: $(stat -c '%a %U %n' "$backups" "$backups"/* | tr '\n' ';')"
as_central xinsheng-central verify --config /etc/xinsheng/central.toml
say "files: $(stat -c '%a %U %n' /var/lib/xinsheng-central /var/lib/xinsheng-central/* | tr '\n' ';')"

# A central that hangs is ended and started again.
kill -STOP "$pid"
for _ in $(seq 150); do
    [ "$(property NRestarts)" = 1 ] && [ "$(property ActiveState)" = active ] && break
    sleep 0.2
done
[ "$(property NRestarts)" = 1 ] || fail "the watchdog did not see that central hangs"
[ "$(status /readyz)" = 200 ] || fail "it did not come back"
say "hung: ended by the watchdog ($(property Result)) and started again"

# A stop: not ready first, then gone, within ten seconds.
began=$(date +%s%N)
systemctl --no-block stop "$unit"
seen=
for _ in $(seq 200); do
    now=$(status /readyz)
    [ "$now" = 503 ] && seen=yes
    [ "$now" = 000 ] && break
    sleep 0.05
done
[ -n "$seen" ] || fail "readiness did not go off before the stop"
while [ "$(property ActiveState)" != inactive ]; do sleep 0.05; done
took=$((($(date +%s%N) - began) / 1000000))
[ "$took" -lt 10000 ] || fail "the stop took $took ms"
[ "$(property Result)" = success ] || fail "the stop ended with $(property Result)"
say "stopped in $took ms, /readyz said 503 first"
say "the unit works"
