# shellcheck shell=bash disable=SC2016,SC2154 # the back quotes are Markdown's; run.sh sets the rest
# The bench's tables, in Markdown, from the lines that measure.sh and clients.sh wrote. Sourced by run.sh.

table() {
  echo
  echo '| measured | kmk | compared with | ratio | goal | met |'
  echo '|---|---|---|---|---|---|'
  row first '`kmk deploy` to the first record mirrored, s' 1 'kmk other' '-|written by hand' ratio '<=' 0.5
  row deploy '`kmk deploy` until it returns, s' 1 'kmk -'
  row memory "memory $SETTLED s after that record, MiB" 0 'kmk other' '-|written by hand' ratio '<=' 0.75
  row mirroring 'mirrored, records/s' 0 'kmk other' '-|written by hand'
  row help '`kmk --help`, ms' 0 'kmk -'
  row status '`kmk status`, ms' 0 'kmk -' '-|-' median '<' 300
  echo
  echo "Least / **median** / greatest of $ROUNDS, in turn; the ratio is that of the medians. Records of 100 B, one" \
    "partition. \"Written by hand\" is the stack in [dev/bench/baseline](dev/bench/baseline), in the same image."
}

# What exactness costs.
ledger_table() {
  echo
  echo '| measured | `kmk verify` | `kmk produce` and `kmk consume` | ratio | goal | met |'
  echo '|---|---|---|---|---|---|'
  row ledger 'from source to target, records/s' 0 'verify bare' '' ratio '>=' 0.8
  row ledger-memory "memory for $(thousands "$LEDGER_MANY") records, at most, MiB" 0 'verify -' '-|-' median '<' 191
  echo
  echo "$(thousands "$LEDGER_RECORDS") records of $LEDGER_SIZE B in three partitions, through MirrorMaker; whole processes," \
    "until the last record was read on the target. 191 MiB are 200 MB."
}

# What many topics cost.
topics_table() {
  local count
  echo
  echo '| topics, all mirrored | `kmk status`, ms | `kmk lag`, ms | ratio | goal | met |'
  echo '|---|---|---|---|---|---|'
  for count in "${TOPIC_COUNTS[@]}"; do
    row "topics-$count" "$(thousands "$count")" 0 'status lag' '' median '<' 1000
  done
}

# What more clusters cost.
growth_table() {
  local count
  echo
  echo '| clusters | kmk | so many brokers and MirrorMakers | ratio | goal | met |'
  echo '|---|---|---|---|---|---|'
  for count in "${CLUSTER_COUNTS[@]}"; do
    row "deploy-$count" "\`kmk deploy\` of $count until it returns, s" 1 'kmk -'
  done
  for count in "${CLUSTER_COUNTS[@]}"; do
    row "memory-$count" "memory of $count, $SETTLED s after, MiB" 0 'kmk expected' '' ratio '<=' 1.1
  done
  echo
  echo "A hub, and the others mirrored from it: a broker for each cluster, and a MirrorMaker for each but the hub. Deploy" \
    "returns once a record has crossed every flow. What is compared with: brokers and MirrorMakers of the lab of two, each" \
    "as often as the larger lab has them."
}

# Both clients of kmk against kcat.
clients_table() {
  local size partitions
  echo
  echo '| records/s | `--client wire` | `--client kafka` | kcat | wire ÷ kcat | goal | met |'
  echo '|---|---|---|---|---|---|---|'
  for size in "${SIZES[@]}"; do
    for partitions in "${PARTITION_COUNTS[@]}"; do
      row "produce-$size-$partitions" "produce, $(thousands "$size") B, $(partitions_in_words)" 0 'wire kafka kcat' '' ratio '>=' 1
    done
  done
  for size in "${SIZES[@]}"; do
    for partitions in "${PARTITION_COUNTS[@]}"; do
      row "consume-$size-$partitions" "consume, $(thousands "$size") B, $(partitions_in_words)" 0 'wire kafka kcat' '' ratio '>=' 1
    done
  done
  echo
  echo "Whole processes, from a file into a topic that is there, and from a topic into a pipe; all with \`acks=all\`, none" \
    "compressed. $(thousands "${RECORDS[100]}") records of 100 B, $(thousands "${RECORDS[1000]}") of 1,000 B."
}

thousands() { sed ':again; s/\B[0-9]\{3\}\b/,&/; t again' <<<"$1"; }

partitions_in_words() { if [ "$partitions" = 1 ]; then echo 'one partition'; else echo "$partitions partitions"; fi; }

row() { # ROW WHAT DECIMALS SIDES [NAMES [ratio|median OPERATOR GOAL]]
  awk -f dev/bench/row.awk -v row="$1" -v what="$2" -v decimals="$3" -v sides="$4" \
    -v names="${5:-}" -v of="${6:-}" -v operator="${7:-}" -v goal="${8:-}" "$work/results"
}

# As the engine sees it: that is where the work is done.
machine() {
  local cores memory system engine
  IFS='|' read -r cores memory system engine \
    < <(docker info --format '{{.NCPU}}|{{.MemTotal}}|{{.OperatingSystem}}|{{.ServerVersion}}')
  echo "$cores cores, $(((memory + 512 * 1024 ** 2) / 1024 ** 3)) GiB, $system, Docker $engine; $(kmk --version);" \
    "Kafka ${image##*:} ($image); $(kcat_version); $(date +%Y-%m-%d)"
}

kcat_version() { kcat -V | sed -nE 's/^Version ([^ ]+) .*/kcat \1/p'; }
