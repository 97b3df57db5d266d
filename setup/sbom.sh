#!/usr/bin/env bash
# Writes what each image is made of, a CycloneDX file an image: Debian's and Python's packages, with their licences.
#
# usage: setup/sbom.sh [IMAGE...] [--into FOLDER]
#
# Images: airflow, extract, postgres and so on; without a name, all. The folder is .cache/sbom, or another one in this
# repository. Images that are not there are built.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/settings.sh
. setup/docker.sh

main() {
  case ${1:-} in
    --help | -h) print_help && return ;;
  esac
  need_every_image
  exec setup/tools.sh python -m etl_scan sbom "$@"
}

main "$@"
