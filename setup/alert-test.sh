#!/usr/bin/env bash
# Sends a test message through the channels of alerts, and says of each what came of it.
#
# usage: setup/alert-test.sh [CHANNEL...]
#
# Without a name, through every channel that has an address, or that a pipeline or the defaults name. The exit code is 0 where
# all were sent.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
    -*) refuse "unknown option '$1'" "usage: make alert-test CHANNEL=mail" ;;
  esac
  need_running notifier
  docker compose exec -T notifier python -m etl_alerts test "$@" </dev/null
}

main "$@"
