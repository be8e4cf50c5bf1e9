#!/usr/bin/env bash
# Central's systemd unit: how much it may do (`systemd-analyze security`, at most 1.5), and a try of it: a real systemd as the first process of a
# container over this machine's own files (an overlay: nothing here is changed) starts central by the unit, with every restriction in force.
# usage: scripts/service.sh [PATH/TO/xinsheng-central]      Needs root, systemd and systemd-container; takes about 20 s.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-${CARGO_TARGET_DIR:-target}/debug/xinsheng-central}
[ -x "$program" ] || { echo "there is no $program: cargo build --bin xinsheng-central"; exit 2; }
units=config/systemd

# In tenths: 15 is 1.5.
for unit in xinsheng-central xinsheng-central-backup; do
    systemd-analyze security --offline=true --threshold=15 --no-pager "$units/$unit.service" | tail -1
done

work=$(mktemp -d)
cleanup() {
    if mountpoint -q "$work/root"; then umount -l "$work/root"; fi
    if mountpoint -q "$work/layers"; then umount -l "$work/layers"; fi
    rm -rf "$work"
}
trap cleanup EXIT
mkdir -p "$work/root" "$work/layers"
# In memory: an overlay may not lie on an overlay, and nothing of it is kept.
mount -t tmpfs -o size=512m tmpfs "$work/layers"
mkdir "$work/layers/upper" "$work/layers/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/layers/upper,workdir=$work/layers/work" "$work/root"
root=$work/root

: > "$root/etc/machine-id"
install -D -m 755 "$program" "$root/usr/local/bin/xinsheng-central"
install -D -m 644 -t "$root/etc/systemd/system" "$units"/xinsheng-central.service "$units"/xinsheng-central-backup.{service,timer}
install -D -m 644 "$units/xinsheng-central.sysusers" "$root/etc/sysusers.d/xinsheng-central.conf"
install -D -m 644 config/touchpoints.toml "$root/etc/xinsheng/touchpoints.toml"
sed 's|^dir = .*|dir = "/var/lib/xinsheng-central"|' config/central.toml > "$root/etc/xinsheng/central.toml"
# Only what the try needs is started, and only here may the watchdog be quicker than in the unit.
install -D -m 644 /dev/stdin "$root/etc/systemd/system/xinsheng-central.service.d/try.conf" <<'CONF'
[Service]
WatchdogSec=4
CONF
install -D -m 755 scripts/service-try.sh "$root/usr/local/bin/service-try"
install -D -m 644 /dev/stdin "$root/etc/systemd/system/try.service" <<'CONF'
[Unit]
Description=The try of central's unit
Requires=basic.target
After=basic.target
[Service]
Type=oneshot
ExecStart=/usr/local/bin/service-try
StandardOutput=append:/try.log
StandardError=inherit
ExecStopPost=/usr/bin/systemctl --no-block poweroff
CONF

timeout 120 systemd-nspawn --quiet --register=no --keep-unit --private-network --boot --directory="$root" --machine="try-$$" \
    --console=pipe systemd.unit=try.service systemd.show_status=no > "$work/console.log" 2>&1 < /dev/null || true
cat "$root/try.log" 2>/dev/null || { echo "the container did not come up:"; tail -40 "$work/console.log"; exit 1; }
grep -qx "the unit works" "$root/try.log" || exit 1
