# shellcheck shell=bash
# What several scripts ask of Docker. Sourced, after words.sh and settings.sh.

readonly socket=/var/run/docker.sock

engine_answers() { [ -n "$(docker info --format '{{.ServerVersion}}' 2>/dev/null)" ]; }

# True if Docker runs on this kernel; Docker Desktop and its like have a machine of their own.
engine_is_native() {
  [ "$(uname -s)" = Linux ] && [ "$(docker info --format '{{.OperatingSystem}}')" != "Docker Desktop" ]
}

socket_group() { stat -c %g "$socket"; }

# Compose, in plain lines where no terminal is.
compose() {
  if [ -t 1 ]; then
    docker compose "$@"
  else
    docker compose --progress plain --ansi never "$@"
  fi
}

# Prints the ids of stages' containers: Compose does not know them, but they use its volumes.
stages() {
  local volume
  for volume in runs reports; do
    docker ps --all --quiet --filter "volume=$(project)_$volume"
  done | sort -u | while read -r id; do
    [ -n "$(docker inspect --format '{{index .Config.Labels "com.docker.compose.project"}}' "$id")" ] || echo "$id"
  done
}
