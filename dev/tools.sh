#!/usr/bin/env bash
# Provides what building and testing need besides Docker.
#
#   dev/tools.sh [rust] [linker] [kcat] [network] [python] [browser]   default: the first four; python is for the
#                                                                      benchmark, browser for dev/report-picture.sh
#
# kcat is an independent Kafka client, with which the end-to-end tests check kmk. As root on Debian or Ubuntu, the script
# installs the linker and kcat. Rust is only checked, because there are many ways to install it.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=dev/apt.sh
. "$here/apt.sh"

main() {
  [ $# -gt 0 ] || set -- rust linker kcat network
  local tool
  for tool in "$@"; do
    case $tool in
      rust) rust ;;
      linker) have cc || install_or_explain "a C compiler, which Rust links with" gcc libc6-dev ;;
      kcat) have kcat || install_or_explain "kcat, which the end-to-end tests need" kcat ;;
      network) network ;;
      python) have python3 || install_or_explain "Python 3.9 or later, which the bench is written in" python3 ;;
      browser) have chromium || install_or_explain "Chromium, which shows reports" chromium fonts-dejavu-core ;;
      *) die "usage: dev/tools.sh [rust] [linker] [kcat] [network] [python] [browser]" ;;
    esac
  done
}

rust() {
  local wanted found component
  wanted=$(sed -nE 's/^rust-version = "([^"]+)".*/\1/p' "$here/../Cargo.toml")
  have cargo || die "there is no cargo: $(how_to_get_rust "$wanted")"
  found=$(cargo --version 2>&1) || die "cargo does not work ($found): $(how_to_get_rust "$wanted")"
  found=$(echo "$found" | cut -d' ' -f2)
  [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] ||
    die "this is Rust $found, and $wanted or later is needed: $(how_to_get_rust "$wanted")"
  for component in fmt clippy; do
    cargo "$component" --version >/dev/null 2>&1 ||
      die "'cargo $component' does not work: rustup component add rustfmt clippy (or your distribution's packages)"
  done
}

how_to_get_rust() { # VERSION
  if have rustup; then echo "rustup update stable"
  elif have apt-cache && [ -n "$(candidate rustup)" ]; then echo "apt-get install rustup, then rustup default stable"
  else echo "install Rust $1 or later with rustup (https://rustup.rs)"
  fi
}

# For the second engine that an end-to-end test starts (on Linux only).
network() {
  [ "$(uname -s)" = Linux ] || return 0
  local PATH=$PATH:/usr/sbin:/sbin
  { have ip && have iptables; } ||
    install_or_explain "ip and iptables, which the end-to-end tests need" iproute2 iptables
}

install_or_explain() { # WHAT DEBIAN-PACKAGE...
  local what=$1
  shift
  can_install || die "install $what. (On Debian or Ubuntu: sudo apt-get install $*)"
  install_packages "$@"
}

main "$@"
