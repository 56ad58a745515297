#!/bin/sh
# Stands first on PATH as `docker`: notes how it was called, and answers by the first rule that fits.
# A rule is a directory of files, see fake_docker.rs.
home=${0%/bin/docker}/fake
printf '%s\n' "$*" >>"$home/calls"

called() {
  while read -r call; do
    case $call in $1) return 0 ;; esac
  done <"$home/calls"
  return 1
}

for rule in "$home"/rules/*; do
  read -r pattern <"$rule/pattern"
  case "$*" in $pattern) ;; *) continue ;; esac
  [ -e "$rule/from" ] && ! called "$(cat "$rule/from")" && continue
  [ -e "$rule/until" ] && called "$(cat "$rule/until")" && continue
  case "$*" in compose*up*) printf '%s\n' "$KMK_KAFKA_IMAGE" >>"$home/images" ;; esac
  cat "$rule/out"
  cat "$rule/err" >&2
  if [ -e "$rule/seconds" ]; then
    trap 'echo INT >>"$home/signals"; kill $!; exit 130' INT
    echo $$ >>"$home/waiting"
    sleep "$(cat "$rule/seconds")" &
    wait $!
  fi
  read -r code <"$rule/code"
  exit "$code"
done
printf '%s\n' "$*" >>"$home/unexpected"
echo "the fake docker has no rule for: $*" >&2
exit 99
