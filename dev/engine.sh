#!/usr/bin/env bash
# Provides what kmk needs of Docker: a running engine, and the compose v2 plugin.
#
#   dev/engine.sh [up]   changes nothing if both answer; as root on Debian or Ubuntu it installs what is missing
#                        and starts the engine; elsewhere it says what to install
#   dev/engine.sh down   stops the engine, but only if `up` started it
set -euo pipefail
# shellcheck source=dev/apt.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/apt.sh"

readonly STARTED=/run/kmk-engine # what `up` started: the pid of a dockerd, or the word systemd
readonly LOG=/var/log/kmk-dockerd.log
readonly DOCKER_PID=/var/run/docker.pid
readonly CONTAINERD_PID=/var/run/docker/containerd/containerd.pid

main() {
  case ${1:-up} in
    up) up ;;
    down) down ;;
    *) die "usage: dev/engine.sh [up|down]" ;;
  esac
}

up() {
  if engine_answers && compose_answers; then
    say "$(versions): nothing to do"
    return
  fi
  refuse_what_is_not_ours_to_fix
  one_at_a_time
  engine_answers || bring_up_engine
  compose_answers || install_compose
  say "$(versions)"
}

down() {
  if [ ! -e "$STARTED" ]; then
    say "no engine was started by this script: nothing to stop"
    return
  fi
  one_at_a_time
  if [ "$(<"$STARTED")" = systemd ]; then
    systemctl stop docker.socket docker.service
  else
    resurrect_if_it_died_badly
    stop_dockerd "$(<"$STARTED")"
  fi
  rm -f "$STARTED"
}

# --- checks ----------------------------------------------------------------------------------------------------------

engine_answers() { within 20 docker info >/dev/null 2>&1; }

# The subcommand: `docker compose --version` succeeds without the plugin.
compose_answers() { within 20 docker compose version >/dev/null 2>&1; }

versions() {
  echo "engine $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short)"
}

systemd_runs() { [ -d /run/systemd/system ]; }

# is_running PID NAME: whether that process exists and has that name.
is_running() { [ -n "$1" ] && [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ]; }

# within SECONDS COMMAND...: with a deadline, if `timeout` exists (macOS has none).
within() {
  if have timeout; then timeout "$@"; else "${@:2}"; fi
}

# until_true SECONDS COMMAND...: tries twice a second up to the deadline.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.5
  done
}

# --- what the user has to do ------------------------------------------------------------------------------------------

refuse_what_is_not_ours_to_fix() {
  local answer
  answer=$(within 20 docker info 2>&1 || true)
  if ! engine_answers; then
    case $answer in
      *[Pp]"ermission denied"*)
        die "a Docker engine runs, but this user may not use its socket:" \
          "as root, usermod -aG docker $(id -un), then log in again" ;;
    esac
    [ -z "${DOCKER_HOST:-}" ] ||
      die "DOCKER_HOST is $DOCKER_HOST, where no engine answers: start that one, or unset DOCKER_HOST"
  fi
  can_install || die "kmk needs Docker Engine 20.10 or later and compose v2.20 or later. $(what_to_install)"
}

what_to_install() {
  case $(uname -s) in
    Darwin) echo "Install and start Docker Desktop." ;;
    *)
      echo "Install Docker Engine with its compose plugin (Docker's packages docker-ce and docker-compose-plugin," \
        "or Docker Desktop) and start it. On Debian or Ubuntu this script does it when run as root."
      ;;
  esac
}

one_at_a_time() {
  [ "$(id -u)" -eq 0 ] || die "the engine was started by root: run this as root"
  hold_lock /run/kmk-engine.lock
}

# --- the engine -------------------------------------------------------------------------------------------------------

bring_up_engine() {
  local missing=()
  if ! have dockerd || ! have docker; then
    refresh_apt_lists
    missing=(docker.io iptables iproute2)
    have docker || [ -z "$(candidate docker-cli)" ] || missing+=(docker-cli) # a package of its own in Debian 13
  fi
  if systemd_runs; then echo systemd >"$STARTED"; fi # the package starts its service by itself
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"

  if systemd_runs; then
    systemctl start docker.service || fail_with_log "the docker service did not start"
  elif ! engine_answers; then
    start_dockerd
  else
    cat "$DOCKER_PID" >"$STARTED" # started by the package's init script
  fi
  until_true 60 engine_answers || fail_with_log "the Docker engine does not answer after 60 s"
}

start_dockerd() {
  remove_stale "$DOCKER_PID" dockerd
  remove_stale "$CONTAINERD_PID" containerd
  say "starting dockerd, log in $LOG"
  (
    cd /
    close_descriptors
    exec nohup setsid dockerd
  ) >"$LOG" 2>&1 </dev/null &
  echo $! >"$STARTED"
  until_true 60 engine_answers_or_died "$!"
  engine_answers || fail_with_log "the Docker engine did not start within 60 s"
}

engine_answers_or_died() { engine_answers || ! kill -0 "$1" 2>/dev/null; }

# The daemon must not inherit our output or our locks: others wait for them to be closed.
close_descriptors() {
  local path fd
  for path in /proc/self/fd/*; do
    fd=${path##*/}
    [ "$fd" -le 2 ] || eval "exec $fd>&-" 2>/dev/null || true
  done
}

# After a crash, the pid in these files may belong to another process, and the engine would refuse to start.
remove_stale() { # FILE NAME
  [ ! -e "$1" ] || is_running "$(cat "$1")" "$2" || rm -f "$1"
}

# stop_dockerd PID: dockerd itself stops its containers and its containerd.
stop_dockerd() {
  if is_running "$1" dockerd; then
    kill -TERM "$1"
    until_true 90 is_gone "$1" || fail_with_log "dockerd (process $1) is still there after 90 s"
    say "stopped dockerd (process $1)"
  else
    say "the engine that this script started (process $1) is gone already"
  fi
}

is_gone() { ! is_running "$1" dockerd; }

# A killed dockerd leaves containerd and containers running. Only a dockerd can stop them cleanly.
resurrect_if_it_died_badly() {
  is_running "$(<"$STARTED")" dockerd && return
  engine_answers && return # another engine has taken over
  grep -qsz '[/]run/docker/containerd/' /proc/[0-9]*/cmdline || return 0
  say "the engine died and left processes behind: starting it again to stop them"
  start_dockerd
}

fail_with_log() {
  if systemd_runs; then
    journalctl -u docker.service -n 20 --no-pager >&2 || true
  else
    tail -n 20 "$LOG" >&2 || true
  fi
  die "$*"
}

# --- compose ----------------------------------------------------------------------------------------------------------

install_compose() {
  local package
  refresh_apt_lists
  for package in docker-compose-v2 docker-compose; do
    case $(candidate "$package") in
      '' | [01].*) ;;
      *) install_packages "$package"; break ;;
    esac
  done
  compose_answers || install_compose_of_the_next_debian
  compose_answers || die "docker compose does not answer although its plugin was installed"
}

# Debian 12 has only compose v1. The package of Debian 13 is a single static binary, which runs here too.
install_compose_of_the_next_debian() {
  local tmp mirror keyring options
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || die "this release has no compose v2 package; install Docker's docker-compose-plugin"
  say "installing the compose plugin of Debian 13"
  keyring=$(debian_keyring)
  tmp=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder's name is wanted as it is now
  trap "rm -rf '$tmp'" EXIT
  mkdir -p "$tmp"/{sources,lists/partial,cache/archives/partial,root}
  echo "deb ${keyring:+[signed-by=$keyring] }$mirror trixie main" >"$tmp/sources/trixie.list"
  options=(-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$tmp/sources" -o Dir::State::Lists="$tmp/lists"
    -o Dir::Cache="$tmp/cache" -o APT::Sandbox::User=root)
  quiet_apt apt-get "${options[@]}" -qq update || die "the lists of Debian 13 could not be fetched from $mirror"
  (cd "$tmp" && quiet_apt apt-get "${options[@]}" -qq download docker-compose/trixie) || die "the package could not be fetched"
  dpkg -x "$tmp"/docker-compose_*.deb "$tmp/root"
  install -D "$tmp/root/usr/libexec/docker/cli-plugins/docker-compose" \
    /usr/local/lib/docker/cli-plugins/docker-compose
}

main "$@"
