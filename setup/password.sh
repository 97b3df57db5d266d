#!/usr/bin/env bash
# Prints the passwords that people need: Airflow's admin, and the warehouse's analyst.
#
# usage: setup/password.sh
#
# They are read from the secrets' volume by a container without network that is removed at once; the stack need not run.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh

main() {
  local volume
  case ${1:-} in
    --help | -h) print_help && return ;;
    '') ;;
    *) refuse "unknown option '$1'" "usage: setup/password.sh" ;;
  esac
  volume="$(project)_secrets"
  docker volume inspect "$volume" >/dev/null 2>&1 ||
    refuse "there are no passwords yet" "where: the volume $volume is not there" "to do: make up"
  # Each secret belongs to the one user that needs it: root may read them all, and may do nothing else.
  docker run --rm --network none --read-only --cap-drop ALL --cap-add DAC_READ_SEARCH --security-opt no-new-privileges \
    --user 0:0 --volume "$volume:/secrets:ro" --entrypoint sh "etl-platform/secrets:$(tag)" -c '
      printf "Airflow    admin    %s\n" "$(cat /secrets/airflow/admin_password)"
      printf "Warehouse  analyst  %s\n" "$(cat /secrets/analyst/password)"' ||
    refuse "the passwords could not be read" "where: the volume $volume" "to do: make up, which makes what is missing"
}

main "$@"
