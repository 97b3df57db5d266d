#!/usr/bin/env bash
# Brings roles, databases, schemas and grants to what the files beside this one say. Run again, it changes nothing.
#
# Works through the unix socket, as the system's user postgres. Passwords are not known here: /run/secrets has verifiers.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
secrets=${ETL_SECRETS:-/run/secrets}
roles=(airflow source_owner extract load recorder report analyst)

problems=()
for role in "${roles[@]}"; do
  file=$secrets/$role.scram
  if [[ ! -r $file ]]; then
    problems+=("$file is not there, or not readable for uid $(id -u); the service 'secrets' writes it")
  elif [[ $(<"$file") != 'SCRAM-SHA-256$'* ]]; then
    # PostgreSQL would take any other text for a password.
    problems+=("$file is no SCRAM-SHA-256 verifier; delete it, and the service 'secrets' makes it anew")
  fi
done
if ((${#problems[@]})); then
  printf 'error: %s\n' "${problems[@]}" >&2
  exit 1
fi

# No statement of this session is logged, not even one that fails: it could be one with a verifier.
settings=(log_statement=none log_min_error_statement=panic log_min_duration_statement=-1 client_min_messages=warning)
# We are the superuser: nothing that a database's owner put into its schema public is to be called in place of PostgreSQL's own.
settings+=(search_path=pg_catalog)
export PGOPTIONS=${settings[*]/#/-c }
export PGAPPNAME=postgres-roles PGUSER=postgres ETL_SECRETS=$secrets

run() {
  psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 "$@" >/dev/null
}

run --dbname postgres --file "$here/roles.sql"
run --dbname airflow --single-transaction --set writer=airflow --file "$here/every_database.sql"
run --dbname source --single-transaction --set writer=source_owner --file "$here/every_database.sql" --file "$here/source.sql"
run --dbname warehouse --single-transaction --set writer=load --file "$here/every_database.sql" --file "$here/warehouse.sql"
# What else is to be taken up: a new certificate, who may enter.
run --dbname postgres --command 'select pg_reload_conf()'
printf 'PostgreSQL has its roles, databases, schemas and grants.\n'
