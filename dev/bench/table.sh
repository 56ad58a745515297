# shellcheck shell=bash disable=SC2016,SC2154 # the back quotes are Markdown's; run.sh sets the rest
# The bench's table, in Markdown, from the lines that measure.sh wrote. Sourced by run.sh.

table() {
  machine
  echo
  echo '| measured | kmk | compared with | ratio | goal | met |'
  echo '|---|---|---|---|---|---|'
  row first '`kmk deploy` to the first record mirrored, s' 1 'written by hand' ratio '<=' 0.5
  row deploy '`kmk deploy` until it returns, s' 1
  row memory "memory $SETTLED s after that record, MiB" 0 'written by hand' ratio '<=' 0.75
  row mirroring 'mirrored, records/s' 0 'written by hand'
  row new '`kmk produce` into a new topic, records/s' 0 kcat ratio '>=' 0.5
  row there '`kmk produce` into one that is there, records/s' 0 kcat ratio '>=' 0.5
  row consuming '`kmk consume`, records/s' 0 kcat ratio '>=' 0.33
  row help '`kmk --help`, ms' 0
  row status '`kmk status`, ms' 0 '' median '<' 300
  echo
  echo "Least / **median** / greatest of $ROUNDS, in turn; the ratio is that of the medians. Records of 100 B, one" \
    "partition. \"Written by hand\" is the stack in [dev/bench/baseline](dev/bench/baseline), in the same image."
}

row() { # ROW WHAT DECIMALS [NAME [ratio|median OPERATOR GOAL]]
  awk -f dev/bench/row.awk -v row="$1" -v what="$2" -v decimals="$3" \
    -v name="${4:-}" -v of="${5:-}" -v operator="${6:-}" -v goal="${7:-}" "$work/results"
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
