#!/usr/bin/env bash
# Writes src/core/mm2_settings/table.txt: every setting that MirrorMaker or a broker reads, what kind of value it takes, and which of
# the two Kafkas that kmk is tried with have it. Taken from Kafka's own configuration definitions (dev/mm2-settings),
# in Apache's published jars. Run it after a change of KAFKA_VERSION or NEXT_KAFKA_VERSION; needs a JDK 17 and Maven.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=dev/kafka-jars.sh
. "$here/kafka-jars.sh"
readonly table=$here/../src/core/mm2_settings/table.txt

main() {
  need_jdk_and_maven
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  local old new
  old=$(kmk_version KAFKA_VERSION)
  new=$(kmk_version NEXT_KAFKA_VERSION)
  settings "$old"
  settings "$new"
  {
    echo "# Every setting that MirrorMaker or a broker reads: kind, key, type, and which Kafka has it. Made by dev/mm2-settings.sh."
    echo "# Kafka $old $new"
    awk -v old="$old" -v new="$new" '
      # where the type has changed, the newer one counts
      FNR == NR { first[$1 " " $2] = $3; next }
      ($1 " " $2) in first { print $0, "both"; delete first[$1 " " $2]; next }
      { print $0, new }
      END { for (setting in first) print setting, first[setting], old }' "$work/$old.txt" "$work/$new.txt" | LC_ALL=C sort
  } >"$work/table.txt"
  mv "$work/table.txt" "$table"
  say "wrote $(wc -l <"$table") lines"
}

# settings VERSION: into $work/VERSION.txt
settings() {
  local jars
  jars=$(kafka_jars "$1")
  # with no logging library there, slf4j says so
  java -cp "$jars/*" "$here/mm2-settings/Settings.java" >"$work/$1.txt" 2> >(grep -v ^SLF4J >&2)
}

main "$@"
