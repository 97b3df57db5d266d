#!/usr/bin/env bash
# Measures our stages beside psql and their peers, in one run, and prints a table a job.
#
# usage: setup/bench.sh [--rounds 5] [--times 10] [--only JOB...] [--without PEER...] [--write]
#
# Takes about an hour with every peer. What is measured and how: docs/benchmarks.md
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh

main() {
  local log
  case ${1:-} in
    --help | -h) print_help && return ;;
  esac
  setup/prepare.sh
  build_images
  step "Building the peers' image"
  log=$(mktemp)
  patiently "building the peers' image" logged "$log" docker build --progress plain --file tests/bench/Dockerfile \
    --build-arg "PYTHON_IMAGE=$(setting PYTHON_IMAGE python:3.13-slim-trixie)" --tag "etl-bench:$(tag)" . ||
    refuse "the peers' image could not be built" "where: tests/bench/Dockerfile, above" "to do: mend what its last lines say, then run the same command again"
  rm -f "$log"
  step "Measuring"
  setup/tools.sh python -m tests.bench "$@"
}

main "$@"
