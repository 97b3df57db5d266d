# shellcheck shell=bash
# How the scripts of this folder talk. Sourced. Portable to bash 3.2, as macOS has it.

# Says what is being done, indented under the step.
say() { printf '   %s\n' "$*"; }

# Announces a step.
step() { printf '\n== %s\n' "$*"; }

# Says three sentences: what is wrong, where, what to do next.
complain() {
  printf '\nerror: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
}

# Stops with these: what was asked cannot be done. The exit code is 2; 1 is of what was done, and found something wrong.
refuse() {
  complain "$@"
  exit 2
}

# Prints the comment that opens the running script: its --help.
print_help() { awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "setup/${0##*/}"; }

# Runs a command; where no terminal shows its progress, says every 30 seconds that "$1" goes on.
patiently() {
  local doing=$1 status=0 pulse
  shift
  if [ -t 1 ]; then
    "$@"
    return
  fi
  (
    seconds=0
    # Without our output, which a pipe's reader would otherwise wait for; and no longer than the script lives, however it ends.
    while sleep 30 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
      seconds=$((seconds + 30))
      say "still $doing ($seconds s)"
    done
  ) &
  pulse=$!
  "$@" || status=$?
  # KILL: who cleans up after Ctrl-C has its children ignore anything milder.
  kill -KILL "$pulse" 2>/dev/null || true
  wait "$pulse" 2>/dev/null || true
  return "$status"
}

# Runs a command with its output in file $1, and shows the end of that if it fails.
logged() {
  local log=$1
  shift
  if [ -n "${dry_run:-}" ]; then
    "$@" # which prints what it would do
    return
  fi
  "$@" >"$log" 2>&1 && return
  printf '   the last lines of %s:\n' "$log" >&2
  tail -n 20 "$log" | sed 's/^/     /' >&2
  return 1
}
