# shellcheck shell=bash
# What .env and the environment say. Sourced, with the repository's root as the current folder.

# Prints variable $1 as Compose would see it: the environment's, else .env's, else $2.
setting() {
  local value="${!1:-}"
  if [ -z "$value" ] && [ -e .env ]; then
    value=$(awk -v name="$1" '
      index($0, name "=") == 1 {
        value = substr($0, length(name) + 2)
        if (value !~ /^["\047]/) sub(/[ \t]+#.*$/, "", value)
        sub(/[ \t\r]+$/, "", value)
        if (value ~ /^".*"$/ || value ~ /^\047.*\047$/) value = substr(value, 2, length(value) - 2)
      }
      END { print value }' .env)
  fi
  printf '%s\n' "${value:-${2:-}}"
}

# Makes .env from .env.example where there is none.
make_env() {
  [ -e .env ] && return
  cp .env.example .env
  say "wrote .env (from .env.example): what is particular to this machine"
}

# Writes $1=$2 into .env, in place of an older line or at its end; other lines stay as they are.
record() {
  local new
  new=$(mktemp)
  awk -v name="$1" -v value="$2" '
    index($0, name "=") == 1 { if (!done) print name "=" value; done = 1; next }
    { print }
    END { if (!done) print name "=" value }' .env >"$new"
  # Not mv: the file keeps its mode and its owner.
  cat "$new" >.env
  rm -f "$new"
  say "recorded in .env: $1=$2"
}

project() { setting COMPOSE_PROJECT_NAME etl; }
tag() { setting ETL_TAG local; }
airflow_port() { setting AIRFLOW_PORT 8080; }
postgres_port() { setting POSTGRES_PORT 5433; }
subnet() { printf '%s.0/24\n' "$(setting ETL_SUBNET 10.213.16)"; }
