# shellcheck shell=bash disable=SC2154 # run.sh sets the rest
# Both clients of kmk against kcat, on the primary of a lab: records of several sizes, into and out of topics of one
# partition and of several. Sourced by run.sh.
#
# Each measurement ends in `result produce-SIZE-PARTITION_COUNTS SIDE VALUE`, or consume; SIDE is wire, kafka or kcat.

readonly SIZES=(100 1000) PARTITION_COUNTS=(1 6)
# One order a round: a broker still has to do with the client before, so each of them comes after each other one.
readonly ORDERS=('wire kafka kcat' 'kcat kafka wire' 'kafka kcat wire' 'wire kcat kafka' 'kcat wire kafka' 'kafka wire kcat')
declare -rA RECORDS=([100]=1000000 [1000]=200000)

# Lines that differ, as events or log lines do; of SIZE bytes without the newline.
write_records() {
  local size
  for size in "${SIZES[@]}"; do
    awk -v n="${RECORDS[$size]}" -v pad=$((size - 64)) 'BEGIN {
      while (i++ < n) printf "{\"id\":%08d,\"region\":\"eu-west\",\"amount\":%010d,\"note\":\"%0*d\"}\n", i, i * 7919 % 1000003, pad, i
    }' >"$work/records-$size"
  done
}

measure_clients() {
  local size partitions side
  for size in "${SIZES[@]}"; do
    for partitions in "${PARTITION_COUNTS[@]}"; do
      for side in ${ORDERS[(round - 1) % ${#ORDERS[@]}]}; do
        produce_and_consume
      done
    done
  done
}

produce_and_consume() {
  local topic="load-$side-$size-$partitions-$round" file=$work/records-$size records=${RECORDS[$size]}
  kmk --quiet topic create "$topic" --cluster primary --partitions "$partitions" >"$work/client.log" 2>&1 ||
    cannot_measure "topic $topic" kmk "$work/client.log"
  sync # what the one before wrote is on the disk, and slows down nobody
  case $side in
    kcat)
      timed produce kcat -P -b "$KMK_PRIMARY" -t "$topic" -l "$file"
      timed consume kcat -C -q -b "$KMK_PRIMARY" -t "$topic" -o beginning -e -c "$records"
      ;;
    *)
      # told the address, as kcat is
      timed produce kmk produce --bootstrap "$KMK_PRIMARY" --client "$side" --topic "$topic" --file "$file"
      timed consume kmk consume --bootstrap "$KMK_PRIMARY" --client "$side" --topic "$topic" --messages "$records"
      ;;
  esac
  [ "$(wc -c <"$file")" -eq "$(cat "$work/bytes")" ] || cannot_measure "consume-$size-$partitions" "$side" "$work/client.log"
  # the memory that holds its pages is the next one's
  kmk --quiet topic delete "$topic" --cluster primary >/dev/null
}

# timed VERB COMMAND...: records a second of a whole process that writes into a pipe.
timed() {
  local verb=$1 began took
  shift
  began=$(now)
  "$@" 2>"$work/client.log" | wc -c >"$work/bytes" || cannot_measure "$verb-$size-$partitions" "$side" "$work/client.log"
  took=$(seconds_since "$began")
  result "$verb-$size-$partitions" "$side" "$(per_second "$records" "$took")"
}
