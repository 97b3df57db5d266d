#!/usr/bin/env bash
# Brings quarantined rows back, after a fix: lets the runs that set rows aside do their work once more.
#
# usage: setup/replay.sh PIPELINE
#
# Each run reads its interval again, with the pipeline as it is now, and what it sets aside now replaces what it set aside
# before. Where a source remembers what it gave (a cursor, files), a run starts from the rows that it read then, and
# every later run follows it.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh

# Answers a query against the warehouse, a line a row; the pipeline's name is bound.
ask() {
  docker compose exec -T --user postgres postgres psql --no-psqlrc --quiet --tuples-only --no-align \
    --set ON_ERROR_STOP=1 --set "pipeline=$1" --file - warehouse
}

# Lists the runs that set rows aside.
quarantined() {
  ask "$1" <<'SQL'
select run_id from quarantine.rows where pipeline = :'pipeline'
group by run_id order by min(interval_start), min(interval_end), run_id;
SQL
}

# Lists the runs that have loaded since the first of them, in the order of their intervals.
loaded_since() {
  ask "$1" <<'SQL'
with about as (
  select run_id, min(interval_start) as start, min(interval_end) as until from etl.loads
  where pipeline = :'pipeline' group by run_id
  union
  select run_id, min(interval_start), min(interval_end) from quarantine.rows
  where pipeline = :'pipeline' group by run_id
)
select run_id from about
where start >= (select min(interval_start) from quarantine.rows where pipeline = :'pipeline')
group by run_id order by min(start), min(until), run_id;
SQL
}

# Counts what is in quarantine, by dataset and rule.
summary() {
  ask "$1" <<'SQL'
select format('  %s: %s: %s rows of %s runs', dataset, rule, to_char(count(*), 'FM999,999,999,999'), count(distinct run_id))
from quarantine.rows where pipeline = :'pipeline' group by dataset, rule order by count(*) desc, dataset, rule;
SQL
}

main() {
  local -a runs aside
  local list left status=0
  case ${1:-} in
    --help | -h) print_help && return ;;
    '' | -*) refuse "'${1:-}' is not a pipeline" "usage: setup/replay.sh PIPELINE" ;;
  esac
  need_running airflow-apiserver
  list=$(quarantined "$1")
  if [ -z "$list" ]; then
    echo "$1: nothing is in quarantine"
    return
  fi
  mapfile -t aside <<<"$list"
  list=$(loaded_since "$1")
  mapfile -t runs <<<"$list"
  docker compose exec -T --env PYTHONPATH=/opt/airflow/plugins airflow-apiserver \
    python -m etl_platform replay "$1" "${runs[@]}" --quarantined "${aside[@]}" || status=$?
  left=$(summary "$1")
  if [ -n "$left" ]; then
    printf '%s: still in quarantine:\n%s\n' "$1" "$left"
  else
    echo "$1: nothing is in quarantine any more"
  fi
  return "$status"
}

main "$@"
