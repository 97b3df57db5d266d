# shellcheck shell=bash
# What several scripts ask of Docker. Sourced, after words.sh and settings.sh.

readonly socket=/var/run/docker.sock

engine_answers() { [ -n "$(docker info --format '{{.ServerVersion}}' 2>/dev/null)" ]; }

# True if Docker runs on this kernel; Docker Desktop and its like have a machine of their own.
engine_is_native() {
  [ "$(uname -s)" = Linux ] && [ "$(docker info --format '{{.OperatingSystem}}')" != "Docker Desktop" ]
}

socket_group() { stat -c %g "$socket"; }

# Of BuildKit's plain lines, says the steps that are really done, each once, as it begins.
say_steps() {
  local line number any='' heading=() said=()
  while IFS= read -r line; do
    number=${line%% *} number=${number#\#}
    case $number in
      *[!0-9]* | '') continue ;;
    esac
    case $line in
      *' ['*/*'] FROM '*) ;;
      *' ['*/*'] '*) heading[number]=${line#* } ;;
      *' CACHED') ;;
      *)
        [ -n "${heading[number]:-}" ] && [ -z "${said[number]:-}" ] || continue
        say "${heading[number]}"
        said[number]=yes any=yes
        ;;
    esac
  done
  [ -n "$any" ] || say "nothing changed"
}

# Of Compose's plain lines, says once what became of each container.
say_states() {
  local line told=''
  while IFS= read -r line; do
    line=${line# } line=${line#Container }
    case $line in
      *' Waiting' | *ing | *' Created' | *' Recreate') continue ;;
    esac
    case $told in
      *"|$line|"*) ;;
      *) say "$line" ;;
    esac
    told="$told|$line|"
  done
}

compose_in_lines() { docker compose --ansi never "$@" 2>&1 | say_states; }

# Runs a command of Compose that changes containers; shows each change, and where no terminal is, that it goes on.
change() {
  local doing=$1
  shift
  if [ -t 1 ]; then
    docker compose "$@"
  else
    patiently "$doing" compose_in_lines "$@"
  fi
}

build_in_lines() { docker compose --progress plain --ansi never build 2>&1 | tee "$1" | say_steps; }

# Builds all images; shows each step, and everything only if it fails.
build_images() {
  local log status=0
  step "Building images"
  if [ -t 1 ]; then
    docker compose build || status=$?
  else
    log=$(mktemp)
    patiently building build_in_lines "$log" || status=$?
    [ "$status" = 0 ] || tail -n 40 "$log" | sed 's/^/     /' >&2
    rm -f "$log"
  fi
  [ "$status" = 0 ] || refuse "an image could not be built" "where: above" "to do: mend what its last lines say, then run the same command again"
}

# Stops where the platform's service $1 does not run.
need_running() {
  [ -n "$(docker compose ps --quiet --status running "$1" 2>/dev/null)" ] ||
    refuse "the platform is not running" "where: service $1" "to do: make up"
}

# Builds the images, where one that Compose names is not there.
need_every_image() {
  local image
  engine_answers || setup/prepare.sh
  for image in $(docker compose --profile '*' config --images); do
    docker image inspect "$image" >/dev/null 2>&1 && continue
    setup/prepare.sh
    build_images
    return
  done
}

# Prints the ids of stages' containers: the scheduler starts them, so Compose does not stop them.
stages() {
  docker ps --all --quiet --filter label=etl.run_id --filter "volume=$(project)_runs"
}
