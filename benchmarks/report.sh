#!/usr/bin/env bash
# Measures everything and writes docs/benchmarks.md. The machine should have nothing else to do.
set -euo pipefail
cd "$(dirname "$0")"

table=$(cargo bench --quiet --bench crypto)
types=$(cargo bench --quiet --bench tl)
types="$types"$'\n'"$(cargo bench --quiet --bench allocations | tail -n +3)"
# Options for it may be given: report.sh --size 64M --rounds 1
network=$(network/run.sh "$@")
cpu=$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | sort -u | head -1)
flags=$(grep -m1 '^flags' /proc/cpuinfo | tr ' ' '\n' | grep -xE 'aes|vaes|avx512f|avx512ifma|sha_ni' | paste -sd' ')
{
    cat <<END
# Benchmarks

Written by \`benchmarks/report.sh\`; any part of it is \`cd benchmarks && cargo bench -- PART\` (ige, many, opening, factors,
powers). Both sides of a row are measured in turn in one process, 25 times for 20 ms or more; each figure is a median, and
the ratio the median of the rounds' ratios. Peers are at the versions in \`benchmarks/Cargo.lock\`, and both sides in the same
profile: \`opt-level = 3\`, fat LTO, one codegen unit.

Machine: $cpu, $(nproc) cores, Linux $(uname -r | cut -d. -f1,2); of what matters here it has $flags.
$(rustc --version). Revision $(git rev-parse --short HEAD).

## Cryptography

$table

The peer is grammers-crypto 0.11, for the powers num-bigint 0.5, whose time depends on the secret. "At least" is what was
set out for. One stream of IGE is as fast as the processor's AES instructions allow, for each block waits for the one before.

## TL
$types

The peers speak Layers 230 and 229; the values are the same, and so are their bytes but for the ids of five constructors. Of the
allocations 697 are texts, bytes and vectors, which all three have one of each; the rest are what the peers leave in their
place and we put in a box, so that a message takes 528 bytes and an update 56.

## The whole client

Written by \`benchmarks/network/run.sh\`; \`benchmarks/README.md\` says what is done and how it is fair. All clients talk with the
same embedded data centre on this machine. Where it was busy with a core or more, it is the server whose speed is seen, and
processor time is what counts.
$network
END
} >../docs/benchmarks.md
sed -n '/^## Crypt/,$p' ../docs/benchmarks.md
