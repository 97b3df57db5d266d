#!/usr/bin/env bash
# Says what is wrong with the pipeline files, by file and line, without a network or a running stack: their fields, their
# SQL, their twins, which the transform image imports, and their connections, where the platform was started once.
#
# usage: setup/check.sh [PIPELINE...] [--json]
#
# Exit code: 0 if all are well, 1 if one has a problem, 2 if it could not be found out.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh
. setup/desk.sh

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
    --json | --texts-only) ;;
    -*) refuse "unknown option '$1'" "usage: setup/check.sh [PIPELINE...] [--json]" ;;
  esac
  need_images airflow transform secrets
  desk check "$@"
}

main "$@"
