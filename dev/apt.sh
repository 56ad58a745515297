# shellcheck shell=bash
# Shared by the scripts in this directory: messages go to stderr, and packages are installed only as root on Debian or
# Ubuntu. Sourced, never run.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "error: $*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Whether this script may install packages here.
can_install() {
  [ "$(id -u)" -eq 0 ] && have apt-get && case $(distribution) in debian | ubuntu) true ;; *) false ;; esac
}

# `debian`, `ubuntu`, ... ; empty if unknown (macOS).
distribution() { [ ! -r /etc/os-release ] || (. /etc/os-release && echo "${ID:-}"); }

# Fetches the package lists once per run: a fresh machine has none, and old ones refer to files that no longer exist.
apt_lists_are_fresh=
refresh_apt_lists() {
  [ -z "$apt_lists_are_fresh" ] || return 0
  quiet_apt apt-get -qq update || die "apt-get could not fetch its lists of packages"
  apt_lists_are_fresh=yes
}

# install_packages NAME...: as root on Debian or Ubuntu only; ask can_install first.
install_packages() {
  refresh_apt_lists
  say "installing $*"
  DEBIAN_FRONTEND=noninteractive quiet_apt apt-get -qq -y --no-install-recommends install "$@" ||
    die "apt-get could not install: $*"
}

# The version of this package that would be installed; empty if the distribution has none.
candidate() { apt-cache policy "$1" 2>/dev/null | sed -nE 's/^ *Candidate: ([^(].*)/\1/p'; }

# Runs an apt command with a deadline on its lock, and shows its output only if it fails.
quiet_apt() { # apt-get ARGUMENTS...
  local program=$1 output
  shift
  output=$("$program" -o DPkg::Lock::Timeout=180 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" 2>&1 </dev/null) ||
    { printf '%s\n' "$output" | tail -n 20 >&2; return 1; }
}

# The mirror from which this machine gets Debian's packages, from deb822 `.sources` or one-line `.list` files; empty if
# apt does not use Debian's archive (Ubuntu). Needs package lists: call refresh_apt_lists before.
debian_mirror() { debian_source | cut -d' ' -f1; }

# The keyring for its signature; empty for apt's trusted keyrings.
debian_keyring() {
  local file keyring
  file=$(debian_source | cut -d' ' -f2-)
  [ -n "$file" ] || return 0
  keyring=$(sed -nE 's/^Signed-By:[[:space:]]*(\/.*)/\1/p; s/^deb .*\[.*signed-by=([^] ]+).*/\1/p' "${file%:*}" |
    head -n 1)
  [ -n "$keyring" ] || keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ ! -r "$keyring" ] || echo "$keyring"
}

# "MIRROR FILE:ENTRY" of the main archive: only its suite is the plain codename, unlike updates and security.
debian_source() {
  local codename
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016 # apt fills these in
  apt-get indextargets --format '$(LABEL)|$(CODENAME)|$(COMPONENT)|$(REPO_URI) $(SOURCESENTRY)' 'Created-By: Packages' |
    awk -F'|' -v name="$codename" '$1 == "Debian" && $2 == name && $3 == "main" { print $4; exit }'
}

# hold_lock FILE: holds the lock until this process ends. Two setups at once would disturb each other.
hold_lock() {
  exec 9>"$1"
  flock -w 900 9 || die "another ${0##*/} has been at work for 15 minutes ($1)"
}
