# shellcheck shell=bash
# Runs long work in the tools image on a Compose project of its own, which is removed whatever happens. Sourced, after
# words.sh, docker.sh and subnet.sh; who sources it exports COMPOSE_PROJECT_NAME and ETL_TOOLS_NAME, and defines clean_up.
runner=
log=

# Prepares the machine, and clean_up as what is called in the end. $1: what runs, $2: the subnet to begin the search at.
begin_run() {
  ETL_SUBNET=$(first_free "$(networks_in_use)" "$2")
  export ETL_SUBNET
  setup/prepare.sh
  if [ -n "$(docker ps --quiet --filter "name=^$ETL_TOOLS_NAME\$")" ]; then
    refuse "$1 on this machine already" "where: container $ETL_TOOLS_NAME" "to do: wait for the end, or stop it: docker rm --force $ETL_TOOLS_NAME"
  fi
  log=$(mktemp)
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# Runs a command in the tools image, in the background: bash hears a signal at once only while it waits.
run_tools() {
  setup/tools.sh "$@" &
  runner=$!
  wait "$runner"
}

# Stops what run_tools started, and hears no signal from here on.
stop_runner() {
  trap '' INT TERM HUP
  [ -n "$runner" ] || return 0
  kill "$runner" 2>/dev/null || true
  docker rm --force "$ETL_TOOLS_NAME" >/dev/null 2>&1 || true
  wait "$runner" 2>/dev/null || true
}

# Removes the project with its data; where that fails, shows why.
remove_project() {
  # 0 in words: in a trap, `return` alone gives what came before the trap.
  setup/down.sh --data >"$log" 2>&1 </dev/null && return 0
  tail -n 20 "$log" >&2
  return 1
}
