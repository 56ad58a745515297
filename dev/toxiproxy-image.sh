#!/usr/bin/env bash
# Prints on stdout the name of a toxiproxy image that this Docker engine has, and nothing else: what the relays of a
# link run.
#
#   dev/toxiproxy-image.sh [VERSION]   default: TOXIPROXY_VERSION in src/core/topology/image.rs
#
# This is ghcr.io/shopify/toxiproxy:VERSION if it exists or can be pulled. If no image registry answers, the script
# builds kmk-toxiproxy:VERSION once, from the Go module: /toxiproxy and /toxiproxy-cli and nothing else, as in the
# official image, but not run as root. The build needs root on Debian or Ubuntu.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=dev/image.sh
. "$here/image.sh"

readonly MODULE=github.com/Shopify/toxiproxy/v2
readonly USER_ID=65532

main() {
  version=${1-$(kmk_version TOXIPROXY_VERSION)}
  [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "'$version' is no version of toxiproxy: it looks like 2.5.0"
  official=ghcr.io/shopify/toxiproxy:$version
  standin=kmk-toxiproxy:$version
  print_image "$official" "$standin" build
}

readonly work=/var/tmp/kmk-toxiproxy # one build at a time, because of the lock

clean_up() { rm -rf "$work"; }

build() {
  clean_up # leftovers of a killed build
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP
  have go || install_packages golang-go ca-certificates
  mkdir -p "$work/root"
  compile server toxiproxy
  compile cli toxiproxy-cli
  # tried under another name, so that an image that does not work is never found
  tar -C "$work/root" --owner=0 --group=0 -c . | docker import \
    -c 'ENTRYPOINT ["/toxiproxy"]' -c 'CMD ["-host=0.0.0.0"]' -c 'EXPOSE 8474' -c 'ENV LOG_LEVEL=info' \
    -c "USER $USER_ID:$USER_ID" -c "LABEL org.opencontainers.image.description=\"stand-in for $official\"" \
    - "$standin-tried" >/dev/null
  local said
  said=$(docker run --rm --network none "$standin-tried" -version 2>&1) || true
  case $said in
    *"$version"*) docker tag "$standin-tried" "$standin" ;;
    *) say "$said" ;;
  esac
  docker rmi "$standin-tried" >/dev/null
  is_here "$standin" || die "toxiproxy in it did not start"
}

# compile COMMAND NAME: a program of the module, for a container that has nothing else.
compile() {
  say "building $2"
  GOTOOLCHAIN=local CGO_ENABLED=0 GOBIN=$work timeout 900 go install -trimpath \
    -ldflags "-s -w -X $MODULE.Version=$version" "$MODULE/cmd/$1@v$version" >"$work/go.log" 2>&1 ||
    { tail -n 20 "$work/go.log"; die "toxiproxy $version could not be built"; }
  install -m 755 "$work/$1" "$work/root/$2"
}

main "$@"
