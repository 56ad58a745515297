#!/usr/bin/env bash
# Creates the README's picture from a real run: the five commands, typed into a separate terminal.
#
#   dev/picture.sh [FILE]   default: docs/demo.svg
#
# Run it before a release if kmk's output has changed. Needs Python 3.8 or later; the default lab's name and ports must be
# free. The picture is an SVG that plays once, at the speed of the run, or stays still if the viewer prefers reduced
# motion. Look at it in a browser before committing it.
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
  export KMK_KAFKA_IMAGE # keeps this machine's registry out of the picture
  cargo build --release --locked
  PATH=$(realpath "${CARGO_TARGET_DIR:-target}/release"):$PATH
  unset KMK_DIR NO_COLOR
  refuse_a_lab_that_is_there
  work=$(mktemp -d)
  trap finish EXIT
  trap 'exit 130' INT TERM HUP
}

# 3: no such lab. An existing one belongs to the user and must not be destroyed.
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
