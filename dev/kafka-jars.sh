# shellcheck shell=bash
# Downloads Kafka's own classes (Apache's published jars), against which settings are checked. Sourced, never run; `here` is dev/.
# shellcheck source=dev/apt.sh
. "$here/apt.sh"

need_jdk_and_maven() {
  local missing=()
  have javac || missing+=(default-jdk-headless)
  have mvn || missing+=(maven)
  if [ ${#missing[@]} -gt 0 ]; then
    can_install || die "install a JDK 17 and Maven first (${missing[*]})"
    install_packages "${missing[@]}"
  fi
}

# kmk_version NAME: KAFKA_VERSION or NEXT_KAFKA_VERSION
kmk_version() { sed -nE "s/^pub const $1: &str = \"([^\"]+)\";.*/\1/p" "$here/../src/core/topology/image.rs"; }

# kafka_jars VERSION: the directory with the jars; downloaded once
kafka_jars() {
  local version=$1 name jars=$here/../target/kafka-jars/$1 work
  [ ! -d "$jars" ] || { echo "$jars"; return; }
  work=$(mktemp -d)
  {
    echo '<project><modelVersion>4.0.0</modelVersion>'
    echo '<groupId>kmk</groupId><artifactId>settings</artifactId><version>1</version><dependencies>'
    for name in connect-mirror kafka-storage kafka-server; do
      echo "<dependency><groupId>org.apache.kafka</groupId><artifactId>$name</artifactId><version>$version</version></dependency>"
    done
    echo '</dependencies></project>'
  } >"$work/pom.xml"
  timeout 900 mvn -q -B -U -f "$work/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$work/jars" >"$work/maven.log" 2>&1 ||
    { tail -n 20 "$work/maven.log" >&2; die "Kafka $version could not be downloaded"; }
  mkdir -p "$here/../target/kafka-jars"
  mv "$work/jars" "$jars"
  rm -r "$work"
  echo "$jars"
}
