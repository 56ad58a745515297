#!/usr/bin/env bash
# Writes src/core/mirrormaker/settings/table.txt: every setting that MirrorMaker or a broker reads, its valid values, and which of
# the two Kafka versions that kmk is tested with have it. The source is Kafka's own configuration definitions
# (dev/mm2-settings) in Apache's published jars. Run it after changing KAFKA_VERSION or NEXT_KAFKA_VERSION; needs JDK 17
# and Maven.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=dev/kafka-jars.sh
. "$here/kafka-jars.sh"
readonly table=$here/../src/core/mirrormaker/settings/table.txt

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
    echo "# Every setting that MirrorMaker or a broker reads: kind, key, type, which Kafka has it, and what values it takes where not all"
    echo "# of the type (dev/mm2-settings/Settings.java; two where the Kafkas differ). Made by dev/mm2-settings.sh."
    echo "# Kafka $old $new"
    awk -v old="$old" -v new="$new" '
      function put(setting, type, kafka, before, now) {
        values = before == now ? (now == "-" ? "" : " " now) : " " before " " now
        print setting, type, kafka values
      }
      # if the type has changed, the newer one counts
      FNR == NR { first[$1 " " $2] = $3; taken[$1 " " $2] = $4; next }
      ($1 " " $2) in first { put($1 " " $2, $3, "both", taken[$1 " " $2], $4); delete first[$1 " " $2]; next }
      { put($1 " " $2, $3, new, $4, $4) }
      END { for (setting in first) put(setting, first[setting], old, taken[setting], taken[setting]) }' \
      "$work/$old.txt" "$work/$new.txt" | LC_ALL=C sort
  } >"$work/table.txt"
  mv "$work/table.txt" "$table"
  say "wrote $(wc -l <"$table") lines"
}

# settings VERSION: into $work/VERSION.txt
settings() {
  local jars
  jars=$(kafka_jars "$1")
  # slf4j complains about a missing logging library
  java -cp "$jars/*" "$here/mm2-settings/Settings.java" >"$work/$1.txt" 2> >(grep -v ^SLF4J >&2)
}

main "$@"
