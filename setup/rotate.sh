#!/usr/bin/env bash
# Generates a secret anew, and lets who reads it take it up, while the platform runs: no run is lost.
#
# usage: setup/rotate.sh SECRET
#
# SECRET is a role of PostgreSQL (airflow, source_owner, extract, load, recorder, report, analyst), admin_password, fernet_key,
# jwt_secret, api_secret_key, tls (the server's key and certificate) or authority (who signed that).
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/secrets.sh

main() {
  local name=${1:-}
  case $name in
    --help | -h) print_help && return ;;
    tls | authority) ;;
    fernet_key) runs airflow-apiserver || refuse "the platform is not running" "where: what Airflow has saved is encrypted anew" "to do: make up, then this again" ;;
    *) is_own_secret "$name" || refuse "there is no secret '$name' to rotate" "usage: make rotate SECRET=load" "to do: name one that docs/operations.md has, under Passwords" ;;
  esac
  require_secrets
  in_vault rotate "$name" </dev/null | sed 's/^/   /'
  take_up "$name"
}

main "$@"
