# Runs MirrorMaker beside the cluster $1; each further argument is a cluster that it talks to, as host:port,...
# Connect never retries a connector or task that FAILED. So when one has, wait until every cluster
# answers, then start MirrorMaker anew: records flow again without a person.
target=$1; shift
failed='Failed to start connector|Task threw an uncaught and unrecoverable exception|Failed to reconfigure connector'
mark=/tmp/failed
classes=/usr/logs
options=$KAFKA_JVM_PERFORMANCE_OPTS
stop() { trap - TERM INT; kill "$mirror" $recorder 2>/dev/null; wait; exit 0; }
trap stop TERM INT
all_answer() {
  local cluster
  # shellcheck disable=SC2086  # a list of words
  for cluster; do any_answers ${cluster//,/ } || return 1; done
}
any_answers() {
  local broker
  for broker; do
    timeout 2 bash -c ": </dev/tcp/${broker%:*}/${broker##*:}" 2>/dev/null && return
  done
  return 1
}
# Where a volume is for it, the classes of the first run become an archive, from which every later one starts sooner:
# one for each Java, Kafka and options.
use_archive() {
  local java
  java=$(readlink -f "$(type -p java)")
  archive=$classes/$({ ls -lL "$java" /opt/kafka/libs; echo "$options"; } | cksum | tr ' ' -).jsa
  if [[ -s $archive ]]; then
    touch "$archive"
    export KAFKA_JVM_PERFORMANCE_OPTS="$options -XX:SharedArchiveFile=$archive"
  else
    export KAFKA_JVM_PERFORMANCE_OPTS="$options -XX:DumpLoadedClassList=/tmp/classes"
    [[ -n $recorder ]] || { record & recorder=$!; }
  fi
  find "$classes" -name '*.jsa' -mtime +30 -delete # what nobody has used for a month
}
# Once all is loaded; at leisure, and by one at a time; whole or not at all.
record() {
  local part=$archive.$HOSTNAME.part size=''
  rm -f "$part" # of this container's life before
  trap 'rm -f "$part"' EXIT
  trap 'kill $! 2>/dev/null; wait; exit' TERM
  until
    sleep 10 & wait $!
    find "$classes" -name '*.part' -mmin +10 -delete
    ! compgen -G "$archive.*" >/dev/null && grep -q /MirrorSourceTask /tmp/classes && [[ $(wc -c </tmp/classes) == "$size" ]]
  do
    size=$(wc -c </tmp/classes)
  done
  [[ ! -s $archive ]] || return
  : >"$part"
  echo 1000 >/proc/self/oom_score_adj # rather this than MirrorMaker
  sed '$d' /tmp/classes >/tmp/recorded # the last line may not be whole yet
  options="${options/-XX:+UseSerialGC/-XX:+UseG1GC} -Xshare:dump -XX:SharedClassListFile=/tmp/recorded"
  KAFKA_HEAP_OPTS=-Xmx128m KAFKA_JVM_PERFORMANCE_OPTS="$options -XX:SharedArchiveFile=$part" \
    nice -n 19 /opt/kafka/bin/connect-mirror-maker.sh /mm2.properties >/tmp/recorder.log 2>&1 &
  wait $! && { sync "$part" 2>/dev/null || sync; } && mv "$part" "$archive"
}
archive='' recorder=''
while :; do
  rm -f "$mark"
  if [[ -w $classes ]] && grep -q " $classes " /proc/mounts; then use_archive; fi
  exec 3> >(tee >(grep -qE "$failed" && : >"$mark"; exec cat >/dev/null))
  /opt/kafka/bin/connect-mirror-maker.sh /mm2.properties --clusters "$target" >&3 2>&1 3>&- &
  mirror=$!
  exec 3>&-
  while kill -0 "$mirror" 2>/dev/null; do
    sleep 0.5 & wait $!
    if [[ -e $mark ]] && all_answer "$@"; then
      echo 'kmk: a connector or task failed, and every cluster answers: starting MirrorMaker again'
      # asked to end, it leaves its group; killed, it would be missed there before the next can begin
      kill "$mirror"
      sleep 3 & wait -n "$mirror" "$!"
      kill -9 "$mirror" "$!" 2>/dev/null
      wait "$mirror" 2>/dev/null
      continue 2
    fi
  done
  wait "$mirror" 2>/dev/null
  case $? in 134 | 139) rm -f "$archive" ;; esac # a JVM that crashed: the archive may be the cause
  echo 'kmk: MirrorMaker has ended: starting it again'
  sleep 1 & wait $!
done
