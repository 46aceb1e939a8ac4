#!/usr/bin/env bash
# Each feature alone, none, all, and the default: each must compile without a warning. Run from anywhere.
set -eu
cd "$(dirname "$0")"
features=(tl-api tl-mtproto impl-debug impl-from-type impl-from-enum name-for-id impl-serde deserializable-functions)
check() {
    echo "layer-tl-types: $*"
    # A build that is there already says its warnings again.
    if ! output=$(cargo check --quiet -p layer-tl-types "$@" 2>&1) || [ -n "$output" ]; then
        echo "$output" >&2
        exit 1
    fi
}
check
check --no-default-features
check --all-features
for feature in "${features[@]}"; do
    check --no-default-features --features "$feature"
    # Alone, most of them have no definitions to work on.
    [ "$feature" = tl-api ] || check --no-default-features --features "tl-api,$feature"
done
check --no-default-features --features "tl-mtproto,deserializable-functions,impl-debug,impl-from-enum,impl-from-type"
