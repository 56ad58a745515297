#!/usr/bin/env bash
# `make bench`: measures kmk beside the stack a person would write by hand (baseline/), kcat and Kafka's own tools, in turn, in
# one run, from nothing. Writes BENCHMARKS.md and the pictures in docs/bench; says what it is doing on stderr.
#
#   dev/bench/run.sh                     everything, five rounds: an hour, and the build
#   dev/bench/run.sh --rounds 3 clients  a part, its tables on stdout; --help names the parts
#   dev/bench/run.sh --smallest          a little of everything, in some minutes: shows that it works, and no more
#
# It is no test: a goal that is not met is a "no" in the table. It fails only where something could not be measured. The
# numbers mean something on a machine that has nothing else to do.
set -euo pipefail
export LC_ALL=C PYTHONUTF8=1 # a decimal point, whatever the locale
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

dev/tools.sh python
case " $* " in *' --help '* | *' -h '*) exec python3 -B dev/bench/main.py --help ;; esac
python3 -B dev/bench/main.py --check "$@"

dev/engine.sh up
dev/tools.sh rust linker kcat
KMK_KAFKA_IMAGE=$(dev/kafka-image.sh)
export KMK_KAFKA_IMAGE KAFKA_IMAGE=$KMK_KAFKA_IMAGE # kmk's, and the hand-written stack's
# what is not judged need not be fast
case " $* " in *' --smallest '*) profile=dev directory=debug ;; *) profile=release directory=release ;; esac
cargo build --profile "$profile" --locked --bin kmk --example probe
BENCH_BINARIES=$(realpath "${CARGO_TARGET_DIR:-target}/$directory")
export BENCH_BINARIES
exec python3 -B dev/bench/main.py "$@"
