#!/usr/bin/env bash
# Takes a secret of your own, from a file, from standard input or from the keyboard, and lets who reads it take it up.
#
# usage: setup/secret.sh NAME [FILE]
#
# NAME is a role of PostgreSQL (airflow, source_owner, extract, load, recorder, report, analyst), admin_password, fernet_key,
# jwt_secret or api_secret_key; or alerts/CHANNEL, the address by which people are told of troubles; or lineage/endpoint and
# lineage/token, by which events of lineage are sent.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/secrets.sh

main() {
  local name=${1:-} file=${2:-}
  case $name in
    --help | -h) print_help && return ;;
    alerts/* | lineage/*)
      local command=lineage
      [ "${name%%/*}" != alerts ] || command=channel
      [ -z "$file" ] || [ -r "$file" ] || refuse "there is no file '$file'" "to do: name one that you may read"
      require_secrets
      given "$file" "$name" | in_vault "$command" "${name#*/}" | sed 's/^/   /'
      return
      ;;
    fernet_key) runs airflow-apiserver || refuse "the platform is not running" "where: what Airflow has saved is encrypted anew" "to do: make up, then this again" ;;
    *) is_own_secret "$name" || refuse "there is no secret '$name' to set" "usage: make secret NAME=analyst FILE=password.txt" "to do: name one that docs/operations.md has, under Passwords" ;;
  esac
  [ -z "$file" ] || [ -r "$file" ] || refuse "there is no file '$file'" "to do: name one that you may read"
  require_secrets
  given "$file" "$name" | in_vault set "$name" | sed 's/^/   /'
  take_up "$name"
}

main "$@"
