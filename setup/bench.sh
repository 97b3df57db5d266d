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

export COMPOSE_PROJECT_NAME=etl-bench
export ETL_TAG=bench
export AIRFLOW_PORT=18081
export POSTGRES_PORT=15434
export ETL_TOOLS_NAME=etl-bench-runner
runner=
log=

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
  trap '' INT TERM HUP
  if [ -n "$runner" ]; then
    kill "$runner" 2>/dev/null || true
    docker rm --force "$ETL_TOOLS_NAME" >/dev/null 2>&1 || true
    wait "$runner" 2>/dev/null || true
  fi
  # What the runner removes itself, unless it was killed.
  docker rm --force --volumes "$COMPOSE_PROJECT_NAME-load-postgres" >/dev/null 2>&1 || true
  remove_contenders >/dev/null 2>&1 || true
  if ! setup/down.sh --data >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    [ "$status" != 0 ] || status=1
  fi
  rm -rf "$log" .cache/bench || true
  exit "$status"
}

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
  esac
  ETL_SUBNET=$(first_free "$(networks_in_use)" "${ETL_SUBNET:-10.213.18}")
  export ETL_SUBNET
  setup/prepare.sh
  if [ -n "$(docker ps --quiet --filter "name=^$ETL_TOOLS_NAME\$")" ]; then
    refuse "a bench runs on this machine already" "where: container $ETL_TOOLS_NAME" "to do: wait for its end, or stop it: docker rm --force $ETL_TOOLS_NAME"
  fi
  log=$(mktemp)
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  build_images
  step "Building the peers' image"
  patiently "building the peers' image" logged "$log" docker build --progress plain --file tests/bench/Dockerfile \
    --build-arg "PYTHON_IMAGE=$(setting PYTHON_IMAGE python:3.13-slim-trixie)" --tag "etl-bench:$(tag)" . ||
    refuse "the peers' image could not be built" "where: tests/bench/Dockerfile, above" "to do: mend what its last lines say, then run the same command again"
  step "Measuring"
  # In the background: bash hears a signal at once only while it waits.
  setup/tools.sh python -m tests.bench "$@" &
  runner=$!
  wait "$runner"
}

main "$@"
