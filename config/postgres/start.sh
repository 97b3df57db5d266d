#!/usr/bin/env bash
# Starts PostgreSQL as the service `postgres` wants it: a cluster of ours, our settings, our list of who may enter.
#
#   ETL_SUBNET  first three octets of the platform's networks, such as 10.213.16
#   PGDATA      the cluster, a folder below the mounted volume
set -euo pipefail

refuse() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

here=$(dirname "$(readlink -f "$0")")
octet='(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'

[[ ${ETL_SUBNET:-} =~ ^$octet\.$octet\.$octet$ ]] ||
  refuse "ETL_SUBNET is '${ETL_SUBNET:-}'; it must be the first three octets of a network, such as 10.213.16"
[[ $(id -u) != 0 ]] || refuse "runs as root; run it as user 999, as docker-compose.yml does"
[[ -w $(dirname "$PGDATA") ]] ||
  refuse "$(dirname "$PGDATA") is not writable for uid $(id -u); the service 'secrets' gives the volume to it"
[[ -r /run/secrets/pair.pem ]] ||
  refuse "/run/secrets/pair.pem is not there, or not readable for uid $(id -u); the service 'secrets' writes it"

# Who may enter: the networks are known only now.
hba=/run/etl-postgres/pg_hba.conf
sed "s/@ETL_SUBNET@/$ETL_SUBNET/" "$here/pg_hba.conf" >"$hba"

# The cluster appears under its name only when it is complete, so that a start that is killed here can simply be repeated.
# The superuser gets no password: nobody can enter as postgres but through the unix socket, as the system's user postgres.
if [[ ! -e $PGDATA ]]; then
  rm -rf "$PGDATA.unfinished"
  # builtin C.UTF-8: text sorts alike in every image; a new C library cannot corrupt an index.
  initdb --pgdata "$PGDATA.unfinished" --username postgres --data-checksums --no-instructions \
    --auth-local peer --auth-host scram-sha-256 \
    --encoding UTF8 --locale C.UTF-8 --locale-provider builtin --builtin-locale C.UTF-8
  mv --no-target-directory "$PGDATA.unfinished" "$PGDATA"
fi

exec docker-entrypoint.sh postgres \
  -c "config_file=$here/postgresql.conf" -c "hba_file=$hba" -c "ident_file=$here/pg_ident.conf"
