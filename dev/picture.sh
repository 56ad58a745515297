#!/usr/bin/env bash
# Makes the picture near the top of the README from a real run: the five commands, typed into a terminal of its own.
#
#   dev/picture.sh [FILE]   default: docs/demo.svg
#
# For those who release kmk, after a change to what it says; needs Python 3.8 or later, and the ports and the name of
# the default lab. The picture is an SVG that plays once, at the speed of the run, and stands still where motion is not
# wanted. Look at it in a browser before committing it.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=dev/apt.sh
. dev/apt.sh

main() {
  mkdir -p docs
  picture=$(realpath -m "${1:-docs/demo.svg}")
  prepare
  python3 -B dev/picture/main.py "$work" "$work/demo.svg" \
    'kmk deploy' \
    'kmk produce my_topic --messages 10' \
    'kmk consume primary.my_topic --cluster secondary --messages 10' \
    'kmk status' \
    'kmk destroy'
  cp "$work/demo.svg" "$picture"
  say "wrote $picture"
}

prepare() {
  have python3 || die "there is no python3, which draws the picture"
  dev/engine.sh up
  dev/tools.sh rust linker
  KMK_KAFKA_IMAGE=$(dev/kafka-image.sh)
  export KMK_KAFKA_IMAGE # so that the picture does not tell of this machine's registry
  cargo build --release --locked
  PATH=$(realpath "${CARGO_TARGET_DIR:-target}/release"):$PATH
  unset KMK_DIR NO_COLOR
  refuse_a_lab_that_is_there
  work=$(mktemp -d)
  trap finish EXIT
  trap 'exit 130' INT TERM HUP
}

# 3: there is no such lab. One that is there is somebody's, and not ours to destroy.
refuse_a_lab_that_is_there() {
  local status=0
  kmk status >/dev/null 2>&1 || status=$?
  [ "$status" -eq 3 ] || die "there is a lab named demo already: remove it with 'kmk destroy'"
}

finish() {
  local status=$?
  trap - EXIT
  (cd "$work" && kmk --quiet destroy >/dev/null) || say "the lab could not be removed: try 'kmk destroy'"
  rm -rf "$work"
  exit "$status"
}

main "$@"
