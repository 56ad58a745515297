# shellcheck shell=bash
# What the scripts beside this one share: talk goes to stderr, and packages are installed only as root on Debian or
# Ubuntu. Sourced, never run.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "error: $*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Whether packages may be installed here.
can_install() {
  [ "$(id -u)" -eq 0 ] && have apt-get && case $(distribution) in debian | ubuntu) true ;; *) false ;; esac
}

# `debian`, `ubuntu`, ... ; empty where nothing says so (macOS).
distribution() { [ ! -r /etc/os-release ] || (. /etc/os-release && echo "${ID:-}"); }

# Fetches the lists of packages, once a run: a fresh machine has none, and old ones name files that are gone.
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

# The version of this package that would be installed; empty where the distribution has none.
candidate() { apt-cache policy "$1" 2>/dev/null | sed -nE 's/^ *Candidate: ([^(].*)/\1/p'; }

# Runs an apt command with a deadline on its lock, and shows its output only if it fails.
quiet_apt() { # apt-get ARGUMENTS...
  local program=$1 output
  shift
  output=$("$program" -o DPkg::Lock::Timeout=180 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" 2>&1 </dev/null) ||
    { printf '%s\n' "$output" | tail -n 20 >&2; return 1; }
}

# The mirror this machine takes Debian's packages from, whether apt is told by deb822 `.sources` or by one-line
# `.list` files; empty where apt does not use Debian's archive (Ubuntu). Lists must be there: refresh_apt_lists.
debian_mirror() { debian_source | cut -d' ' -f1; }

# The keyring that its signature is checked with; empty for apt's trusted ones.
debian_keyring() {
  local file keyring
  file=$(debian_source | cut -d' ' -f2-)
  [ -n "$file" ] || return 0
  keyring=$(sed -nE 's/^Signed-By:[[:space:]]*(\/.*)/\1/p; s/^deb .*\[.*signed-by=([^] ]+).*/\1/p' "${file%:*}" |
    head -n 1)
  [ -n "$keyring" ] || keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ ! -r "$keyring" ] || echo "$keyring"
}

# "MIRROR FILE:ENTRY" of the main archive: its suite is named by its codename alone, updates and security are not.
debian_source() {
  local codename
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016 # apt fills these in
  apt-get indextargets --format '$(LABEL)|$(CODENAME)|$(COMPONENT)|$(REPO_URI) $(SOURCESENTRY)' 'Created-By: Packages' |
    awk -F'|' -v name="$codename" '$1 == "Debian" && $2 == name && $3 == "main" { print $4; exit }'
}

# hold_lock FILE: until this process ends. Two set-ups at once would get in each other's way.
hold_lock() {
  exec 9>"$1"
  flock -w 900 9 || die "another ${0##*/} has been at work for 15 minutes ($1)"
}
