#!/usr/bin/env bash
# `make bench`: measures kmk and, in turn, a hand-written stack (baseline/), kcat and Kafka's own tools, from a fresh clone.
# Writes BENCHMARKS.md and the charts in docs/bench; reports progress on stderr.
#
#   dev/bench/run.sh                     everything, five rounds: an hour plus the build
#   dev/bench/run.sh --rounds 3 clients  one part, with its tables on stdout; --help lists the parts
#   dev/bench/run.sh --smallest          a little of everything, in some minutes: only shows that it works
#
# It is not a test: a missed goal shows as "no" in the table. It fails only if something cannot be measured. The numbers
# are meaningful only on an otherwise idle machine.
set -euo pipefail
export LC_ALL=C PYTHONUTF8=1 # a decimal point, whatever the locale
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

dev/tools.sh python
case " $* " in *' --help '* | *' -h '*) exec python3 -B dev/bench/main.py --help ;; esac
python3 -B dev/bench/main.py --check "$@"

dev/engine.sh up
dev/tools.sh rust linker kcat
KMK_KAFKA_IMAGE=$(dev/kafka-image.sh)
KMK_TOXIPROXY_IMAGE=$(dev/toxiproxy-image.sh)
export KMK_TOXIPROXY_IMAGE
export KMK_KAFKA_IMAGE KAFKA_IMAGE=$KMK_KAFKA_IMAGE # kmk's, and the hand-written stack's
# the smallest run is not compared, so a debug build will do
case " $* " in *' --smallest '*) profile=dev directory=debug ;; *) profile=release directory=release ;; esac
cargo build --profile "$profile" --locked --bin kmk --example probe
BENCH_BINARIES=$(realpath "${CARGO_TARGET_DIR:-target}/$directory")
export BENCH_BINARIES
exec python3 -B dev/bench/main.py "$@"
