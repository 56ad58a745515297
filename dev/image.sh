# shellcheck shell=bash
# Which image to use: the official one, or a stand-in that is built where no image registry answers. Sourced, never run;
# `here` is dev/.
# shellcheck source=dev/apt.sh
. "$here/apt.sh"

# kmk_version CONSTANT: a version from kmk's source.
kmk_version() {
  local source=$here/../src/core/topology/image.rs found=
  [ ! -r "$source" ] || found=$(sed -nE "s/^pub const $1: &str = \"([^\"]+)\";.*/\1/p" "$source")
  [ -n "$found" ] || die "no 'pub const $1: &str = \"...\";' in src/core/topology/image.rs: give the version"
  echo "$found"
}

# print_image OFFICIAL STAND-IN BUILD: prints the name of an image that this engine has. BUILD is a function that makes
# the stand-in.
print_image() {
  local official=$1 standin=$2
  docker info >/dev/null 2>&1 || die "no Docker engine answers: run dev/engine.sh first"
  if is_here "$official"; then echo "$official"
  elif is_here "$standin"; then echo "$standin"
  elif pull "$official" >&2; then echo "$official"
  else
    build_standin "$official" "$standin" "$3" >&2
    echo "$standin"
  fi
}

is_here() { docker image inspect "$1" >/dev/null 2>&1; }

pull() {
  local answer
  say "pulling $1"
  answer=$(docker pull "$1" 2>&1) && return
  printf '%s\n' "$answer" | tail -n 1
  case $answer in *"manifest unknown"* | *"${1##*:}: not found"*) die "the registry has no $1" ;; esac
  return 1
}

build_standin() {
  can_install || die "$1 cannot be pulled: give Docker access to an image registry." \
    "(A stand-in can be built only as root on Debian or Ubuntu.)"
  hold_lock "/run/kmk-${0##*/}.lock"
  ! is_here "$2" || return 0 # another run built it meanwhile
  say "no image registry answers: building $2"
  "$3"
}
