#!/usr/bin/env bash
# Shows an HTML report in a real browser.
#
#   dev/report-picture.sh REPORT.html DIRECTORY
#
# Writes wide-light.png, wide-dark.png, narrow-light.png, narrow-dark.png (360 px) and print.pdf into the directory, and
# fails if the page is wider than a window of 360 px. Needs Chromium: `dev/tools.sh browser`.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
# shellcheck source=dev/apt.sh
. "$here/apt.sh"

readonly NARROW=360 WIDE=1000
page='' into='' scratch=''

main() {
  [ $# -eq 2 ] || die "usage: dev/report-picture.sh REPORT.html DIRECTORY"
  have chromium || die "there is no chromium: run dev/tools.sh browser"
  page=$(realpath -- "$1")
  mkdir -p -- "$2"
  into=$(realpath -- "$2")
  scratch=$(mktemp -d)
  trap 'rm -rf -- "$scratch"' EXIT
  local width height
  for width in $WIDE $NARROW; do
    height=$(measure "$width" scrollHeight)
    picture "$width" "$height" light 1
    picture "$width" "$height" dark 0
  done
  browser --no-pdf-header-footer --print-to-pdf="$into/print.pdf" "file://$page" >"$scratch/log" 2>&1 ||
    die "chromium could not print: $(tail -n 3 "$scratch/log")"
  width=$(measure "$NARROW" scrollWidth)
  [ "$width" -le "$NARROW" ] || die "the page is $width px wide in a window of $NARROW px"
  say "wrote $into"
}

picture() { # WIDTH HEIGHT NAME SCHEME
  local name=wide
  [ "$1" -ne "$NARROW" ] || name=narrow
  browser --blink-settings="preferredColorScheme=$4" --window-size="$1,$2" --screenshot="$into/$name-$3.png" "file://$page" \
    >"$scratch/log" 2>&1 || die "chromium could not draw: $(tail -n 3 "$scratch/log")"
}

# What the page measures in a frame of that width: a window of Chromium's is never narrower than 500 px.
measure() { # WIDTH PROPERTY
  cat >"$scratch/frame.html" <<END
<iframe src="file://$page" style="width: $1px; height: 800px; border: 0"></iframe>
<script>
  onload = () => document.title = frames[0].document.documentElement.$2
</script>
<title></title>
END
  browser --allow-file-access-from-files --dump-dom "file://$scratch/frame.html" 2>/dev/null |
    sed -nE 's|.*<title>([0-9]+)</title>.*|\1|p' | grep . || die "chromium did not measure the page"
}

browser() {
  # as root, as in containers, Chromium has no sandbox of its own
  local flags=(--headless --disable-gpu --hide-scrollbars)
  [ "$(id -u)" -ne 0 ] || flags+=(--no-sandbox)
  chromium "${flags[@]}" "$@"
}

main "$@"
