#!/usr/bin/env bash
# Tries the two commands of the README on a bare machine: a Debian root with gcc, git, ca-certificates and the Rust toolchain, no -dev
# package, no font, no display. Needs root and debootstrap. Usage: scripts/bare-root.sh [FOLDER]
#
# The toolchain is this machine's own, mounted read-only; the sources are a clone of HEAD. What was built stays in the folder, so a second
# run is quick; take a new folder for a first build.
set -euo pipefail

top=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
root=${1:-$(mktemp -d)/root}
rustup_home=${RUSTUP_HOME:-$HOME/.rustup}
cargo_home=${CARGO_HOME:-$HOME/.cargo}

if [ ! -e "$root/etc/debian_version" ]; then
    mkdir -p "$root"
    debootstrap --variant=minbase --include=gcc,libc6-dev,git,ca-certificates bookworm "$root"
fi

cleanup() {
    for mount in "$root"/root/.rustup "$root"/root/.cargo/bin "$root"/proc "$root"/sys "$root"/dev; do
        mountpoint -q "$mount" && umount -l "$mount"
    done
}
trap cleanup EXIT
mkdir -p "$root"/root/.rustup "$root"/root/.cargo/bin "$root"/root/.cargo/registry
mount --bind -o ro "$rustup_home" "$root/root/.rustup"
mount --bind -o ro "$cargo_home/bin" "$root/root/.cargo/bin"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs sysfs "$root/sys"
# The registry settings and certificates of this machine, so that a mirror is found inside too.
cp /etc/resolv.conf "$root/etc/resolv.conf"
[ -e /etc/ssl/certs/ca-certificates.crt ] && cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
[ -e "$cargo_home/config.toml" ] && cp "$cargo_home/config.toml" "$root/root/.cargo/config.toml"

rm -rf "$root/root/xinsheng"
git clone -q "$top" "$root/root/xinsheng"
inside() {
    env -i PATH=/root/.cargo/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root USER=root LANG=C.UTF-8 \
        CARGO_TERM_COLOR=never \
        http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
        CARGO_TARGET_DIR=/root/target \
        chroot "$root" sh -c "cd /root/xinsheng && $1"
}
echo "== fonts in the root: $(find "$root/usr/share/fonts" -type f 2>/dev/null | wc -l); -dev packages: $(chroot "$root" dpkg-query -W -f '${Package}\n' | grep -c -- '-dev$') (libc6-dev is the C compiler's own)"
echo "== cargo run, with --exit so that it ends"
time inside "cargo run -- --exit"
echo "== cargo test"
time inside "cargo test"
echo "== both commands work on a bare machine"
