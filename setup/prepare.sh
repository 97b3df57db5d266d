#!/usr/bin/env bash
# Prepares this machine for building and running: checks it, makes sure of an engine and of the base images, records in .env.
#
# usage: setup/prepare.sh
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh
. setup/subnet.sh

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

# Where nobody chose a subnet and the usual one is taken, takes another.
settle_subnet() {
  local used
  [ -z "$(setting ETL_SUBNET)" ] || return 0
  used=$(networks_in_use)
  [ -z "$(users_of "$(subnet)" "$used")" ] || record ETL_SUBNET "$(first_free "$used")"
}

main() {
  local engine_was_there=
  case ${1:-} in
    --help | -h) print_help && return ;;
    '') ;;
    *) refuse "unknown option '$1'" "usage: setup/prepare.sh" ;;
  esac
  step "Checking this machine"
  ! engine_answers || engine_was_there=yes
  setup/preflight.sh
  step "Docker Engine"
  setup/engine.sh
  # What only an engine can tell.
  [ -n "$engine_was_there" ] || setup/preflight.sh
  step "Base images"
  setup/bases.sh
  record_guard_user
  settle_subnet
}

main "$@"
