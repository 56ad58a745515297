# Runs MirrorMaker for the target cluster $1; each further argument is a cluster that it connects to, as host:port,...
# Connect never retries a connector or task that FAILED. So when one has, wait until every cluster
# answers, then restart MirrorMaker: records flow again without anyone's help.
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
# Where there is a volume for it, the classes of the first run become an archive, so that later runs start sooner:
# one archive for each Java, Kafka and set of options.
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
  find "$classes" -name '*.jsa' -mtime +30 -delete # not used for a month
}
# Records the archive once all classes are loaded: with low priority, one container at a time, and written atomically.
record() {
  local part=$archive.$HOSTNAME.part size=''
  rm -f "$part" # left by an earlier start of this container
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
  echo 1000 >/proc/self/oom_score_adj # kill this rather than MirrorMaker
  sed '$d' /tmp/classes >/tmp/recorded # the last line may be incomplete
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
      echo 'kmk: a connector or task failed, and every cluster answers: restarting MirrorMaker'
      # stopped by SIGTERM it leaves its group; killed, the next one would have to wait for the session timeout
      kill "$mirror"
      sleep 3 & wait -n "$mirror" "$!"
      kill -9 "$mirror" "$!" 2>/dev/null
      wait "$mirror" 2>/dev/null
      continue 2
    fi
  done
  wait "$mirror" 2>/dev/null
  case $? in 134 | 139) rm -f "$archive" ;; esac # the JVM crashed, perhaps because of the archive
  echo 'kmk: MirrorMaker has exited: restarting it'
  sleep 1 & wait $!
done
