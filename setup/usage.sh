#!/usr/bin/env bash
# Lists pipelines and stages with their limits beside what their last tries took, and proposes limits that fit.
#
# usage: setup/usage.sh [PIPELINE...] [--tries N] [--json]
#
# Of each stage its last 30 tries count, or N, as etl.stage_runs has them. Exit code: 0, or 2 if it could not be found out.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh

# Prints the last tries of each stage, a line of JSON each, the oldest first.
last_tries() {
  docker compose exec -T --user postgres postgres psql --no-psqlrc --quiet --tuples-only --no-align \
    --username analyst --set ON_ERROR_STOP=1 --set "tries=$1" --file - warehouse <<'SQL'
select jsonb_build_object(
  'pipeline', pipeline, 'stage', stage, 'state', state, 'seconds', seconds, 'cpu_seconds', cpu_seconds,
  'peak_memory', peak_memory, 'memory_limit', memory_limit, 'minutes', minutes
)
from (
  select *, row_number() over (partition by pipeline, stage order by started_at desc) as recent from etl.stage_runs
) as numbered
where recent <= :'tries'::int
order by pipeline, stage, started_at;
SQL
}

main() {
  local tries=30 lines words=()
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h) print_help && return ;;
      --tries) tries=${2:-} && shift ;;
      --json) words+=("$1") ;;
      -*) refuse "unknown option '$1'" "usage: setup/usage.sh [PIPELINE...] [--tries N] [--json]" ;;
      *) words+=("$1") ;;
    esac
    shift
  done
  case $tries in
    '' | *[!0-9]* | 0*) refuse "'$tries' is no number of tries" "usage: setup/usage.sh [PIPELINE...] [--tries N] [--json]" ;;
  esac
  [ -n "$(docker compose ps --quiet --status running airflow-apiserver 2>/dev/null)" ] ||
    refuse "the platform is not running" "where: service airflow-apiserver" "to do: make up"
  lines=$(last_tries "$tries") ||
    refuse "the warehouse does not tell" "where: etl.stage_runs, above" "to do: make up, which makes what is missing"
  docker compose exec -T --env PYTHONPATH=/opt/airflow/plugins airflow-apiserver \
    python -m etl_platform usage ${words[@]+"${words[@]}"} <<<"$lines"
}

main "$@"
