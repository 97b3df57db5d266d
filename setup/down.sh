#!/usr/bin/env bash
# Stops and removes the platform's containers and networks.
#
# usage: setup/down.sh [--data] [--images]
#
#   --data    also its volumes: databases, secrets, reports, logs
#   --images  also the images that were built here, with this tag (ETL_TAG); not the stand-ins for official ones
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh

# Removes what the command $2... lists, by the command $1 of docker.
remove() {
  local command=$1 listed
  shift
  listed=$("$@")
  # shellcheck disable=SC2086  # a list
  [ -z "$listed" ] || docker $command $listed >/dev/null
}

main() {
  local label volumes data='' images=''
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h) print_help && return ;;
      --data) data=yes ;;
      --images) images=yes ;;
      *) refuse "unknown option '$1'" "usage: setup/down.sh [--data] [--images]" ;;
    esac
    shift
  done
  label="label=com.docker.compose.project=$(project)"
  if ! engine_answers; then
    say "no Docker Engine answers: nothing runs"
    return
  fi
  # First the scheduler, so that nothing starts new stages while they are removed.
  change stopping stop
  remove "rm --force --volumes" stages
  volumes=${data:+--volumes}
  change removing down --remove-orphans ${volumes:+"$volumes"}
  # What an older docker-compose.yml may have made.
  if [ -n "$data" ]; then
    remove "volume rm" docker volume ls --quiet --filter "$label"
  fi
  if [ -n "$images" ]; then
    remove "image rm" docker image ls --filter "reference=etl-platform/*:$(tag)" --format '{{.Repository}}:{{.Tag}}'
  fi
}

main "$@"
