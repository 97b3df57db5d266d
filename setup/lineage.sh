#!/usr/bin/env bash
# Prints the events of lineage that were kept, a line of JSON each, the oldest first.
#
# usage: setup/lineage.sh [PIPELINE...]
#
# They are kept where config/lineage/settings.yaml says `events: file`: docs/lineage.md
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
    -*) refuse "unknown option '$1'" "usage: make lineage PIPELINE=flights" ;;
  esac
  need_running notifier
  docker compose exec -T notifier python -m etl_lineage "$@" </dev/null
}

main "$@"
