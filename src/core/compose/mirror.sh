# Runs MirrorMaker beside the cluster $1; each further argument is a cluster that it talks to, as host:port,...
# Connect never retries a connector or task that FAILED. So when one has, wait until every cluster
# answers, then start MirrorMaker anew: records flow again without a person.
target=$1; shift
failed='Failed to start connector|Task threw an uncaught and unrecoverable exception|Failed to reconfigure connector'
mark=/tmp/failed
stop() { trap - TERM INT; kill "$mirror" 2>/dev/null; wait; exit 0; }
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
while :; do
  rm -f "$mark"
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
  echo 'kmk: MirrorMaker has ended: starting it again'
  sleep 1 & wait $!
done
