#!/usr/bin/env bash
# Runs clients that this project did not write against the embedded data centre.
#   interop/run.sh                   everything, both clients at a time
#   interop/run.sh tdlib [WAY...]    the official TDLib: plain, dd, ee, socks5, socks5-password, http, http-password
#   interop/run.sh mtcute [WAY...]   mtcute: intermediate, padded, obfuscated, obfuscated-padded, websocket, mtproxy, mtproxy-dd, mtproxy-ee,
#                                    socks4, socks5, socks5-password, http, http-password
# Each way also with +pfs behind it, and with +faults, +files or +histories. Needs Rust, Python 3 with pip, Node 20 or newer with npm; installs the clients itself. README.md says more.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
target=${CARGO_TARGET_DIR:-$root/target}
site=$target/interop/python

fail() { echo "interop: $*" >&2; exit 1; }
for tool in cargo python3 node npm; do
    command -v "$tool" >/dev/null || fail "$tool is missing; Rust, Python 3 with pip, and Node 20 with npm are needed"
done
python3 -m pip --version >/dev/null 2>&1 || fail "pip is missing for $(python3 --version)"
node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' || fail "Node 20 or newer is needed, this is $(node --version)"

suites=(tdlib mtcute)
if [ $# -gt 0 ]; then
    suites=("$1")
    shift
fi

cargo build --manifest-path "$root/Cargo.toml" --target-dir "$target" --locked \
    -p layer-test-server --bin layer-test-server -p layer-client --example interop_peer --example interop_histories \
    --features layer-client/websocket
export LAYER_TEST_SERVER=$target/debug/layer-test-server
export LAYER_INTEROP_PEER=$target/debug/examples/interop_peer
export LAYER_INTEROP_HISTORIES=$target/debug/examples/interop_histories
export PYTHONDONTWRITEBYTECODE=1

install() { # suite
    case $1 in
    tdlib)
        python3 -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
            --target "$site" --requirement "$here/requirements.txt"
        ;;
    # No script of a package runs: the one native module, a SQLite, is not used.
    mtcute) (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) ;;
    *) fail "no suite $1: tdlib or mtcute" ;;
    esac
}

run() { # suite way...
    case $1 in
    tdlib) shift; python3 "$here/tdlib_scenario.py" "$site" "$@" ;;
    mtcute) shift; node --no-warnings --experimental-websocket "$here/mtcute_scenario.mjs" "$@" ;;
    esac
}

for suite in "${suites[@]}"; do install "$suite"; done

outputs=$(mktemp -d)
trap 'rm -r "$outputs"' EXIT
declare -A running=()
for suite in "${suites[@]}"; do
    : >"$outputs/$suite"
    run "$suite" "$@" >>"$outputs/$suite" 2>&1 &
    running[$suite]=$!
done

summaries=()
status=0
for suite in "${suites[@]}"; do
    # One after the other as they go on; what the others say meanwhile is shown when it is their turn.
    tail --pid "${running[$suite]}" -n +1 -f "$outputs/$suite"
    code=0
    wait "${running[$suite]}" || code=1
    summary=$(tail -n 1 "$outputs/$suite")
    # TDLib hung at its sign-in three times in many hundred scenarios, which nobody could bring about since: that is shown, and
    # tried once more by itself. What fails again has failed.
    mapfile -t failed < <(sed -n 's/^FAIL [^[]*\[\([^]]*\)\].*/\1/p' "$outputs/$suite" | sort -u)
    if [ $code -ne 0 ] && [ ${#failed[@]} -gt 0 ] && [ ${#failed[@]} -le 2 ]; then
        printf '\n%s: %s failed, and is tried once more by itself\n' "$suite" "${failed[*]}"
        if run "$suite" "${failed[@]}"; then
            summary="$summary (${failed[*]} passed when tried again)"
            code=0
        fi
    fi
    [ $code -eq 0 ] || status=1
    case $summary in
    *" passed, "*" failed"*) ;;
    *) summary="$suite: 0 passed, 1 failed (it ended before its summary)"; status=1 ;;
    esac
    summaries+=("$summary")
done

echo
printf '%s\n' "${summaries[@]}"
exit $status
