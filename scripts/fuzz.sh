#!/usr/bin/env bash
# Runs every fuzz target for so many seconds, two at a time: scripts/fuzz.sh [SECONDS] [TARGET..]      At night: scripts/fuzz.sh 3600
#
# Starts from fuzz/corpus/TARGET and the files of that kind that are shipped, and collects in the target folder. cargo-fuzz wants a nightly compiler for the
# coverage flags; RUSTC_BOOTSTRAP lets the stable one take them. A crash leaves its input in fuzz/artifacts/TARGET.
# XINSHENG_FUZZ_SEED=1, with a target folder without collected inputs, makes the same inputs in the same order; else they differ.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
seconds=${1:-60}
shift || true
export RUSTC_BOOTSTRAP=1 CARGO_INCREMENTAL=0
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/../target}/fuzz
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(cargo fuzz list); fi
# -O: the assertions are those of the profile in fuzz/Cargo.toml.
cargo fuzz build -O --sanitizer none
shipped() {
    case $1 in
    touchpoints | kiosk | central) ls ../config/"$1"*.toml ;;
    po) ls ../assets/lang/*/*.po ;;
    esac
}
run() {
    local grown=$CARGO_TARGET_DIR/corpus/$1 log=$CARGO_TARGET_DIR/$1.log
    mkdir -p "$grown" "corpus/$1"
    shipped "$1" | while read -r file; do cp "$file" "$grown/shipped-$(tr / - <<<"${file#../}")"; done
    # A memory limit for each input, so that a bomb is found as well as a panic; 10 s for one input is a hang.
    if cargo fuzz run -O --sanitizer none "$1" "$grown" "corpus/$1" -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -max_len=65536 -seed="${XINSHENG_FUZZ_SEED:-0}" -print_final_stats=1 >"$log" 2>&1; then
        printf 'ok    %-12s %s inputs\n' "$1" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        tail -40 "$log"
        printf 'FAIL  %s\n' "$1"
        return 1
    fi
}
failed=0
running=()
for target in "${targets[@]}"; do
    run "$target" &
    running+=($!)
    if [ ${#running[@]} -ge 2 ]; then
        wait "${running[0]}" || failed=1
        running=("${running[@]:1}")
    fi
done
for pid in "${running[@]}"; do wait "$pid" || failed=1; done
exit $failed
