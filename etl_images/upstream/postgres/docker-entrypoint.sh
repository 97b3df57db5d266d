#!/usr/bin/env bash
# Makes the cluster when PGDATA is empty, then becomes the server: docker-library/postgres' interface as far as we use it.
# Not -u: init files are sourced, and were written for the official entrypoint, which has none.
set -eo pipefail

refuse() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Prints the value of variable $1, or the text of the file that $1_FILE names, or $2.
setting() {
  local value="${!1:-}" file="$1_FILE"
  if [ -n "$value" ] && [ -n "${!file:-}" ]; then
    refuse "both $1 and $file are set; set one of them"
  fi
  if [ -n "${!file:-}" ]; then
    [ -r "${!file}" ] || refuse "$file names ${!file}, which uid $(id -u) cannot read; check its owner and mode"
    value=$(<"${!file}")
  fi
  printf '%s' "${value:-${2:-}}"
}

# Runs psql as the superuser through the unix socket, on database $1.
ask() {
  local database=$1
  shift
  PGHOST='' PGHOSTADDR='' PGPASSWORD="$password" \
    psql --no-psqlrc --no-password --set ON_ERROR_STOP=1 --username "$superuser" --dbname "$database" "$@"
}

make_cluster() {
  local superuser password database arguments=() file
  superuser=$(setting POSTGRES_USER postgres)
  database=$(setting POSTGRES_DB "$superuser")
  password=$(setting POSTGRES_PASSWORD)
  [ -n "$password" ] || refuse "$PGDATA is empty and there is no superuser password; set POSTGRES_PASSWORD_FILE"
  # Words with quotes, as initdb would get them from a shell: --set "log_line_prefix=%m %u".
  eval "arguments=($(setting POSTGRES_INITDB_ARGS))"

  initdb --username "$superuser" --pwfile <(printf '%s\n' "$password") "${arguments[@]}"
  printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"

  # For the init files: with the server's own options, but nobody can reach it from outside.
  pg_ctl start --wait --silent --options "$(printf '%q ' "${@:2}" -c listen_addresses=)"
  if [ -z "$(ask postgres --tuples-only --set name="$database" <<<"select 1 from pg_database where datname = :'name'")" ]; then
    ask postgres --quiet --set name="$database" <<<'create database :"name"'
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sql) printf 'running %s\n' "$file" && ask "$database" --file "$file" ;;
      *.sh)
        printf 'running %s\n' "$file"
        # shellcheck disable=SC1090  # named by who mounts it
        if [ -x "$file" ]; then "$file"; else . "$file"; fi
        ;;
      */\*) ;;
      *) printf 'ignoring %s\n' "$file" ;;
    esac
  done
  pg_ctl stop --wait --silent --mode fast
  printf 'PostgreSQL init process complete; ready for start up.\n'
}

if [ "${1#-}" != "$1" ]; then
  set -- postgres "$@"
fi

if [ "$1" = postgres ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
    exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
  fi
  # Others may own a mounted folder: then the server itself says what it needs.
  chmod 0700 "$PGDATA" || true
  [ -s "$PGDATA/PG_VERSION" ] || make_cluster "$@"
fi

exec "$@"
