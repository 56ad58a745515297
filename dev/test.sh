#!/usr/bin/env bash
# `make test`: checks each rule once, from a fresh clone, stage by stage; stops at the first failure. `make matrix` runs it
# with `matrix`: the same rules again, on other Kafka versions and scenarios.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

main() {
  trap summary EXIT
  case ${1:-} in
    '') rules ;;
    matrix) matrix ;;
    *) echo "usage: dev/test.sh [matrix]" >&2; exit 2 ;;
  esac
}

matrix() {
  stage "tools" dev/tools.sh rust linker kcat network python
  stage "engine" dev/engine.sh up
  stage "image" dev/kafka-image.sh
  stage "next image" dev/kafka-image.sh next
  stage "matrix" cargo test --locked --test e2e -- --ignored --test-threads=1 ::matrix::
}

rules() {
  stage "tools" dev/tools.sh rust linker kcat network python
  stage "engine" dev/engine.sh up
  stage "image" dev/kafka-image.sh
  stage "next image" dev/kafka-image.sh next
  stage "format" cargo fmt --all --check
  stage "lint" cargo clippy --all-targets --locked -- -D warnings
  stage "docs" env RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked
  stage "unit and suite" cargo test --locked
  stage "benches" cargo test --locked --benches
  stage "end to end" cargo test --locked --test e2e -- --ignored --test-threads=1 --skip ::matrix::
  stage "smallest bench" smallest_bench
}

current='' times=''

# Checks that the benchmark works, not how fast kmk is.
smallest_bench() { dev/bench/run.sh --smallest >/dev/null; }

stage() { # NAME COMMAND...
  local began=$SECONDS
  current=$1
  shift
  printf '\n=== %s: %s\n' "$current" "$*"
  "$@"
  times+=$(printf '%-16s %4d s' "$current" $((SECONDS - began)))$'\n'
  current=''
}

summary() {
  local status=$?
  printf '\n%s' "$times"
  [ -z "$current" ] || printf '%-16s FAILED\n' "$current"
  printf '%-16s %4d s\n' total "$SECONDS"
  exit "$status"
}

main "$@"
