# shellcheck shell=bash disable=SC2154 # run.sh sets the rest
# What the ledger costs: `kmk verify` against `kmk produce` and `kmk consume` side by side, which count nothing but
# records; and its memory. Sourced by run.sh.
#
# Measures `ledger verify|bare`, records a second from the first process's start to the last one's end, and
# `ledger-memory verify`, MiB at most while LEDGER_MANY records are accounted for.

readonly LEDGER_RECORDS=1000000 LEDGER_SIZE=200 LEDGER_MANY=10000000

# A topic each, of three partitions, known to MirrorMaker before the clock starts.
measure_ledger() {
  local side began topic
  for side in verify bare; do
    topic=ledger-$side-$round
    kmk --quiet topic create "$topic" --cluster primary --partitions 3 >/dev/null
    kmk --quiet produce --topic "$topic" --messages 3 >/dev/null
    kmk --quiet consume --topic "primary.$topic" --messages 3 --timeout "${DEADLINE}s" >/dev/null ||
      cannot_measure ledger "$side"
    began=$(now)
    "ledger_$side" "$topic" >"$work/ledger.log" 2>&1 || cannot_measure ledger "$side" "$work/ledger.log"
    result ledger "$side" "$(per_second "$LEDGER_RECORDS" "$(seconds_since "$began")")"
  done
  # its memory is the same every time, and ten million records take more than a minute
  [ "$round" -gt 1 ] || ledger_memory
}

ledger_verify() { kmk --quiet verify --topic "$1" --messages "$LEDGER_RECORDS" --size "$LEDGER_SIZE" --timeout "${DEADLINE}s"; }

ledger_bare() {
  local reader
  kmk --quiet consume --topic "primary.$1" --messages $((LEDGER_RECORDS + 3)) --timeout "${DEADLINE}s" >"$work/ledger.records" &
  reader=$!
  kmk --quiet produce --topic "$1" --client wire --messages "$LEDGER_RECORDS" --size "$LEDGER_SIZE" && wait "$reader"
}

# The kernel keeps the most that a process ever had; it can be asked while the process lives.
ledger_memory() {
  local verifier peak=0 seen
  command "$kmk" --lab bench --quiet verify --messages "$LEDGER_MANY" --size 100 --timeout "${DEADLINE}s" >"$work/ledger.log" 2>&1 &
  verifier=$!
  while seen=$(awk '/^VmHWM:/ { print $2 }' "/proc/$verifier/status" 2>/dev/null) && [ -n "$seen" ]; do
    peak=$seen
    sleep 0.2
  done
  wait "$verifier" || cannot_measure ledger-memory kmk "$work/ledger.log"
  result ledger-memory verify $((peak / 1024))
}
