# shellcheck shell=bash
# Where authors' commands run: the Airflow image, with the pipeline files and the Engine, beside the platform and not in
# it. Sourced, after words.sh, settings.sh and docker.sh.

# Builds the images named, where one is not there.
need_images() {
  local service
  for service in "$@"; do
    docker image inspect "etl-platform/$service:$(tag)" >/dev/null 2>&1 && continue
    setup/prepare.sh
    build_images
    return
  done
}

# Runs a command of `python -m etl_platform`; what it writes belongs to who calls.
desk() {
  local folder options=()
  folder=$(setting ETL_PIPELINES ./config/pipelines)
  [ -d "$folder" ] || refuse "there is no folder '$folder'" "where: ETL_PIPELINES" "to do: name the folder of the pipeline files"
  folder=$(cd -- "$folder" && pwd)
  options=(--rm --init --network none --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges)
  # At its own path: what this container asks the Engine to mount is outside's.
  # shellcheck disable=SC2154  # docker.sh sets it
  options+=(--volume "$PWD/plugins:/opt/airflow/plugins:ro" --volume "$folder:$folder" --volume "$socket:$socket")
  options+=(--env PYTHONPATH=/opt/airflow/plugins --env PYTHONDONTWRITEBYTECODE=1 --env HOME=/tmp --entrypoint python)
  options+=(--env "COMPOSE_PROJECT_NAME=$(project)" --env "ETL_TAG=$(tag)" --env "ETL_PIPELINES=$folder")
  if engine_is_native; then
    options+=(--user "$(id -u):$(id -g)" --group-add "$(socket_group)")
  else
    options+=(--user 0:0) # as in setup/tools.sh
  fi
  if [ -t 0 ] && [ -t 1 ]; then
    options+=(--interactive --tty --env "TERM=${TERM:-xterm}")
  fi
  docker run "${options[@]}" "etl-platform/airflow:$(tag)" -m etl_platform "$@"
}
