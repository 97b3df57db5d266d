#!/usr/bin/env bash
# Writes a pipeline to begin with: its file, its twin, and a test with given and expected rows. Nothing is overwritten.
#
# usage: setup/new.sh PIPELINE [--from SOURCE] [--transform pandas|sql|none] [--key COLUMN,...] [--schedule CRON]
#                     [--timezone ZONE] [--no-look] [--json]
#
# In a terminal it asks for what no option says. SOURCE is an address such as https://example.org/orders.csv, files of the
# inbox such as orders/*.csv, or CONNECTION.TABLE. Where the platform runs, it looks at the source for its columns.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh
. setup/desk.sh

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
    '' | -*) refuse "no pipeline is named" "usage: make new PIPELINE=orders FROM=https://example.org/orders.csv" ;;
  esac
  need_images airflow extract load
  desk new "$@"
}

main "$@"
