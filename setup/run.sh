#!/usr/bin/env bash
# Runs a pipeline now, on the running platform, and follows it to its end.
#
# usage: setup/run.sh PIPELINE [YYYY-MM-DD] [OPTION...]
#
# Without a day it is about the last complete interval. The options are those of: setup/run.sh PIPELINE --help
#
#   --start, --end      a span of time instead of a day
#   --dry-run           stops before load, and shows what would be loaded
#   --full-refresh      reads the sources from their beginning, and replaces the tables' rows
#   --param NAME=VALUE  one of the pipeline's params
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
    '' | -*) refuse "'${1:-}' is not a pipeline" "usage: setup/run.sh PIPELINE [YYYY-MM-DD] [OPTION...]" ;;
  esac
  need_running airflow-apiserver
  local pipeline=$1
  shift
  case ${1:-} in
    '' | -*) ;;
    *) set -- --day "$@" ;;
  esac
  docker compose exec -T --env PYTHONPATH=/opt/airflow/plugins airflow-apiserver \
    python -m etl_platform run "$pipeline" "$@"
}

main "$@"
