#!/usr/bin/env bash
# Runs a pipeline now, on the running platform, and follows it to its end.
#
# usage: setup/run.sh PIPELINE [YYYY-MM-DD]
#
# Without a day it is about the last complete interval.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
    '' | -*) refuse "'${1:-}' is not a pipeline" "usage: setup/run.sh PIPELINE [YYYY-MM-DD]" ;;
  esac
  [ -n "$(docker compose ps --quiet --status running airflow-apiserver 2>/dev/null)" ] ||
    refuse "the platform is not running" "where: service airflow-apiserver" "to do: make up"
  docker compose exec -T --env PYTHONPATH=/opt/airflow/plugins airflow-apiserver \
    python -m etl_platform run "$1" ${2:+--day "$2"}
}

main "$@"
