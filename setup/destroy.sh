#!/usr/bin/env bash
# Removes the platform with all its data, after asking. FORCE=1 does not ask.
#
# usage: [FORCE=1] setup/destroy.sh
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh

main() {
  local answer=
  case ${1:-} in
    --help | -h) print_help && return ;;
    '') ;;
    *) refuse "unknown option '$1'" "usage: [FORCE=1] setup/destroy.sh" ;;
  esac
  if [ "${FORCE:-}" != 1 ]; then
    printf 'This deletes the warehouse, every report, log and password of "%s", and its images. Nothing of it can be had back.\n' "$(project)"
    printf 'To go on, type its name (%s): ' "$(project)"
    read -r answer || true
    if [ "$answer" != "$(project)" ]; then
      refuse "nothing was removed" "where: the answer was '$answer'" "to do: make destroy again, or without the question: make destroy FORCE=1"
    fi
  fi
  setup/down.sh --data --images
  say "removed: containers, volumes, networks and images of $(project). Left: .env, and the base images"
}

main "$@"
