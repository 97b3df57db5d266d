#!/usr/bin/env bash
# Tries a pipeline on a sample: extract and transform run in their real images, on the networks and with the connections of
# the running platform; shows types, first rows, checks, and the table that would be made. Nothing is loaded.
#
# usage: setup/try.sh PIPELINE [--day YYYY-MM-DD] [--rows N] [--json]
#
# Without a day it is about the last complete interval. Of each table or query at most 10,000 rows are read, or N (0: all);
# documents are read whole. Exit code: 0 if all went well, 1 if a stage failed, 2 if it could not be tried.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh
. setup/desk.sh

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
    '' | -*) refuse "'${1:-}' is not a pipeline" "usage: make try PIPELINE=orders DAY=2026-01-31" ;;
  esac
  need_images airflow extract transform load
  desk try "$@"
}

main "$@"
