#!/usr/bin/env bash
# Measures the whole client against its peers, and prints tables.
#   benchmarks/network/run.sh [requests] [files] [idle] [builds] [OPTIONS]     README.md says more, and so does --help
# Needs Rust, Python 3 with pip, Node 20 or newer with npm. What it installs and builds lies in target/.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=$here/target

case " $* " in *" --help "* | *" -h "*) exec python3 "$here/run.py" "$@" ;; esac

echo "building and installing…" >&2
cargo build --quiet --release --locked --manifest-path "$here/../../Cargo.toml" --target-dir "$target/server" \
    -p layer-test-server
cargo build --quiet --release --locked --manifest-path "$here/Cargo.toml" --target-dir "$target"
python3 -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --root-user-action ignore \
    --target "$target/python" --requirement "$here/requirements.txt" ||
    echo "Telethon cannot be installed" >&2
python3 -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --root-user-action ignore \
    --target "$target/tdlib" --requirement "$here/../../interop/requirements.txt" ||
    echo "TDLib cannot be installed" >&2
# A module finds its packages beside itself.
mkdir -p "$target/node"
cp "$here"/{package.json,package-lock.json,mtcute_client.mjs} "$target/node/"
(cd "$target/node" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
    echo "mtcute cannot be installed" >&2

export PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/run.py" "$@"
