# shellcheck shell=bash disable=SC2154 # run.sh sets the rest
# How deploy time and memory grow with the number of clusters: a hub, and the rest mirrored from it, each by a MirrorMaker
# of its own. Sourced by run.sh.
#
# Measures `deploy-COUNT kmk`, in seconds, and `memory-COUNT`, in MiB: of kmk, and as `expected` from what a broker and a
# MirrorMaker of the smallest lab took in the same round.

readonly CLUSTER_COUNTS=(2 4 8)

measure_clusters() {
  local count began broker=0 mirror=0
  for count in "${CLUSTER_COUNTS[@]}"; do
    hub_and_edges "$count" >"$work/hub.yml"
    began=$(now)
    kmk deploy --config "$work/hub.yml" --any-port >"$work/up.log" 2>&1 || cannot_measure "deploy-$count" kmk "$work/up.log"
    result "deploy-$count" kmk "$(seconds_since "$began")"
    look_at_memory kmk "$KMK_PROJECT"
    result "memory-$count" kmk "$(mebibytes '')"
    [ "$broker" != 0 ] || {
      broker=$(($(mebibytes '!/-mm2-/') / count))
      mirror=$(($(mebibytes '/-mm2-/') / (count - 1)))
    }
    result "memory-$count" expected $((count * broker + (count - 1) * mirror))
    kmk --quiet destroy >/dev/null
  done
}

hub_and_edges() { # COUNT
  local edge
  printf 'clusters:\n  - name: hub\n'
  for ((edge = 1; edge < $1; edge++)); do printf '  - name: edge-%d\n' "$edge"; done
  printf 'flows:\n'
  for ((edge = 1; edge < $1; edge++)); do printf '  - {from: hub, to: edge-%d}\n' "$edge"; done
}
