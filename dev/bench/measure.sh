# shellcheck shell=bash
# The measurements of the bench, each one taken the same way on both sides. Sourced by run.sh.
#
# Each ends in `result ROW SIDE VALUE`: a line of $work/results, which table.sh reads. SIDE is kmk or other.

readonly TOPIC=my_topic      # the topic that is mirrored
readonly BACKLOG=200000      # for MirrorMaker: the hand-written one needs 10 s for these
readonly SETTLED=5           # seconds from the first mirrored record until memory is looked at
readonly DEADLINE=120        # seconds until something that does not happen is given up
readonly RUNS=20             # of a command that takes milliseconds
work='' prober=''            # the temporary directory; the process that looks for the first record

result() { # ROW SIDE VALUE
  printf '%s\t%s\t%s\n' "$@" >>"$work/results"
  say "  $1 ($2): $3"
}

cannot_measure() { # WHAT SIDE [FILE, what it said]
  [ -z "${3:-}" ] || tail -n 20 "$3" >&2 || true
  die "could not measure '$1' ($2)"
}

now() { echo "${EPOCHREALTIME/[.,]/}"; } # microseconds
seconds_since() { awk -v us="$(($(now) - $1))" 'BEGIN { printf "%.3f", us / 1e6 }'; }
per_second() { awk -v n="$1" -v s="$2" 'BEGIN { printf "%.0f", n / s }'; }

# --- a stack ----------------------------------------------------------------------------------------------------------

# first_record SIDE PRIMARY SECONDARY COMMAND...: seconds from the start of the command that brings the stack up until
# kcat has read on the secondary what it wrote on the primary as soon as that answered; and until the command returned.
first_record() {
  local side=$1 primary=$2 secondary=$3 began
  shift 3
  began=$(now)
  { probe "$primary" "$secondary" && seconds_since "$began" >"$work/first"; } &
  prober=$!
  "$@" >"$work/up.log" 2>&1 || cannot_measure deploy "$side" "$work/up.log"
  result deploy "$side" "$(seconds_since "$began")"
  wait "$prober" || cannot_measure first "$side"
  prober=''
  result first "$side" "$(cat "$work/first")"
}

probe() { # PRIMARY SECONDARY
  local quick=(-X reconnect.backoff.max.ms=100) deadline=$((SECONDS + DEADLINE))
  until echo hello | kcat -P -b "$1" -t "$TOPIC" -X message.timeout.ms=2000 "${quick[@]}" 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
  until [ "$(kcat -C -q -b "$2" -t "primary.$TOPIC" -o beginning -e -c 1 \
    -X allow.auto.create.topics=false "${quick[@]}" 2>/dev/null)" = hello ]; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

# memory SIDE PROJECT: MiB of all containers, some seconds after the first record.
memory() {
  look_at_memory "$1" "$2"
  result memory "$1" "$(mebibytes '')"
}

look_at_memory() { # SIDE PROJECT
  sleep "$SETTLED"
  docker ps -q --filter "label=com.docker.compose.project=$2" |
    xargs docker stats --no-stream --format '{{.Name}} {{.MemUsage}}' >"$work/stats" || cannot_measure memory "$1"
}

mebibytes() { # CONTAINERS, an awk pattern; empty for all
  awk "$1"' {
    if (/MiB \//) sum += $2
    if (/GiB \//) sum += $2 * 1024
  }
  END { printf "%.0f", sum }' "$work/stats"
}

# mirroring SIDE PROJECT SERVICE PRIMARY SECONDARY: records a second that MirrorMaker copies from a topic it knows.
# It is paused while they are written, so that all of them are there when the clock starts.
mirroring() {
  local side=$1 project=$2 service=$3 primary=$4 secondary=$5 mirror wanted began deadline
  mirror=$(docker ps -q --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.service=$service")
  docker pause "$mirror" >/dev/null || cannot_measure mirroring "$side"
  kcat -P -b "$primary" -t "$TOPIC" -l "$work/backlog" || cannot_measure mirroring "$side"
  wanted=$(end_offset "$primary" "$TOPIC")
  began=$(now)
  deadline=$((SECONDS + DEADLINE))
  docker unpause "$mirror" >/dev/null
  until [ "$(end_offset "$secondary" "primary.$TOPIC")" -ge "$wanted" ]; do
    [ "$SECONDS" -lt "$deadline" ] || cannot_measure mirroring "$side"
    sleep 0.02
  done
  result mirroring "$side" "$(per_second "$BACKLOG" "$(seconds_since "$began")")"
}

end_offset() { # BROKER TOPIC, of partition 0
  kcat -Q -b "$1" -t "$2:0:-1" | sed -nE 's/.* offset ([0-9]+)$/\1/p'
}

# --- a command --------------------------------------------------------------------------------------------------------

# answering ROW SIDE COMMAND...: milliseconds of one run, the mean of many.
answering() {
  local row=$1 side=$2 began run
  shift 2
  began=$(now)
  for ((run = 0; run < RUNS; run++)); do
    "$@" >"$work/client.log" 2>&1 || cannot_measure "$row" "$side" "$work/client.log"
  done
  result "$row" "$side" "$(awk -v us="$(($(now) - began))" -v runs="$RUNS" 'BEGIN { printf "%.1f", us / 1e3 / runs }')"
}
