#!/usr/bin/env bash
# Puts a file into the inbox, where pipelines with a source of `files:` find it: whole, or not at all.
#
# usage: setup/put.sh FILE [NAME]
#
# NAME is its place in the inbox, such as orders/2026-01-31.csv; without it, the file's own name. A file that is there is
# replaced; with other content, it is a new file to every pipeline.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh

main() {
  local file=${1:-} name volume
  case $file in
    --help | -h) print_help && return ;;
    '') refuse "no file is named" "usage: make put FILE=orders.csv AS=orders/2026-01-31.csv" ;;
  esac
  name=${2:-$(basename -- "$file")}
  [ -f "$file" ] && [ -r "$file" ] || refuse "there is no file '$file'" "to do: name one that you may read"
  case /$name/ in
    *//* | */../* | */./*) refuse "'$name' is no place in the inbox" "to do: write one such as orders/2026-01-31.csv" ;;
  esac
  volume="$(project)_inbox"
  docker volume inspect "$volume" >/dev/null 2>&1 ||
    refuse "there is no inbox yet" "where: the volume $volume is not there" "to do: make up"
  # What begins with a dot is seen by no pattern: so nobody reads a half.
  # shellcheck disable=SC2016  # the container's shell
  docker run --rm --interactive --network none --read-only --cap-drop ALL --security-opt no-new-privileges \
    --user 10001:10001 --volume "$volume:/inbox" --entrypoint sh "etl-platform/extract:$(tag)" -euc '
      folder=$(dirname -- "/inbox/$1") && mkdir -p -- "$folder"
      part=$(mktemp "$folder/.part-XXXXXX")
      trap "rm -f -- \"\$part\"" EXIT
      cat >"$part" && mv -T -- "$part" "/inbox/$1"' put "$name" <"$file" ||
    refuse "the file could not be put into the inbox" "where: the volume $volume" "to do: see above"
  say "$name is in the inbox"
}

main "$@"
