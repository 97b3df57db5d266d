#!/usr/bin/env bash
# Checks that this machine can run the platform, and changes nothing.
#
# usage: setup/preflight.sh
#
# Looks at the engine's and Compose's versions, disk, memory, the ports (AIRFLOW_PORT, POSTGRES_PORT) and the subnet
# (ETL_SUBNET). Every problem is listed, each with what to do; then the exit code is 2.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh
. setup/subnet.sh

readonly wanted_engine=26.0
readonly wanted_compose=2.26
readonly wanted_memory_mib=3800 # "4 GB" machines have a little less
readonly wanted_disk_mib=6000   # all images built, and one day's data
readonly spare_disk_mib=1000    # the images are there already
problems=
count=0
facts=

problem() {
  problems="$problems  $1
"
  count=$((count + 1))
}

fact() { facts="$facts${facts:+, }$1"; }

ask_engine() { docker info --format "$1" 2>/dev/null; }

# True if version $1 is at least $2 (major.minor; what follows does not matter).
at_least() {
  awk -v have="$1" -v want="$2" 'BEGIN {
    sub(/^v/, "", have); split(have, h, /[.+~-]/); split(want, w, ".")
    exit !(h[1] + 0 > w[1] + 0 || (h[1] + 0 == w[1] + 0 && h[2] + 0 >= w[2] + 0)) }'
}

check_tools() {
  local tool
  for tool in awk cat cp cut df grep head mktemp sed sort tail tr; do
    command -v "$tool" >/dev/null || problem "tools: there is no '$tool' in PATH. Install it with this system's packages"
  done
}

check_engine() {
  local version
  version=$(docker version --format '{{.Server.Version}}')
  if at_least "$version" "$wanted_engine"; then
    fact "Docker Engine $version"
  else
    problem "engine: Docker Engine $version runs here, $wanted_engine or later is needed (volumes mounted by sub-path). Upgrade it: https://docs.docker.com/engine/install/"
  fi
  version=$(docker compose version --short 2>/dev/null || true)
  if [ -z "$version" ]; then
    problem "compose: 'docker compose' is not there. Install the plugin, $wanted_compose or later: https://docs.docker.com/compose/install/linux/"
  elif at_least "$version" "$wanted_compose"; then
    fact "Compose $version"
  else
    problem "compose: version $version, $wanted_compose or later is needed. Upgrade the plugin: https://docs.docker.com/compose/install/linux/"
  fi
  docker buildx version >/dev/null 2>&1 ||
    problem "buildx: 'docker buildx' is not there, and images need it. Install the plugin: https://docs.docker.com/build/install-buildx/"
  case $(ask_engine '{{.SecurityOptions}}') in
    *name=rootless*) problem "engine: it runs rootless, and our guard needs the socket /var/run/docker.sock. Use the system's engine: docker context use default" ;;
  esac
}

check_disk() {
  local root wanted=$wanted_disk_mib free
  root=/var/lib/docker
  if [ -n "$engine" ]; then
    root=$(ask_engine '{{.DockerRootDir}}')
    docker image inspect "etl-platform/airflow:$(tag)" >/dev/null 2>&1 && wanted=$spare_disk_mib
  fi
  # Docker Desktop keeps its files in a virtual disk: what counts then is the disk that this grows on.
  while [ ! -d "$root" ]; do root=$(dirname "$root"); done
  free=$(df -Pk "$root" | awk 'NR == 2 { print int($4 / 1024) }')
  if [ "$free" -ge "$wanted" ]; then
    fact "$((free / 1000)) GB of disk free"
  else
    problem "disk: $free MB free at $root, $wanted MB needed. Free some, for instance: docker system prune"
  fi
}

check_memory() {
  local mib
  if [ -n "$engine" ]; then
    mib=$(($(ask_engine '{{.MemTotal}}') / 1048576))
  else
    mib=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
  fi
  if [ "$mib" -ge "$wanted_memory_mib" ]; then
    fact "$((mib / 1024)) GB of memory"
  else
    problem "memory: Docker has $mib MB, $wanted_memory_mib MB needed. Give it more (Docker Desktop: Settings, Resources), or take a larger machine"
  fi
}

# True if port $1 is published by our own containers.
is_ours() {
  [ -n "$engine" ] &&
    [ -n "$(docker ps --quiet --filter "label=com.docker.compose.project=$(project)" --filter "publish=$1")" ]
}

check_port() {
  local name=$1 port=$2
  case $port in
    *[!0-9]* | '')
      problem "$name: '$port' is not a port. Write a number from 1 to 65535 into .env"
      return
      ;;
  esac
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && ! is_ours "$port"; then
    problem "$name: port $port is taken by another program. Stop that (lsof -i :$port says which), or write another port into .env: $name=$((port + 1))"
  fi
}

check_ports() {
  local airflow postgres
  airflow=$(airflow_port) postgres=$(postgres_port)
  check_port AIRFLOW_PORT "$airflow"
  check_port POSTGRES_PORT "$postgres"
  if [ "$airflow" = "$postgres" ]; then
    problem "POSTGRES_PORT: the same as AIRFLOW_PORT ($airflow). Write another port into .env"
  fi
  fact "ports $airflow and $postgres"
}

check_subnet() {
  local wanted used users free
  wanted=$(subnet)
  if ! printf '%s\n' "$wanted" | grep -Eqx '([0-9]{1,3}\.){3}0/24'; then
    problem "ETL_SUBNET: '${wanted%.0/24}' is not the first three octets of a network. Write such into .env: ETL_SUBNET=10.213.16"
    return
  fi
  used=$(networks_in_use)
  users=$(users_of "$wanted" "$used" | head -n 1)
  if [ -n "$users" ]; then
    free=$(first_free "$used")
    # A subnet that nobody chose, `make up` chooses (setup/prepare.sh).
    if [ -n "$(setting ETL_SUBNET)" ] || [ -z "$free" ]; then
      problem "ETL_SUBNET: $wanted overlaps with $users. Write a free one into .env: ETL_SUBNET=${free:-x.y.z}"
    fi
    wanted=$free.0/24
  fi
  fact "subnet $wanted"
}

main() {
  local obstacle
  case ${1:-} in
    --help | -h) print_help && return ;;
    '') ;;
    *) refuse "unknown option '$1'" "usage: setup/preflight.sh" ;;
  esac
  check_tools
  engine=
  if engine_answers; then
    engine=yes
    check_engine
  else
    obstacle=$(setup/engine.sh --obstacle)
    [ -z "$obstacle" ] || problem "$obstacle"
    fact "no Docker Engine yet"
  fi
  # Without an engine the machine's own figures hold; on a Mac it has none that matter.
  if [ -n "$engine" ] || [ -r /proc/meminfo ]; then
    check_memory
    check_disk
  fi
  check_ports
  check_subnet
  if [ "$count" -gt 0 ]; then
    printf '\nThis machine is not ready: %s problem%s, and nothing was changed.\n%s' "$count" "$([ "$count" = 1 ] || echo s)" "$problems" >&2
    printf 'Then run the same command again.\n' >&2
    exit 2
  fi
  say "$facts"
}

main "$@"
