#!/usr/bin/env bash
# Measures our stages beside psql and their peers, in one run, and prints a table a job.
#
# usage: setup/bench.sh [--rounds 5] [--times 10] [--only JOB...] [--without PEER...] [--write]
#
# Takes about an hour with every peer. Whatever happens, what it starts (a Compose project of its own, etl-bench) is removed in
# the end; the images stay, for the next time. What is measured and how: docs/benchmarks.md
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh
. setup/subnet.sh
. setup/runner.sh

export COMPOSE_PROJECT_NAME=etl-bench
export ETL_TAG=bench
export AIRFLOW_PORT=18081
export POSTGRES_PORT=15434
export ETL_TOOLS_NAME=etl-bench-runner

remove_contenders() {
  local contenders
  contenders=$(docker ps --all --quiet --filter "volume=$COMPOSE_PROJECT_NAME-bench")
  # shellcheck disable=SC2086  # a list
  [ -z "$contenders" ] || docker rm --force $contenders
  docker network rm "$COMPOSE_PROJECT_NAME-load"
  docker volume rm "$COMPOSE_PROJECT_NAME-bench"
}

clean_up() {
  local status=$?
  stop_runner
  # What the runner removes itself, unless it was killed.
  docker rm --force --volumes "$COMPOSE_PROJECT_NAME-load-postgres" >/dev/null 2>&1 || true
  remove_contenders >/dev/null 2>&1 || true
  remove_project || [ "$status" != 0 ] || status=1
  rm -rf "$log" .cache/bench || true
  exit "$status"
}

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
  esac
  begin_run "a bench runs" "${ETL_SUBNET:-10.213.18}"
  build_images
  step "Building the peers' image"
  patiently "building the peers' image" logged "$log" docker build --progress plain --file tests/bench/Dockerfile \
    --build-arg "PYTHON_IMAGE=$(setting PYTHON_IMAGE python:3.13-slim-trixie)" --tag "etl-bench:$(tag)" . ||
    refuse "the peers' image could not be built" "where: tests/bench/Dockerfile, above" "to do: mend what its last lines say, then run the same command again"
  step "Measuring"
  run_tools python -m tests.bench "$@"
}

main "$@"
