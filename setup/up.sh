#!/usr/bin/env bash
# Starts the platform from nothing and runs the flights pipeline for the last complete day. Running again changes nothing
# that is right.
#
# usage: setup/up.sh
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh

# Shows what the services say that are not well.
show_the_unwell() {
  local service
  docker compose ps --all --format 'table {{.Service}}\t{{.Status}}' | sed 's/^/   /' >&2
  for service in $(docker compose ps --all --format '{{.Service}}|{{.State}}|{{.Health}}|{{.ExitCode}}' | awk -F '|' '
    $2 == "running" && ($3 == "" || $3 == "healthy") || $2 == "exited" && $4 == 0 || $2 == "created" { next }
    { print $1 }'); do
    printf '\n   the last lines of %s:\n' "$service" >&2
    docker logs --tail 20 "$(docker compose ps --all --quiet "$service")" 2>&1 | sed 's/^/     /' >&2
  done
}

# Runs the pipeline and keeps the report's address for the end.
run_flights() {
  local output status=0
  output=$(mktemp)
  setup/run.sh flights | tee "$output" || status=$?
  report=$(sed -n 's/^Report: *//p' "$output" | tail -n 1)
  rm -f "$output"
  return "$status"
}

main() {
  local report=
  case ${1:-} in
    --help | -h) print_help && return ;;
    '') ;;
    *) refuse "unknown option '$1'" "usage: setup/up.sh" ;;
  esac
  setup/prepare.sh
  build_images
  step "Starting the services"
  if ! change starting up --detach --wait --wait-timeout 600; then
    show_the_unwell
    refuse "the platform is not healthy" "where: above; all of a service's log: make logs SERVICE=NAME" "to do: mend what it says, then run make up again"
  fi
  step "Running the flights pipeline for the last complete day"
  if ! run_flights; then
    complain "the platform is up, but the run did not succeed" "where: above, and the task's log in Airflow: http://localhost:$(airflow_port)" \
      "to do: mend what it says, then: make run PIPELINE=flights"
    return 1
  fi
  step "The platform is up"
  say "Airflow    http://localhost:$(airflow_port), user admin, password: make password"
  say "Warehouse  127.0.0.1:$(postgres_port), database warehouse, user analyst, password: make password; or at once: make psql"
  [ -z "$report" ] || say "Report     $report"
  say "Stop       make down (keeps all data)"
}

main "$@"
