# Runs MirrorMaker beside the cluster $1; the rest are its sources as host:port.
# Connect never retries a connector or task that FAILED. So when one has, wait until every source
# answers, then start MirrorMaker anew: records flow again without a person.
target=$1; shift
failed='Failed to start connector|Task threw an uncaught and unrecoverable exception|Failed to reconfigure connector'
mark=/tmp/failed
stop() { trap - TERM INT; kill "$mirror" 2>/dev/null; wait; exit 0; }
trap stop TERM INT
answer() {
  local source
  for source; do
    timeout 2 bash -c ": </dev/tcp/${source%:*}/${source##*:}" 2>/dev/null || return 1
  done
}
while :; do
  rm -f "$mark"
  exec 3> >(while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line =~ $failed ]] && : >"$mark"
  done)
  /opt/kafka/bin/connect-mirror-maker.sh /mm2.properties --clusters "$target" >&3 2>&1 3>&- &
  mirror=$!
  exec 3>&-
  while kill -0 "$mirror" 2>/dev/null; do
    sleep 1 & wait $!
    if [[ -e $mark ]] && answer "$@"; then
      echo 'kmk: a connector or task failed, and every source answers: starting MirrorMaker again'
      kill -9 "$mirror"
    fi
  done
  wait "$mirror" 2>/dev/null
  echo 'kmk: MirrorMaker has ended: starting it again'
  sleep 1 & wait $!
done
