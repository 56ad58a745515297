#!/usr/bin/env bash
# `make bench`: measures kmk against the stack a person would write by hand (baseline/) and against kcat, in turn, in one
# run, from nothing. Prints a table in Markdown on stdout, and what it is doing on stderr.
#
#   dev/bench/run.sh [ROUNDS [clients|clusters|ledger|topics]]   default: 3; about five minutes each, and the build
#
# With `clients`, only the clients are measured, in half a minute a round; with `clusters`, only labs of several sizes; with
# `ledger`, only what `kmk verify` costs; with `topics`, only how long kmk looks at many topics.
#
# It is no test: a goal that is not met is a "no" in the table. It fails only where something could not be measured. The
# numbers mean something on a machine that has nothing else to do.
set -euo pipefail
export LC_ALL=C # a decimal point, whatever the locale
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=dev/apt.sh
. dev/apt.sh
# shellcheck source=dev/bench/measure.sh
. dev/bench/measure.sh
# shellcheck source=dev/bench/clients.sh
. dev/bench/clients.sh
# shellcheck source=dev/bench/clusters.sh
. dev/bench/clusters.sh
# shellcheck source=dev/bench/ledger.sh
. dev/bench/ledger.sh
# shellcheck source=dev/bench/topics.sh
. dev/bench/topics.sh
# shellcheck source=dev/bench/table.sh
. dev/bench/table.sh

readonly ROUNDS=${1:-3} ONLY=${2:-}

# The two stacks are never up at once. What is called load.* is not mirrored while clients are measured: it would be
# MirrorMaker that is measured.
readonly KMK_PROJECT=kmk-bench KMK_PRIMARY=localhost:29192 KMK_SECONDARY=localhost:29292
readonly HAND_PROJECT=kmk_bench_by_hand HAND_PRIMARY=localhost:29092 HAND_SECONDARY=localhost:39092
kmk() { command "$kmk" --lab bench "$@"; }
kmk_deploy() { kmk deploy --port primary="${KMK_PRIMARY#*:}" --port secondary="${KMK_SECONDARY#*:}" --exclude 'load.*'; }
by_hand() { docker compose -p "$HAND_PROJECT" -f "$work/baseline/docker-compose.yml" "$@"; }

main() {
  [[ $ROUNDS =~ ^[1-9][0-9]*$ && $ONLY =~ ^(clients|clusters|ledger|topics)?$ ]] ||
    die "usage: dev/bench/run.sh [ROUNDS [clients|clusters|ledger|topics]]"
  [ -n "${EPOCHREALTIME:-}" ] || die "this is bash $BASH_VERSION, and 5 or later is needed, for its clock"
  prepare
  local round
  for ((round = 1; round <= ROUNDS; round++)); do
    say "round $round of $ROUNDS"
    case $ONLY in
      clients) measure_only_clients ;;
      clusters) measure_clusters ;;
      ledger) measure_only_ledger ;;
      topics) measure_topics ;;
      *)
        measure_kmk
        measure_by_hand
        measure_clusters
        measure_topics
        ;;
    esac
  done
  machine
  [ -n "$ONLY" ] || table
  is_measured ledger && ledger_table
  is_measured topics && topics_table
  is_measured clusters && growth_table
  is_measured clients && clients_table
  return 0
}

is_measured() { [ -z "$ONLY" ] || [ "$ONLY" = "$1" ]; }

prepare() {
  dev/engine.sh up
  dev/tools.sh rust linker kcat
  image=$(dev/kafka-image.sh)
  export KMK_KAFKA_IMAGE=$image KAFKA_IMAGE=$image
  cargo build --release --locked
  kmk=$(realpath "${CARGO_TARGET_DIR:-target}/release/kmk")
  refuse_a_lab_that_is_there

  work=$(mktemp -d)
  export KMK_DIR=$work/kmk-lab
  trap finish EXIT
  trap 'exit 130' INT TERM HUP
  cp -R dev/bench/baseline "$work"
  chmod -R a+rX "$work/baseline" # MirrorMaker reads its file as another user
  write_records
  head -n "$BACKLOG" "$work/records-100" >"$work/backlog"
}

# 3: there is no such lab. One that is there is somebody's, and not ours to destroy.
refuse_a_lab_that_is_there() {
  local status=0
  kmk status >/dev/null 2>&1 || status=$?
  [ "$status" -eq 3 ] || die "there is a lab named bench already: remove it with 'kmk destroy --lab bench'"
}

measure_only_clients() {
  kmk_deploy >"$work/up.log" 2>&1 || cannot_measure deploy kmk "$work/up.log"
  measure_clients
  kmk --quiet destroy >/dev/null
}

measure_only_ledger() {
  kmk_deploy >"$work/up.log" 2>&1 || cannot_measure deploy kmk "$work/up.log"
  measure_ledger
  kmk --quiet destroy >/dev/null
}

measure_kmk() {
  first_record kmk "$KMK_PRIMARY" "$KMK_SECONDARY" kmk_deploy
  memory kmk "$KMK_PROJECT"
  mirroring kmk "$KMK_PROJECT" mm2-secondary "$KMK_PRIMARY" "$KMK_SECONDARY"
  answering help kmk kmk --help
  answering status kmk kmk status
  measure_clients
  measure_ledger
  kmk --quiet destroy >/dev/null
}

measure_by_hand() {
  first_record other "$HAND_PRIMARY" "$HAND_SECONDARY" by_hand up -d
  memory other "$HAND_PROJECT"
  mirroring other "$HAND_PROJECT" mm2 "$HAND_PRIMARY" "$HAND_SECONDARY"
  by_hand down -v -t 0 >/dev/null 2>&1
}

# Whatever happened, nothing is left. What is paused cannot be stopped by every engine.
finish() {
  local status=$? containers
  trap - EXIT
  [ -z "$prober" ] || kill "$prober" 2>/dev/null || true
  containers=$(docker ps -q --filter status=paused --filter "label=com.docker.compose.project=$KMK_PROJECT"
    docker ps -q --filter status=paused --filter "label=com.docker.compose.project=$HAND_PROJECT")
  # shellcheck disable=SC2086 # a word each
  [ -z "$containers" ] || docker unpause $containers >/dev/null || true
  kmk --quiet destroy >/dev/null || say "the lab could not be removed: try 'kmk destroy --lab bench'"
  by_hand down -v -t 0 >/dev/null 2>&1 || say "try 'docker compose -p $HAND_PROJECT down -v'"
  rm -rf "$work"
  exit "$status"
}

main
