#!/usr/bin/env bash
# Looks for known holes: in the Python packages of every image, in its Debian packages, in the Dockerfiles, and with Trivy
# where that can be had. What fails, and what is let pass until when, stands in config/scan.yaml.
#
# usage: setup/scan.sh [CHECK...] [--json]
#
# Checks: python, debian, dockerfiles, trivy; without a name, all. Images that are not there are built.
#
# Ends with 0: nothing that fails; 1: something was found; 2: something could not be looked up, so that nobody knows.
# More: docs/security.md
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh
. setup/trivy.sh

main() {
  local word checks=
  for word in "$@"; do
    case $word in
      --help | -h) print_help && return ;;
      --json) ;;
      python | debian | dockerfiles | trivy) checks="$checks $word" ;;
      *) refuse "'$word' is not a check" "the checks: python debian dockerfiles trivy" "usage: setup/scan.sh [CHECK...] [--json]" ;;
    esac
  done
  # What is said on the way is no part of the answer.
  {
    need_every_image
    case "${checks:- trivy}" in
      *trivy*) run_trivy ;;
    esac
  } >&2
  exec setup/tools.sh python -m etl_scan scan "$@"
}

main "$@"
