#!/usr/bin/env bash
# Says what is wrong with the pipeline files, by file and line, without a network or a running stack.
#
# usage: setup/check.sh [PIPELINE...]
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh

main() {
  local image
  case ${1:-} in
    --help | -h) print_help && return ;;
    -*) refuse "unknown option '$1'" "usage: setup/check.sh [PIPELINE...]" ;;
  esac
  image="etl-platform/airflow:$(tag)"
  if ! docker image inspect "$image" >/dev/null 2>&1; then
    setup/prepare.sh
    build_images
  fi
  docker run --rm --network none --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
    --volume "$PWD/plugins:/opt/airflow/plugins:ro" \
    --volume "$PWD/config/pipelines:/opt/airflow/config/pipelines:ro" \
    --env PYTHONPATH=/opt/airflow/plugins --env PYTHONDONTWRITEBYTECODE=1 \
    "$image" python -m etl_platform check "$@"
}

main "$@"
