#!/usr/bin/env bash
# Writes src/core/mm2_settings/table.txt: every setting that MirrorMaker or a broker reads, what values it takes, and which of the
# two Kafkas that kmk is tried with have it. Taken from Kafka's own configuration definitions (dev/mm2-settings),
# in Apache's published jars. Run it after a change of KAFKA_VERSION or NEXT_KAFKA_VERSION; needs a JDK 17 and Maven.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=dev/apt.sh
. "$here/apt.sh"
readonly table=$here/../src/core/mm2_settings/table.txt

main() {
  local missing=()
  have javac || missing+=(default-jdk-headless)
  have mvn || missing+=(maven)
  if [ ${#missing[@]} -gt 0 ]; then
    can_install || die "install a JDK and Maven first (${missing[*]})"
    install_packages "${missing[@]}"
  fi
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
      # where the type has changed, the newer one counts
      FNR == NR { first[$1 " " $2] = $3; taken[$1 " " $2] = $4; next }
      ($1 " " $2) in first { put($1 " " $2, $3, "both", taken[$1 " " $2], $4); delete first[$1 " " $2]; next }
      { put($1 " " $2, $3, new, $4, $4) }
      END { for (setting in first) put(setting, first[setting], old, taken[setting], taken[setting]) }' \
      "$work/$old.txt" "$work/$new.txt" | LC_ALL=C sort
  } >"$work/table.txt"
  mv "$work/table.txt" "$table"
  say "wrote $(wc -l <"$table") lines"
}

kmk_version() { sed -nE "s/^pub const $1: &str = \"([^\"]+)\";.*/\1/p" "$here/../src/core/topology/image.rs"; }

# settings VERSION: into $work/VERSION.txt
settings() {
  local version=$1 name
  {
    echo '<project><modelVersion>4.0.0</modelVersion>'
    echo '<groupId>kmk</groupId><artifactId>settings</artifactId><version>1</version><dependencies>'
    for name in connect-mirror kafka-storage kafka-server; do
      echo "<dependency><groupId>org.apache.kafka</groupId><artifactId>$name</artifactId><version>$version</version></dependency>"
    done
    echo '</dependencies></project>'
  } >"$work/pom.xml"
  timeout 900 mvn -q -B -U -f "$work/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$work/$version" >"$work/maven.log" 2>&1 ||
    { tail -n 20 "$work/maven.log" >&2; die "Kafka $version could not be downloaded"; }
  # with no logging library there, slf4j says so
  java -cp "$work/$version/*" "$here/mm2-settings/Settings.java" >"$work/$version.txt" 2> >(grep -v ^SLF4J >&2)
}

main "$@"
