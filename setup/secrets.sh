# shellcheck shell=bash
# How secrets are changed while the platform runs. Sourced, after words.sh and settings.sh.
#
# A secret is in no argument, variable or log: it goes through a pipe into the volume, and its readers find it there.

# Those that can be rotated and set, in the order in which the service `secrets` has them.
readonly own_secrets="airflow source_owner extract load recorder report analyst admin_password fernet_key jwt_secret api_secret_key"

is_own_secret() {
  local name
  for name in $own_secrets; do
    [ "$name" != "$1" ] || return 0
  done
  return 1
}

# Runs a command of the service `secrets`, with our standard input.
in_vault() { docker compose --progress quiet run --rm --no-deps --no-TTY secrets "$@"; }

require_secrets() {
  docker volume inspect "$(project)_secrets" >/dev/null 2>&1 ||
    refuse "there are no secrets yet" "where: the volume $(project)_secrets is not there" "to do: make up"
}

# Prints what is to be kept: file $1's text, else what comes by standard input; in a terminal it is asked for, and not shown.
given() {
  local value
  if [ -n "${1:-}" ]; then
    cat -- "$1"
  elif [ -t 0 ]; then
    printf '%s (it is not shown): ' "$2" >&2
    IFS= read -rs value
    printf '\n' >&2
    printf '%s' "$value"
  else
    cat
  fi
}

runs() { [ -n "$(docker compose ps --quiet --status running "$1")" ]; }

apply_roles() {
  docker compose --progress quiet run --rm --no-deps --no-TTY postgres-roles </dev/null >/dev/null ||
    refuse "PostgreSQL did not take it up" "where: above" "to do: mend what it says, then: make up"
  say "PostgreSQL has taken it up; sessions that are open go on"
}

# First the scheduler, while the server still knows its tokens. A stage under way waits in its container, and is found again.
restart_airflow() {
  say "restarting Airflow; a stage under way goes on afterwards"
  docker compose --progress quiet stop airflow-scheduler
  docker compose --progress quiet restart airflow-apiserver airflow-dag-processor
  docker compose --progress quiet up --detach --no-deps --no-build --wait airflow-apiserver airflow-dag-processor airflow-scheduler ||
    refuse "Airflow did not come back" "where: make logs SERVICE=airflow-apiserver" "to do: mend what it says, then: make up"
}

# Lets who reads secret $1 take it up.
take_up() {
  if ! runs postgres; then
    [ "$1" != authority ] || in_vault forget authority </dev/null >/dev/null
    say "the platform is not running: it is taken up at the next start"
    return
  fi
  case $1 in
    airflow)
      apply_roles
      restart_airflow
      ;;
    admin_password)
      docker compose --progress quiet run --rm --no-deps --no-TTY airflow-init </dev/null >/dev/null
      say "Airflow has taken it up: make password prints it"
      ;;
    jwt_secret | api_secret_key) restart_airflow ;;
    fernet_key)
      restart_airflow
      docker compose exec -T airflow-apiserver airflow rotate-fernet-key </dev/null >/dev/null ||
        refuse "what Airflow has saved was not encrypted anew" "where: above" "to do: make rotate SECRET=fernet_key, which goes on"
      in_vault forget fernet_key </dev/null >/dev/null
      restart_airflow
      ;;
    authority)
      apply_roles
      in_vault forget authority </dev/null >/dev/null
      ;;
    *) apply_roles ;;
  esac
}
