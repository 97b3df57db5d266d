#!/usr/bin/env bash
# Checks code, Dockerfiles, scripts, YAML and the Compose file. Runs in the tools image: setup/tools.sh setup/lint.sh
#
# usage: setup/lint.sh [CHECK...]
#
# Checks: ruff, format, mypy, hadolint, shellcheck, yamllint, compose; without a name, all. Every one runs, whatever the
# others find.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh

readonly checks="ruff format mypy hadolint shellcheck yamllint compose"

# Prints the files that a rule of find names, without what is nobody's source.
files() { find . -path ./.git -prune -o -path ./.cache -prune -o -path ./.venv -prune -o -type f "$@" -print0; }

check() {
  case $1 in
    ruff) ruff check . ;;
    format) ruff format --check . ;;
    mypy) mypy ;;
    hadolint) files -name Dockerfile | xargs -0 hadolint ;;
    shellcheck) files '(' -name '*.sh' -o -path './.ci/run' ')' | xargs -0 shellcheck --external-sources ;;
    yamllint) yamllint --strict . ;;
    compose) docker compose --env-file .env.example config --quiet ;;
  esac
}

main() {
  local name failed=
  case ${1:-} in
    --help | -h) print_help && return ;;
    '') # shellcheck disable=SC2086  # a list
      set -- $checks ;;
  esac
  for name in "$@"; do
    case " $checks " in
      *" $name "*) ;;
      *) refuse "'$name' is not a check" "the checks: $checks" ;;
    esac
  done
  for name in "$@"; do
    step "$name"
    check "$name" || failed="$failed $name"
  done
  if [ -n "$failed" ]; then
    complain "these checks found something:$failed" "where: above" "to do: make format mends layout and some of ruff's findings"
    return 1
  fi
}

main "$@"
