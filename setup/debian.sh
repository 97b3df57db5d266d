# shellcheck shell=bash
# What a Debian machine can do: become root, name its mirror, install packages. Sourced, after words.sh.

# With $dry_run set, commands that would change the machine are printed instead.
dry_run=

may_be_root() {
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

as_root() {
  if [ -n "$dry_run" ]; then
    printf '   would run: %s\n' "$*"
  elif [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# Prints the address of this machine's mirror for label $1 (Debian, Debian-Security), or $2.
mirror() {
  local address
  # shellcheck disable=SC2016  # apt's variable
  address=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Origin: Debian' "Label: $1" 2>/dev/null | head -n 1)
  address=${address:-$2}
  printf '%s\n' "${address%/}"
}

read_package_lists() {
  local log
  log=$(mktemp)
  patiently "reading package lists" logged "$log" as_root apt-get update ||
    refuse "apt-get update failed" "where: above, and in $log" "to do: mend the sources in /etc/apt, then run the same command again"
  rm -f "$log"
}

# Installs packages; options of apt-get may come first.
install_packages() {
  local log
  log=$(mktemp)
  patiently "installing" logged "$log" as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get install -y --no-install-recommends "$@" ||
    refuse "packages could not be installed" "where: above, and in $log" "to do: this shows more: apt-get install $*"
  rm -f "$log"
}
