#!/usr/bin/env bash
# Prints on stdout the name of a Kafka image that this Docker engine has, and nothing else.
#
#   dev/kafka-image.sh [VERSION]   default: KAFKA_VERSION in src/core/topology/image.rs; `next`: NEXT_KAFKA_VERSION
#
# This is apache/kafka:VERSION if it exists or can be pulled. If no image registry answers, the script builds
# kmk-kafka:VERSION once: Apache's published jars on Debian's Java, with the interface of the official image (its CMD,
# KAFKA_* variables, /opt/kafka, user 1000, class-data archives). The build needs root on Debian or Ubuntu.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=dev/image.sh
. "$here/image.sh"

readonly JAVA_IMAGE=kmk-jre:21 # base layer of kmk-kafka images, kept for other versions

main() {
  case ${1-} in
    '') version=$(kmk_version KAFKA_VERSION) ;;
    next) version=$(kmk_version NEXT_KAFKA_VERSION) ;;
    *) version=$1 ;;
  esac
  [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "'$version' is no version of Kafka: it looks like 3.9.2"
  official=apache/kafka:$version
  standin=kmk-kafka:$version
  print_image "$official" "$standin" build
}

build() {
  clean_up # leftovers of a killed build
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP
  install_tools
  mkdir -p "$root"/{opt/kafka/{bin,libs,config},etc/kafka/{docker,secrets},var/lib/kafka/data,mnt/shared/config,usr/logs}
  choose_for_version
  build_java_image
  download_jars
  write_configuration
  write_programs
  write_entry_point
  write_recorder
  assemble
}

readonly work=/var/tmp/kmk-image # one build at a time, because of the lock
readonly root=$work/root         # the files on top of the Java image
readonly container=kmk-image-build

clean_up() {
  docker rm -fv "$container" >/dev/null 2>&1 || true
  rm -rf --one-file-system "$work" # mmdebstrap mounts things there
}

install_tools() {
  local missing=()
  have mmdebstrap || missing+=(mmdebstrap)
  have mvn || missing+=(maven)
  [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

# Kafka 4 replaced reload4j by log4j 2 and moved its console producer to another package; 3.8 had moved other tools.
choose_for_version() {
  console_consumer=org.apache.kafka.tools.consumer.ConsoleConsumer
  consumer_groups=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
  case $version in
    [0-2].* | 3.[0-7].*)
      console_consumer=kafka.tools.ConsoleConsumer
      consumer_groups=kafka.admin.ConsumerGroupCommand
      ;;
  esac
  case $version in
    [0-3].*)
      log_jar='org.slf4j:slf4j-reload4j:1.7.36'
      log_config=log4j.properties
      log_option=-Dlog4j.configuration=file:
      console_producer=kafka.tools.ConsoleProducer
      ;;
    *)
      log_jar='org.apache.logging.log4j:log4j-slf4j-impl:2.25.1'
      log_config=log4j2.xml
      log_option=-Dlog4j2.configurationFile=
      console_producer=org.apache.kafka.tools.ConsoleProducer
      ;;
  esac
}

# Debian 12 has no Java 21, so the layer is always built from Debian 13.
build_java_image() {
  ! is_here "$JAVA_IMAGE" || return 0
  local mirror keyring
  refresh_apt_lists
  mirror=$(debian_mirror)
  keyring=$(debian_keyring)
  say "making $JAVA_IMAGE"
  # shellcheck disable=SC2086 # no mirror is no argument: mmdebstrap knows Debian's own
  TMPDIR=$work timeout 900 mmdebstrap --quiet --variant=minbase --include=openjdk-21-jre-headless \
    ${keyring:+--keyring="$keyring"} trixie "$work/java.tar" $mirror
  docker import -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    "$work/java.tar" "$JAVA_IMAGE" >/dev/null
}

download_jars() {
  say "downloading Kafka $version"
  {
    echo '<project><modelVersion>4.0.0</modelVersion>'
    echo '<groupId>kmk</groupId><artifactId>image</artifactId><version>1</version><dependencies>'
    local jar group artifact number
    for jar in org.apache.kafka:{kafka_2.13,kafka-tools,connect-mirror}:"$version" "$log_jar"; do
      IFS=: read -r group artifact number <<<"$jar"
      echo "<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$number</version></dependency>"
    done
    echo '</dependencies></project>'
  } >"$work/pom.xml"
  # -U: retry downloads that failed before
  timeout 900 mvn -q -B -U -f "$work/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$root/opt/kafka/libs" >"$work/maven.log" 2>&1 ||
    { tail -n 20 "$work/maven.log"; die "Kafka $version could not be downloaded"; }
}

write_configuration() {
  log_level INFO >"$root/opt/kafka/config/$log_config"
  log_level WARN >"$root/opt/kafka/config/tools-$log_config"
  cp "$root/opt/kafka/config"/*log4j* "$root/etc/kafka/docker/"
  cat >"$root/etc/kafka/docker/server.properties" <<'END'
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
advertised.listeners=PLAINTEXT://localhost:9092
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=/tmp/kraft-combined-logs
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
END
}

# log_level LEVEL: logs that level and above to the console, in the format of this version's logging library.
log_level() {
  case $log_config in
    *.properties)
      echo "log4j.rootLogger=$1, stdout"
      echo 'log4j.appender.stdout=org.apache.log4j.ConsoleAppender'
      echo 'log4j.appender.stdout.layout=org.apache.log4j.PatternLayout'
      echo 'log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n'
      ;;
    *.xml)
      echo '<Configuration>'
      echo '  <Appenders><Console name="stdout"><PatternLayout pattern="[%d] %p %m (%c)%n"/></Console></Appenders>'
      echo "  <Loggers><Root level=\"$1\"><AppenderRef ref=\"stdout\"/></Root></Loggers>"
      echo '</Configuration>'
      ;;
  esac
}

write_programs() {
  run_class
  local logging="export KAFKA_LOG4J_OPTS=\"\${KAFKA_LOG4J_OPTS:-${log_option}/opt/kafka/config/$log_config}\""
  program kafka-server-start.sh kafka.Kafka \
    "export KAFKA_HEAP_OPTS=\"\${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G}\"; $logging"
  program connect-mirror-maker.sh org.apache.kafka.connect.mirror.MirrorMaker \
    "export KAFKA_HEAP_OPTS=\"\${KAFKA_HEAP_OPTS:--Xms256M -Xmx2G}\"; $logging"
  program kafka-storage.sh kafka.tools.StorageTool
  program kafka-topics.sh org.apache.kafka.tools.TopicCommand
  program kafka-configs.sh kafka.admin.ConfigCommand
  program kafka-consumer-groups.sh "$consumer_groups"
  program kafka-get-offsets.sh org.apache.kafka.tools.GetOffsetShell
  program kafka-delete-records.sh org.apache.kafka.tools.DeleteRecordsCommand
  program kafka-console-producer.sh "$console_producer"
  program kafka-console-consumer.sh "$console_consumer"
  program kafka-producer-perf-test.sh org.apache.kafka.tools.ProducerPerformance
  program kafka-consumer-perf-test.sh org.apache.kafka.tools.ConsumerPerformance
  chmod +x "$root/opt/kafka/bin"/*.sh
}

# program NAME CLASS [SET-UP]
program() {
  printf '%s\n' '#!/usr/bin/env bash' ${3:+"$3"} "exec /opt/kafka/bin/kafka-run-class.sh $2 \"\$@\"" >"$root/opt/kafka/bin/$1"
}

run_class() {
  {
    echo '#!/usr/bin/env bash'
    echo ": \"\${KAFKA_LOG4J_OPTS:=${log_option}/opt/kafka/config/tools-$log_config}\""
    cat <<'END'
: "${KAFKA_JVM_PERFORMANCE_OPTS:=-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35}"
exec java ${KAFKA_HEAP_OPTS:--Xmx256M} $KAFKA_JVM_PERFORMANCE_OPTS $KAFKA_LOG4J_OPTS \
  -cp "$(printf '%s:' /opt/kafka/libs/*.jar)" ${KAFKA_OPTS:-} "$@"
END
  } >"$root/opt/kafka/bin/kafka-run-class.sh"
}

# The image's CMD: KAFKA_* variables into server.properties, format the log directory, start the broker.
write_entry_point() {
  cat >"$root/etc/kafka/docker/run" <<'END'
#!/usr/bin/env bash
set -eu
export CLUSTER_ID=${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}
options=${KAFKA_JVM_PERFORMANCE_OPTS-}
out=$(KAFKA_JVM_PERFORMANCE_OPTS="$options -XX:SharedArchiveFile=/opt/kafka/storage.jsa" \
  /opt/kafka/bin/kafka-run-class.sh kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
  --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) \
  || echo "$out" | grep -i "already formatted" || { echo "$out"; exit 1; }
export KAFKA_JVM_PERFORMANCE_OPTS="$options -XX:SharedArchiveFile=/opt/kafka/kafka.jsa"
exec /opt/kafka/bin/kafka-server-start.sh /opt/kafka/config/server.properties
END
  chmod +x "$root/etc/kafka/docker/run"
}

# The official image contains class-data archives of the formatter and of the broker. Recording them runs a broker and
# sends a compressed record through it, so an image that does not work is never printed.
write_recorder() {
  cat >"$root/record.sh" <<'END'
set -euo pipefail
useradd -m -u 1000 appuser
cd /opt/kafka/bin
configuration=/etc/kafka/docker/server.properties
KAFKA_JVM_PERFORMANCE_OPTS="-Xlog:disable -XX:ArchiveClassesAtExit=/opt/kafka/storage.jsa" \
  ./kafka-storage.sh format -t 5L6g3nShT-eMCtK--X86sw -c $configuration
KAFKA_JVM_PERFORMANCE_OPTS="-Xlog:disable -XX:ArchiveClassesAtExit=/opt/kafka/kafka.jsa" \
  ./kafka-server-start.sh $configuration & broker=$!
at='--bootstrap-server localhost:9092 --topic t'
./kafka-topics.sh --create $at
echo hello | ./kafka-console-producer.sh $at --compression-codec zstd
[ "$(./kafka-console-consumer.sh $at --from-beginning --max-messages 1 --timeout-ms 30000)" = hello ]
kill $broker
wait $broker || true
test -s /opt/kafka/storage.jsa && test -s /opt/kafka/kafka.jsa
rm -rf /tmp/* /record.sh
chown -R 1000:1000 /opt/kafka /etc/kafka /var/lib/kafka /mnt/shared /usr/logs
END
}

assemble() {
  local answer
  say "starting a broker in it"
  docker create --name "$container" --user 0 --network none --hostname localhost \
    "$JAVA_IMAGE" bash /record.sh >/dev/null
  answer=$(docker cp "$root/." "$container:/" 2>&1) || die "$answer"
  timeout 300 docker start -a "$container" >"$work/record.log" 2>&1 || {
    grep -v 'could not be established' "$work/record.log" | tail -n 40
    die "the broker in it did not do its work"
  }
  docker commit -c 'USER appuser' -c 'EXPOSE 9092' -c 'CMD ["/etc/kafka/docker/run"]' \
    -c 'VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]' \
    -c "LABEL org.opencontainers.image.description=\"stand-in for $official\"" "$container" "$standin" >/dev/null
}

main "$@"
