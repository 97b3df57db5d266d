#!/usr/bin/env bash
# Makes sure that the images we build on are there: pulled, or stood in for.
#
# usage: setup/bases.sh
#
# For each line of etl_images/upstream/images: an image that is there is used. Otherwise the official one is pulled; where
# no registry answers, its stand-in is built from Debian's packages and recorded in .env (etl_images/upstream/README.md).
# Why: docs/decisions/stand-in-images.md
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh

readonly seconds_for_an_answer=45
log=$(mktemp)
trap 'rm -f "$log"' EXIT
registry_is_silent=

# Pulls an image; gives up early where nothing answers, never on a slow line that delivers.
pull() {
  local waited=0 puller
  [ -z "$registry_is_silent" ] || return 1
  say "pulling $1"
  docker pull "$1" >"$log" 2>&1 &
  puller=$!
  while kill -0 "$puller" 2>/dev/null; do
    sleep 1
    waited=$((waited + 1))
    # The first line comes when the registry has answered.
    if [ "$waited" -ge "$seconds_for_an_answer" ] && [ ! -s "$log" ]; then
      kill "$puller" 2>/dev/null || true
      echo "no answer within $waited s" >"$log"
    elif [ $((waited % 20)) -eq 0 ]; then
      say "still pulling ($waited s): $(tail -n 1 "$log")"
    fi
  done
  wait "$puller" && return
  say "not pulled: $(tail -n 1 "$log")"
  grep -q 'Pulling from' "$log" || registry_is_silent=yes
  return 1
}

ensure() {
  local variable=$1 official=$2 standin=$3 image
  image=$(setting "$variable" "$official")
  if [ "$image" = "$standin" ]; then
    setup/standin.sh "$standin"
  elif docker image inspect "$image" >/dev/null 2>&1 || pull "$image"; then
    :
  elif [ "$image" = "$official" ]; then
    say "standing in for it: $standin"
    setup/standin.sh "$standin"
    image=$standin
    record "$variable" "$standin"
  else
    refuse "image $image is not here and cannot be pulled" "where: $variable in .env or the environment" \
      "to do: name an image that is there, or remove the line to get $official"
  fi
  say "$variable: $image"
}

main() {
  local variable official standin
  case ${1:-} in
    --help | -h) print_help && return ;;
    '') ;;
    *) refuse "unknown option '$1'" "usage: setup/bases.sh" ;;
  esac
  make_env
  while read -r variable official standin <&3; do
    case $variable in '' | '#'*) continue ;; esac
    ensure "$variable" "$official" "$standin"
  done 3<etl_images/upstream/images
}

main "$@"
