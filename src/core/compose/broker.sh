# Starts the broker from the variables KAFKA_* as the image does, but without the extra JVM that formats an empty log
# directory: for Kafka 3.9 formatting only writes two IDs.
config=/opt/kafka/config/server.properties
data=$KAFKA_LOG_DIRS/meta.properties
formatted_by_ids() {
  set -- /opt/kafka/libs/kafka-server-common-3.9.*.jar
  [[ -e $1 ]]
}
if [[ ! -e $data ]] && ! formatted_by_ids; then exec /etc/kafka/docker/run; fi
for variable in "${!KAFKA_@}"; do
  case $variable in
    KAFKA_VERSION | KAFKA_OPTS | KAFKA_*_OPTS | KAFKA_JMX_* | KAFKA_*LOG4J_*) continue ;; # for the JVM, not the broker
  esac
  key=${variable#KAFKA_} key=${key,,} key=${key//_/.} key=${key//.../-} key=${key//../_}
  printf '%s=%s\n' "$key" "${!variable}"
done >"$config" || exit
if [[ ! -e $data ]]; then
  mkdir -p "$KAFKA_LOG_DIRS"
  # written atomically
  printf 'version=1\ncluster.id=%s\nnode.id=%s\n' "$CLUSTER_ID" "$KAFKA_NODE_ID" >"$data.new" &&
    mv "$data.new" "$data" || exit
fi
KAFKA_JVM_PERFORMANCE_OPTS+=' -XX:SharedArchiveFile=/opt/kafka/kafka.jsa'
echo 'kmk: starting the broker'
exec /opt/kafka/bin/kafka-server-start.sh "$config"
