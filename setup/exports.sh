#!/usr/bin/env bash
# Lists the files that pipelines exported, or copies one of them, or a folder, into the current folder.
#
# usage: setup/exports.sh [FILE]
#
# They are read from their volume by a container without network that is removed at once; the stack need not run.
set -euo pipefail
here=$PWD
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh

# Runs a program on the volume, as the user to whom the files belong.
in_volume() {
  docker run --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges \
    --volume "$(project)_exports:/exports:ro" --workdir /exports --entrypoint "$1" "etl-platform/load:$(tag)" "${@:2}"
}

main() {
  local file=${1:-}
  case $file in
    --help | -h) print_help && return ;;
  esac
  docker volume inspect "$(project)_exports" >/dev/null 2>&1 ||
    refuse "there are no exports yet" "where: the volume $(project)_exports is not there" "to do: make up"
  if [ -z "$file" ]; then
    in_volume find . -type f -not -name '.*' -printf '%TY-%Tm-%Td %TH:%TM %12s  %P\n' | sort -k 4
    return
  fi
  in_volume test -e "./$file" || refuse "there is no export '$file'" "where: the volume $(project)_exports" "to do: make exports, which lists them"
  in_volume tar -c "./$file" | tar -x -C "$here"
  say "copied $file"
}

main "$@"
