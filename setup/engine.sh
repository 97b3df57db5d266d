#!/usr/bin/env bash
# Makes sure that a Docker Engine answers.
#
# usage: setup/engine.sh [--dry-run | --obstacle]
#
# An engine that answers is used as it is. Otherwise one that is installed is started; on Debian 12 and later Debian's own
# packages are installed first (Engine 26, Compose, Buildx, from Debian 13). Elsewhere: says how to get one.
#
#   --dry-run   print the commands that would change this machine, and run none of them
#   --obstacle  print what stands in the way of an engine here, if anything does, and do nothing
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh
. setup/debian.sh

readonly wanted_engine=26
readonly packages="docker.io docker-cli docker-compose docker-buildx iptables"
readonly engine_log=/var/log/etl-engine.log

# Prints the path of a dockerd that is new enough.
installed_engine() {
  local dockerd version
  dockerd=$(PATH=$PATH:/usr/sbin:/sbin command -v dockerd) || return 1
  version=$("$dockerd" --version 2>/dev/null | sed -n 's/^Docker version \([0-9]*\).*/\1/p')
  [ "${version:-0}" -ge "$wanted_engine" ] && printf '%s\n' "$dockerd"
}

# Prints field $1 of os-release, or $2 (testing has no VERSION_ID).
system() { (. /etc/os-release 2>/dev/null && printf '%s\n' "${!1:-${2:-}}"); }

# Prints, as one line each, what only a person can change before an engine can answer.
obstacle() {
  local told
  engine_answers && return
  told=${DOCKER_HOST:-$(docker context show 2>/dev/null || true)}
  if [ "$(uname -s)" = Darwin ]; then
    echo "engine: Docker does not answer. Start Docker Desktop (or Colima, OrbStack); to install it: https://docs.docker.com/desktop/setup/install/mac-install/"
  elif [ -n "$told" ] && [ "$told" != default ]; then
    echo "engine: docker is told to use '$told', and nothing answers there. Start that engine, or go back to this machine's: unset DOCKER_HOST; docker context use default"
  elif [ -S "$socket" ] && [ ! -w "$socket" ]; then
    echo "engine: $(id -un) may not use $socket. Run: sudo usermod -aG docker $(id -un), and log in again (members of that group can act as root)"
  elif installed_engine >/dev/null; then
    may_be_root || echo "engine: Docker is installed, but not running, and $(id -un) cannot start it. Run as root: systemctl start docker"
  elif [ "$(system ID)" != debian ] || [ "$(system VERSION_ID 99)" -lt 12 ]; then
    echo "engine: there is none, and on $(system PRETTY_NAME) this project does not install one. Install Docker Engine $wanted_engine or later with Compose: https://docs.docker.com/engine/install/"
  elif dpkg-query --show --showformat '${db:Status-Status}' docker-ce 2>/dev/null | grep -qx installed; then
    echo "engine: docker-ce is installed, but older than $wanted_engine. Upgrade it: sudo apt-get update && sudo apt-get install --only-upgrade docker-ce"
  elif ! may_be_root; then
    echo "engine: there is none, and $(id -un) is not root and has no sudo to install one. Run as root: make up"
  fi
}

# Prints "plain" if apt would install a docker.io that is new enough, "trixie" if it would from there, "nothing" if it knows none.
offer() {
  local version offer=nothing
  for version in $(apt-cache madison docker.io | awk '{ print $3 }'); do
    ! dpkg --compare-versions "$version" ge "$wanted_engine" || offer=trixie
  done
  version=$(apt-cache policy docker.io | awk '$1 == "Candidate:" { print $2 }')
  ! dpkg --compare-versions "${version:-0}" ge "$wanted_engine" || offer=plain
  echo "$offer"
}

# Adds Debian 13 beside the machine's own release, below everything else, so that nothing is upgraded for its own sake.
add_trixie() {
  say "adding Debian 13 as a source of priority 100: /etc/apt/sources.list.d/etl-trixie.sources"
  as_root sh -c "cat >/etc/apt/sources.list.d/etl-trixie.sources <<END
# Docker Engine for the ETL platform (setup/engine.sh)
Types: deb
URIs: $(mirror Debian http://deb.debian.org/debian)
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
cat >/etc/apt/preferences.d/etl-trixie <<END
Package: *
Pin: release n=trixie
Pin-Priority: 100
END"
}

install_engine() {
  local from
  say "installing from Debian: $packages"
  read_package_lists
  from=$(offer)
  if [ "$from" = nothing ]; then
    add_trixie
    read_package_lists
    from=trixie
  fi
  # shellcheck disable=SC2086  # a list
  if [ "$from" = plain ]; then
    install_packages $packages
  else
    install_packages -t trixie $packages
  fi
}

# True if process $1 is a living $2, and not the rest of one that nobody has buried.
is_alive() {
  case $(cat "/proc/$1/stat" 2>/dev/null) in
    *"($2) Z"*) return 1 ;;
    *"($2) "*) return 0 ;;
    *) return 1 ;;
  esac
}

# Removes what a killed daemon left: its number may be another process' by now, and then dockerd would not start.
forget_the_dead() {
  local file pid name
  for file in docker.pid:dockerd docker/containerd/containerd.pid:containerd; do
    name=${file#*:} file=/var/run/${file%:*}
    pid=$(as_root cat "$file" 2>/dev/null) || continue
    is_alive "$pid" "$name" || as_root rm -f "$file"
  done
}

start_engine() {
  local dockerd waited=0 started
  dockerd=$(installed_engine || echo /usr/sbin/dockerd)
  if [ -d /run/systemd/system ]; then
    say "starting Docker (systemctl start docker)"
    as_root systemctl start docker ||
      refuse "Docker does not start" "where: systemctl start docker" "to do: journalctl --unit docker --lines 50"
  elif pidof dockerd >/dev/null; then
    say "dockerd is starting"
  else
    say "starting dockerd; its log: $engine_log"
    [ -n "$dry_run" ] || forget_the_dead
    # In a session of its own and without our files: it stays when make or a terminal ends.
    as_root sh -c "exec setsid $dockerd >>$engine_log 2>&1 </dev/null &"
  fi
  [ -z "$dry_run" ] || return 0
  started=$SECONDS
  until as_root docker info >/dev/null 2>&1; do
    sleep 1
    waited=$((SECONDS - started))
    if [ "$waited" -ge 60 ] || { [ "$waited" -ge 3 ] && ! pidof dockerd >/dev/null; }; then
      as_root tail -n 20 "$engine_log" 2>/dev/null | sed 's/^/   /' >&2
      refuse "Docker did not start within $waited s" "where: $engine_log, its end is above" "to do: mend what its last lines say, then run make up again"
    fi
    [ $((waited % 10)) -ne 0 ] || say "still waiting for Docker ($waited s)"
  done
}

main() {
  local stands_in_the_way
  case ${1:-} in
    --help | -h) print_help && return ;;
    --obstacle) obstacle && return ;;
    --dry-run) dry_run=yes ;;
    '') ;;
    *) refuse "unknown option '$1'" "usage: setup/engine.sh [--dry-run]" ;;
  esac
  if engine_answers; then
    say "Docker Engine $(docker version --format '{{.Server.Version}}') answers, and is used as it is"
    return
  fi
  stands_in_the_way=$(obstacle)
  [ -z "$stands_in_the_way" ] || refuse "no Docker Engine answers" "$stands_in_the_way"
  installed_engine >/dev/null || install_engine
  start_engine
  [ -z "$dry_run" ] || return 0
  hash -r
  engine_answers || refuse "Docker runs now, but $(id -un) may not use it" "where: $socket" \
    "to do: sudo usermod -aG docker $(id -un), log in again, and run make up again (members of that group can act as root)"
  say "Docker Engine $(docker version --format '{{.Server.Version}}') answers"
}

main "$@"
