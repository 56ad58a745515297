#!/usr/bin/env bash
# Runs the five commands of the README with a fresh build of `kmk`: produces to one cluster and consumes from both.
# Always removes the lab at the end.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# the debug build: a release takes minutes to link, and Kafka takes most of the time here
kmk=${CARGO_TARGET_DIR:-target}/debug/kmk
[ -x "$kmk" ] || { echo "demo: error: there is no $kmk: run 'make demo'" >&2; exit 1; }
kmk() { "$kmk" --lab demo "$@"; }

run() {
  printf '\n$ %s\n' "$*"
  "$@"
}

# 3: no such lab. An existing one belongs to the user and must not be destroyed.
status=0
kmk status >/dev/null 2>&1 || status=$?
if [ "$status" -ne 3 ]; then
  echo "demo: error: a lab named demo already exists: see it with 'kmk status', remove it with 'kmk destroy'" >&2
  exit 1
fi

workdir=$(mktemp -d)
export KMK_DIR=$workdir/kmk-lab
finish() {
  kmk destroy >/dev/null 2>&1 || echo "demo: error: the lab could not be removed: try 'kmk destroy'" >&2
  rm -rf "$workdir"
}
trap finish EXIT
trap 'exit 130' INT TERM

run kmk deploy
run kmk produce my_topic --messages 10
run kmk consume my_topic --cluster primary --messages 10
run kmk consume primary.my_topic --cluster secondary --messages 10
run kmk status
run kmk destroy
