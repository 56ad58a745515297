#!/usr/bin/env bash
# `make test`: checks each rule once, from a fresh clone, stage by stage; stops at the first failure. `make matrix` runs it
# with `matrix`: the same rules again, on other Kafka versions and scenarios;
# what was seen goes into docs/matrix.md.
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
  stage "relay image" dev/toxiproxy-image.sh
  stage "matrix" matrix_tests
}

matrix_tests() {
  cargo test --locked --test e2e --no-run
  cargo test --locked --test e2e -- --ignored --test-threads=1 ::matrix:: 2>&1 | note
}

end_to_end() {
  cargo test --locked --test e2e --no-run
  cargo test --locked --test e2e -- --ignored --test-threads=1 --skip ::matrix:: 2>&1 | slowest
}

# Passes on what the tests print, and then names the ten that took longest.
slowest() {
  local line rows='' began=$SECONDS
  while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line =~ ^test\ ([a-z_:0-9]+)\ \.\.\.\ (ok|FAILED)$ ]] || continue
    rows+="$((SECONDS - began)) s  ${BASH_REMATCH[1]}"$'\n'
    began=$SECONDS
  done
  printf '\nThe slowest:\n'
  sort -rn <<<"$rows" | sed -n 1,10p
}

# Passes on what the tests print, and writes down what was seen of each.
note() {
  local line rows='' began=$SECONDS
  while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line =~ ^test\ ([a-z_]+)::matrix::([a-z0-9_]+)\ \.\.\.\ (ok|FAILED)$ ]] || continue
    rows+="| ${BASH_REMATCH[1]//_/ } | ${BASH_REMATCH[2]//_/ } | ${BASH_REMATCH[3]} | $((SECONDS - began)) |"$'\n'
    began=$SECONDS
  done
  [ -z "$rows" ] || seen "$rows" >docs/matrix.md
}

seen() { # ROWS
  cat <<EOF
# What \`make matrix\` has seen

\`make test\` proves each rule once, on the default Kafka. \`make matrix\` proves the same rules with everything else: each Kafka, each
scenario, Ctrl-C at each stage of each command. This page is written by its last run on a maintainer's machine; a
[workflow](../.github/workflows/matrix.yml) runs it every night.

Run on $(date --utc +%F), at commit $(git rev-parse --short HEAD), with $(dev/kafka-image.sh) and $(dev/kafka-image.sh next).

| subject | test | seen | s |
|---|---|---|---:|
${1%$'\n'}
EOF
}

rules() {
  stage "tools" dev/tools.sh rust linker kcat network python
  stage "engine" dev/engine.sh up
  stage "image" dev/kafka-image.sh
  stage "relay image" dev/toxiproxy-image.sh
  stage "format" cargo fmt --all --check
  stage "lint" cargo clippy --all-targets --locked -- -D warnings
  stage "docs" env RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked
  # most of them wait
  stage "unit and suite" env RUST_TEST_THREADS=4 cargo test --locked
  stage "benches" cargo test --locked --benches
  stage "end to end" end_to_end
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
