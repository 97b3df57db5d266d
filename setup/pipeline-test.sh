#!/usr/bin/env bash
# Runs the tests that pipelines have of their own, config/pipelines/tests/PIPELINE/CASE: the rows of given/ go through the
# real transform image, without a network or a running stack, and what comes out is compared with the rows of expected/.
#
# usage: setup/pipeline-test.sh [PIPELINE...] [--json]
#
# Exit code: 0 if all pass, 1 if one does not, 2 if there is none or they could not be run.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh
. setup/desk.sh

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
    --json) ;;
    -*) refuse "unknown option '$1'" "usage: setup/pipeline-test.sh [PIPELINE...] [--json]" ;;
  esac
  need_images airflow transform
  desk test "$@"
}

main "$@"
