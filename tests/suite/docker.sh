#!/bin/sh
# Stands first on PATH as `docker`: notes how it was called, and answers by the first rule that fits.
# A rule is a directory of files, see docker.rs. Starts no other program where it can do without: tests call it often.
home=${0%/bin/docker}/fake
printf '%s\n' "$*" >>"$home/calls"

# Whether docker was called with words like those in a file, and as often as it says.
called() {
  { read -r words && read -r times; } <"$1"
  while read -r call; do
    case $call in $words) times=$((times - 1)) ;; esac
    [ "$times" -gt 0 ] || return 0
  done <"$home/calls"
  return 1
}

# The variables that name images, as NAME=value: shells list them with quotes of their own.
images() {
  export -p | while read -r _ variable; do
    name=${variable%%=*}
    case $name in KMK_KAFKA_IMAGE* | KMK_TOXIPROXY_IMAGE*) eval "printf '%s\n' \"$name=\$$name\"" ;; esac
  done
}

# Journals: a volume is a file that has what `inspect` tells of it, and a name is given only once.
journal() {
  volumes=$home/volumes
  case "$1 $2" in
  "volume create")
    mkdir -p "$volumes"
    shift 2
    labels=
    while [ $# -gt 1 ]; do
      value=$(printf '%s' "${2#*=}" | sed 's/[\\"]/\\&/g')
      labels="$labels,\"${2%%=*}\":\"$value\""
      shift 2
    done
    printf '{"Name":"%s","Labels":{%s}}' "$1" "${labels#,}" >"$volumes/.$$"
    ln "$volumes/.$$" "$volumes/$1" 2>/dev/null
    rm "$volumes/.$$"
    ;;
  "volume ls")
    for volume in "$volumes/kmk-${5#label=kmk.lab=}_journal-"*; do
      [ -e "$volume" ] && echo "${volume##*/}"
    done
    ;;
  "volume inspect")
    shift 2
    found=
    for name; do
      one=$(cat "$volumes/$name" 2>/dev/null) && found=$found,$one
    done
    echo "[${found#,}]"
    ;;
  "volume rm")
    shift 3
    (cd "$volumes" && rm -f "$@")
    ;;
  esac
}

# All labs' volumes: those of the rules, and the journals.
together() {
  shift 2
  others= journals=
  for name; do
    if [ -e "$home/volumes/$name" ]; then journals="$journals $name"; else others="$others $name"; fi
  done
  [ -n "$journals" ] && [ -n "$others" ] || return
  some=$("$0" volume inspect $others) && more=$(journal volume inspect $journals)
  # what was removed meanwhile is no longer told
  case "$some $more" in
  *" []") echo "$some" ;;
  "[] "*) echo "$more" ;;
  *) echo "${some%]},${more#[}" ;;
  esac
  exit
}
case "$*" in
"volume ls --quiet --filter label=kmk.lab") [ -d "$home/volumes" ] && ls "$home/volumes" ;;
"volume inspect "*" "*_journal-*) together "$@" ;;
esac

for rule in "$home"/rules/*; do
  read -r pattern <"$rule/pattern"
  case "$*" in $pattern) ;; *) continue ;; esac
  [ -e "$rule/from" ] && ! called "$rule/from" && continue
  [ -e "$rule/until" ] && called "$rule/until" && continue
  case "$*" in compose*up*) images >>"$home/images" ;; esac
  if [ -e "$rule/journal" ]; then
    journal "$@"
    exit 0
  fi
  [ -s "$rule/out" ] && cat "$rule/out"
  [ -s "$rule/err" ] && cat "$rule/err" >&2
  if [ -e "$rule/tenths" ]; then
    trap 'echo INT >>"$home/signals"; exit 130' INT
    read -r left <"$rule/tenths"
    echo $$ >>"$home/waiting"
    # no longer than the test is there: one that kmk left behind ends by itself
    while [ "$left" -gt 0 ] && [ -d "$rule" ]; do
      sleep 0.1 &
      wait $!
      left=$((left - 1))
    done
  fi
  read -r code <"$rule/code"
  exit "$code"
done
printf '%s\n' "$*" >>"$home/unexpected"
echo "the fake docker has no rule for: $*" >&2
exit 99
