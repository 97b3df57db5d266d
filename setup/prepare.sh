#!/usr/bin/env bash
# Prepares this machine for building and running: checks it, makes sure of an engine and of the base images, records in .env.
#
# usage: setup/prepare.sh
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh

# Where the socket belongs to a group, the guard runs as that group and never as root. A line of the user's own stays.
record_guard_user() {
  local group now
  engine_is_native || return 0
  group=$(socket_group)
  now=$(setting GUARD_USER)
  case $now in
    "10002:$group") ;;
    '' | 10002:*) [ "$group" = 0 ] || record GUARD_USER "10002:$group" ;;
  esac
}

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
    '') ;;
    *) refuse "unknown option '$1'" "usage: setup/prepare.sh" ;;
  esac
  step "Checking this machine"
  setup/preflight.sh
  step "Docker Engine"
  setup/engine.sh
  step "Base images"
  setup/bases.sh
  record_guard_user
}

main "$@"
