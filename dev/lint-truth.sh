#!/usr/bin/env bash
# Shows what each key of an mm2.properties file does, using Kafka's own classes (dev/lint-truth), and where `kmk lint`
# differs; it then ends with 1. Without a FILE it checks dev/lint-truth/samples and writes the results to
# dev/lint-truth/truth.txt, with which the test suite checks lint without a JVM.
#
#   dev/lint-truth.sh [--kafka VERSION]... [FILE...]   default: the two Kafka versions that kmk is tested with
#
# KMK is the kmk to use; by default one is built. Needs JDK 17 and Maven; the jars are downloaded once.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=dev/kafka-jars.sh
. "$here/kafka-jars.sh"

main() {
  local versions=() version jars status=0 kmk=${KMK:-$here/../target/debug/kmk}
  while [ "${1-}" = --kafka ]; do
    versions+=("${2:?--kafka needs a version}")
    shift 2
  done
  [ ${#versions[@]} -gt 0 ] || versions=("$(kmk_version KAFKA_VERSION)" "$(kmk_version NEXT_KAFKA_VERSION)")
  need_jdk_and_maven
  [ -n "${KMK:-}" ] || (cd "$here/.." && cargo build --quiet --locked)
  if [ $# -eq 0 ]; then
    look "$here"/lint-truth/samples/*.properties | cut -f 1,2 >"$here/lint-truth/truth.txt" || status=1
  else
    look "$@" || status=1
  fi
  return "$status"
}

look() { # FILE...
  local status=0
  for version in "${versions[@]}"; do
    jars=$(kafka_jars "$version")
    # slf4j complains about a missing logging library
    java -cp "$jars/*" "$here/lint-truth/Truth.java" "$kmk" "$version" "$@" 2> >(grep -v ^SLF4J >&2) || status=1
  done
  return "$status"
}

main "$@"
