#!/usr/bin/env bash
# Fuzzes targets in turn, two at a time at most, and tells for each what it took and what it found.
#
#   fuzz/run.sh                            every target, 30 minutes of CPU each
#   fuzz/run.sh values links --minutes 5   these, 5 minutes each
#   fuzz/run.sh --in-all 30                every target until all runs on record come to 30 minutes
#   fuzz/run.sh --report                   what all runs so far came to
#   fuzz/run.sh --minimise                 writes what is worth keeping into fuzz/corpus, and removes the rest
#
# Needs nightly and `cargo install cargo-fuzz`. NICE (19), JOBS (2), SLICE (seconds a turn, 120) and NO_BUILD may be set. CPU time is the
# processes' own, so it means the same on a busy machine. What a target found lies in fuzz/artifacts/TARGET; replay it
# with `cargo run -p layer-fuzz -- run TARGET FILE`.
set -euo pipefail
cd "$(dirname "$0")"

log=target/runs.tsv # target, CPU seconds, executions, edges, findings
seeds=target/seeds
triple=$(rustc +nightly -vV | sed -n 's/^host: //p')

all=$(sed -n 's/^layer_fuzzers::fuzzer!("\(.*\)");$/\1/p' fuzz_targets/*.rs)
minutes=30
mode=run
targets=()
while [ $# -gt 0 ]; do
    case $1 in
    --minutes) minutes=$2; shift ;;
    --in-all) minutes=$2; mode=in-all; shift ;;
    --report) mode=report ;;
    --minimise) mode=minimise ;;
    --slice-of) mode=slice; targets=("$2"); shift ;; # one turn: for this script itself
    -*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    *) grep -qxF "$1" <<<"$all" || { echo "no target is called $1; there are:" $all >&2; exit 2; }; targets+=("$1") ;;
    esac
    shift
done
[ ${#targets[@]} -gt 0 ] || mapfile -t targets <<<"$all"

options() { # target
    local max_len
    max_len=$(awk -v t="$1" '$1 == t { print $2 }' target/targets)
    echo "-max_len=$max_len -rss_limit_mb=1024 -timeout=10 -use_value_profile=1 -print_final_stats=1"
    case $1 in values | server_calls | packet | client_session | server_session) echo "-dict=$seeds/ids.dict" ;; esac
}

slice() { # target: one turn of it, no longer than it is due
    local target=$1 out=target/last-$1.log times status=0 turn=${SLICE:-120} due
    due=$((minutes * 60 - $(spent "$target") + 1))
    [ "$turn" -le "$due" ] || turn=$((due > 0 ? due : 1))
    mkdir -p "target/corpus/$target" "artifacts/$target" "corpus/$target"
    TIMEFORMAT='%U %S'
    times=$({ time nice -n "${NICE:-19}" "target/$triple/release/$target" $(options "$target") \
        -max_total_time="$turn" -artifact_prefix="artifacts/$target/" \
        "target/corpus/$target" "corpus/$target" "$seeds/$target" >"$out" 2>&1; } 2>&1) || status=$?
    # The limit of 10 seconds is one of wall time, which a busy machine may take for nothing; what does not take 10 seconds of
    # its own is no finding.
    local slow
    slow=$(sed -n "s|^.*Test unit written to \(artifacts/$target/timeout-[0-9a-f]*\)$|\1|p" "$out")
    if [ -n "$slow" ] && (ulimit -t 10; "target/$triple/release/$target" -timeout=1000 "$slow" >>"$out" 2>&1); then
        rm "$slow"
        status=0
    fi
    awk -v target="$target" -v times="$times" -v status="$status" '
        /^stat::number_of_executed_units/ { runs = $2 }
        /^#[0-9]+/ { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1); if (!runs) seen = substr($1, 2) }
        END { split(times, t, " "); printf "%s\t%.1f\t%d\t%d\t%d\n", target, t[1] + t[2], runs ? runs : seen, edges, status != 0 }
    ' "$out" >>"$log"
    [ "$status" = 0 ] || { echo "FOUND by $target:"; grep -aE -m1 -A3 'panicked at|ERROR: libFuzzer' "$out" || tail -5 "$out"; }
}

report() {
    printf '%-18s %10s %12s %8s %9s\n' target 'CPU s' executions edges findings
    [ ! -f "$log" ] || awk -F'\t' '
        { cpu[$1] += $2; runs[$1] += $3; if ($4 > edges[$1]) edges[$1] = $4; found[$1] += $5 }
        END { for (t in cpu) printf "%-18s %10.1f %12d %8d %9d\n", t, cpu[t], runs[t], edges[t], found[t] }' "$log" | sort
}

spent() { # target: CPU seconds since this run began, or of all runs on record
    tail -n +"$((begun + 1))" "$log" | awk -F'\t' -v t="$1" '$1 == t { s += $2 } END { printf "%d", s }'
}

begun=${BEGUN:-0}
case $mode in
report) report; exit ;;
slice) slice "${targets[0]}"; exit ;;
esac

[ -n "${NO_BUILD:-}" ] || cargo +nightly fuzz build --fuzz-dir . -s none
cargo run --quiet --manifest-path ../Cargo.toml -p layer-fuzz -- seeds "$seeds"
cargo run --quiet --manifest-path ../Cargo.toml -p layer-fuzz -- list >target/targets
touch "$log"

if [ "$mode" = minimise ]; then
    for target in "${targets[@]}"; do
        rm -rf target/kept
        mkdir -p target/kept "target/corpus/$target" "corpus/$target"
        # By edges alone: counters and value profiles would keep a file for every bit of a comparison.
        "target/$triple/release/$target" $(options "$target" | sed 's/-use_value_profile=1/-use_counters=0/') -merge=1 target/kept \
            "corpus/$target" "target/corpus/$target" "$seeds/$target" >"target/last-$target.log" 2>&1
        # Findings that were mended stay, whatever they cover.
        find "corpus/$target" -type f ! -name 'found-*' -delete
        # No more than a test can read in a moment and a repository can hold: evenly chosen, should there be more.
        find target/kept -type f -size -4k | sort | awk -v most=300 '{ files[NR] = $0 }
            END { for (i = 0; i < most && i < NR; i++) print files[int(i * (NR > most ? NR / most : 1)) + 1] }' |
            xargs -r cp -t "corpus/$target"
        printf '%-18s %s\n' "$target" "$(find "corpus/$target" -type f | wc -l) files, $(du -bs "corpus/$target" | cut -f1) bytes"
    done
    exit
fi

begun=$(wc -l <"$log")
[ "$mode" != in-all ] || begun=0
export BEGUN=$begun
while :; do
    due=()
    for target in "${targets[@]}"; do
        [ "$(spent "$target")" -ge $((minutes * 60)) ] || due+=("$target")
    done
    [ ${#due[@]} -gt 0 ] || break
    printf '%s\n' "${due[@]}" | xargs -P "${JOBS:-2}" -n 1 ./run.sh --minutes "$minutes" --slice-of
    report >target/report
done
report
