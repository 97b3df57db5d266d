#!/usr/bin/env bash
# Runs a command in the tools image, on the repository as it stands: pytest, ruff, mypy, a shell.
#
# usage: setup/tools.sh COMMAND [ARGUMENT...]
#
# Prepares the machine and builds the image first where that is needed. The repository is mounted at its own path, so that a
# bind mount which a test asks Docker for means the same inside and outside; the command runs as the user who calls.
# Why a container: docs/decisions/tests-in-a-container.md
#
#   ETL_TOOLS_NAME  the container's name, if it is to have one
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh

# Variables that tell tests which stack is theirs.
readonly passed="COMPOSE_PROJECT_NAME ETL_TAG AIRFLOW_PORT POSTGRES_PORT ETL_SUBNET GUARD_USER ETL_TEST_KEEP"
image=etl-platform/tools:$(tag)
readonly image

# Prints "VARIABLE=IMAGE" for each base image, as `make up` would take it.
bases() {
  local variable official
  while read -r variable official _; do
    case $variable in '' | '#'*) continue ;; esac
    printf '%s=%s\n' "$variable" "$(setting "$variable" "$official")"
  done <etl_images/upstream/images
}

build() {
  local log status=0
  log=$(mktemp)
  # Few words where it is quick: all layers are there.
  patiently "building the tools image" logged "$log" docker build --progress plain --file etl_images/tools/Dockerfile \
    --build-arg "$(bases | grep '^PYTHON_IMAGE=')" --tag "$image" . || status=$?
  rm -f "$log"
  [ "$status" = 0 ] || refuse "the tools image could not be built" "where: etl_images/tools/Dockerfile, above" \
    "to do: mend what its last lines say, then run the same command again"
}

main() {
  local options member name base paths=$PWD/plugins
  case ${1:-} in
    '' | --help | -h) print_help && return ;;
  esac
  # shellcheck disable=SC2046  # a list
  if ! engine_answers || ! docker image inspect $(bases | cut -d = -f 2) >/dev/null 2>&1; then
    setup/prepare.sh
  fi
  build
  for member in etl_images/*/pyproject.toml; do
    paths="$paths:$PWD/$(dirname "$member")"
  done
  mkdir -p .cache/tmp
  options=(--rm --init --mount "type=bind,source=$PWD,target=$PWD" --workdir "$PWD")
  options+=(--volume "$socket:$socket")
  # What tests make in temporary folders, they may ask Docker to mount: these must be outside's folders too.
  options+=(--env "TMPDIR=$PWD/.cache/tmp" --env HOME=/tmp --env USER=etl --env PYTHONDONTWRITEBYTECODE=1)
  options+=(--env "PYTHONPATH=$paths")
  # The folder may belong to another user than the one in the container.
  options+=(--env GIT_CONFIG_COUNT=1 --env GIT_CONFIG_KEY_0=safe.directory --env 'GIT_CONFIG_VALUE_0=*')
  for name in $passed; do
    [ -z "$(setting "$name")" ] || options+=(--env "$name=$(setting "$name")")
  done
  for base in $(bases); do
    options+=(--env "$base")
  done
  if [ -n "${ETL_TOOLS_NAME:-}" ]; then
    options+=(--name "$ETL_TOOLS_NAME")
  fi
  if engine_is_native; then
    options+=(--user "$(id -u):$(id -g)" --group-add "$(socket_group)")
  else
    # Docker Desktop gives what is written to the user by itself, and its socket to root.
    options+=(--user 0:0)
  fi
  if [ -t 0 ] && [ -t 1 ]; then
    options+=(--interactive --tty --env "TERM=${TERM:-xterm}")
  fi
  exec docker run "${options[@]}" "$image" "$@"
}

main "$@"
