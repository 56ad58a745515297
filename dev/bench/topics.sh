# shellcheck shell=bash disable=SC2154 # run.sh sets the rest
# How long `kmk status` and `kmk lag` take with ever more topics, all mirrored. Sourced by run.sh.
#
# Measures `topics-COUNT status` and `topics-COUNT lag`, in milliseconds.

readonly TOPIC_COUNTS=(1 100 1000)

measure_topics() {
  local count made=0
  kmk_deploy >"$work/up.log" 2>&1 || cannot_measure deploy kmk "$work/up.log"
  for count in "${TOPIC_COUNTS[@]}"; do
    while [ "$made" -lt "$count" ]; do
      made=$((made + 1))
      kmk --quiet topic create "many-$made" --cluster primary --partitions 1 >/dev/null
    done
    until_mirrored "$count"
    answering "topics-$count" status kmk status
    answering "topics-$count" lag kmk lag
  done
  kmk --quiet destroy >/dev/null
}

until_mirrored() { # COUNT
  local deadline=$((SECONDS + DEADLINE))
  until [ "$(kcat -L -J -b "$KMK_SECONDARY" | grep -o '"topic":"primary\.many-[0-9]*"' | wc -l)" -ge "$1" ] &&
    kmk status >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || cannot_measure "topics-$1" kmk
    sleep 0.5
  done
}
