#!/usr/bin/env bash
# Keeps a connection of your own for pipelines: its URI, or what else its server wants. Without a name, lists those there are.
# With DELETE=1, deletes a connection, or one field of it.
#
# usage: [DELETE=1] setup/connection.sh [NAME [FIELD [FILE]]]
#
# FIELD is uri, token, username, password, headers, params or ca.pem; without it, uri, or all that is deleted. It is read from
# the file, from standard input or from the keyboard. The next stage that starts has it.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/secrets.sh

main() {
  local name=${1:-} field=${2:-} file=${3:-}
  case $name in
    --help | -h) print_help && return ;;
  esac
  require_secrets
  if [ "${DELETE:-}" = 1 ]; then
    [ -n "$name" ] || refuse "no connection is named" "usage: make connection NAME=shop DELETE=1" "to do: name one that make connection lists"
    in_vault disconnect "$name" ${field:+"$field"} </dev/null | sed 's/^/   /'
    return
  fi
  if [ -z "$name" ]; then
    in_vault connections </dev/null
    return
  fi
  [ -z "$file" ] || [ -r "$file" ] || refuse "there is no file '$file'" "to do: name one that you may read"
  field=${field:-uri}
  given "$file" "$field of $name" | in_vault connect "$name" "$field" | sed 's/^/   /'
}

main "$@"
