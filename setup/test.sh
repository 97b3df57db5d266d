#!/usr/bin/env bash
# Runs the tests, with all the set-up that they need, and removes the stack that they start.
#
# usage: setup/test.sh [ARGUMENT OF PYTEST...]
#
# The stack of the tests is a Compose project of its own (etl-test), with its own images' tag, ports, networks and volumes: it
# may run beside one that people use. Whatever happens to the tests, it is removed in the end; ETL_TEST_KEEP=1 keeps it, to look
# into it and to find it running the next time (`make clean` removes it).
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh
. setup/subnet.sh
. setup/runner.sh

export COMPOSE_PROJECT_NAME=etl-test
export ETL_TAG=test
export AIRFLOW_PORT=18080
export POSTGRES_PORT=15433
export ETL_TOOLS_NAME=etl-test-runner

# All tests: those of the running stack mostly wait, so the others run meanwhile, in a project and a subnet ($1) of their own.
# shellcheck disable=SC2016  # for the shell in the container
readonly everything='
  pytest tests/e2e >.cache/tmp/e2e.log 2>&1 &
  COMPOSE_PROJECT_NAME=etl-parts ETL_SUBNET=$1 pytest --ignore=tests/e2e
  parts=$?
  wait $!
  stack=$?
  cat .cache/tmp/e2e.log
  [ "$parts" = 0 ] || exit "$parts"
  exit "$stack"'

clean_up() {
  local status=$?
  # Without words: the last ones are pytest's.
  stop_runner
  if [ "${ETL_TEST_KEEP:-}" = 1 ]; then
    :
  elif ! remove_project; then
    printf 'error: the stack of the tests could not be removed\n  where: project %s, above\n  to do: COMPOSE_PROJECT_NAME=%s setup/down.sh --data\n' \
      "$COMPOSE_PROJECT_NAME" "$COMPOSE_PROJECT_NAME" >&2
    [ "$status" != 0 ] || status=1
  fi
  rm -rf "$log" .cache/tmp || true
  exit "$status"
}

main() {
  case ${1:-} in
    --help) print_help && return ;;
  esac
  begin_run "tests run" 10.213.17
  build_images
  step "Testing"
  if [ $# = 0 ]; then
    run_tools sh -c "$everything" everything "$(first_free "$(networks_in_use)"$'\n'"$ETL_SUBNET.0/24 the stack of the tests" 10.213.19)"
  elif [ -t 0 ] && [ -t 1 ]; then
    setup/tools.sh pytest "$@"
  else
    run_tools pytest "$@"
  fi
}

main "$@"
