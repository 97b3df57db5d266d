#!/usr/bin/env bash
# Builds a stand-in for an official image from Debian's packages, unless it is there and nothing it is made of changed.
#
# usage: setup/standin.sh NAME
#
# NAME is etl-upstream/python:3.13-trixie or another from etl_images/upstream/images. What a stand-in is made of (its folder
# in etl_images/upstream, this script, the certificate authorities of this machine) is summed up in its label etl.recipe.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
. setup/words.sh
. setup/debian.sh

readonly debian=etl-upstream/debian:trixie
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# True if image $1 was made of what it would be made of now.
is_current() {
  [ "$(docker image inspect --format '{{index .Config.Labels "etl.recipe"}}' "$1" 2>/dev/null)" = "$2" ]
}

# Prints a checksum of this script and of the files below $1.
recipe() {
  find setup/standin.sh "$@" -type f | LC_ALL=C sort | xargs cat | cksum | tr ' ' -
}

# Prints the apt source of suite $2 at address $1, if there is such a suite.
source_of() {
  /usr/lib/apt/apt-helper download-file "$1/dists/$2/InRelease" "$work/InRelease" >/dev/null 2>&1 || return 0
  printf 'deb %s %s main\n' "$1" "$2"
}

# Makes the root file system that all start from, in the way the official image is made.
build_debian() {
  local wanted main security source sources=()
  wanted=$(recipe)
  is_current "$debian" "$wanted" && return
  if ! command -v mmdebstrap >/dev/null; then
    if ! command -v apt-get >/dev/null || ! may_be_root; then
      refuse "no registry answers, and $debian cannot be built here" "where: setup/standin.sh needs mmdebstrap" \
        "to do: give Docker a registry that answers (https://docs.docker.com/docker-hub/image-library/mirror/), or on Debian and Ubuntu, as root: apt-get install mmdebstrap debian-archive-keyring"
    fi
    say "installing mmdebstrap"
    read_package_lists
    install_packages mmdebstrap debian-archive-keyring
  fi
  main=$(mirror Debian http://deb.debian.org/debian)
  security=$(mirror Debian-Security http://deb.debian.org/debian-security)
  while read -r source; do
    sources+=("$source")
  done < <(
    printf 'deb %s trixie main\n' "$main"
    source_of "$main" trixie-updates
    source_of "$security" trixie-security
  )
  say "building $debian: ${#sources[@]} sources at $main"
  # As in debian:trixie-slim: no manuals, no translations, and apt keeps neither .deb files nor caches.
  # shellcheck disable=SC2016  # $1 is mmdebstrap's
  patiently "building $debian" logged "$work/log" as_root mmdebstrap --variant=minbase --quiet \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --aptopt='Acquire::Languages "none"' \
    --customize-hook='printf "%s\n" >"$1/etc/apt/apt.conf.d/docker-clean" \
      "APT::Keep-Downloaded-Packages \"false\";" "Dir::Cache::pkgcache \"\";" "Dir::Cache::srcpkgcache \"\";"' \
    --customize-hook='rm -f "$1"/var/cache/apt/*.bin' \
    trixie "$work/root.tar" "${sources[@]}" ||
    refuse "$debian could not be built" "where: mmdebstrap, above" "to do: check that $main answers and has trixie"
  docker import --change 'CMD ["bash"]' --change "LABEL etl.recipe=$wanted" - "$debian" <"$work/root.tar" >/dev/null
  rm -f "$work/root.tar"
}

# Writes the certificates that this machine trusts beyond its distribution's list into folder $1, a file each.
write_authorities() {
  local bundle=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt} distributed=/usr/share/ca-certificates
  mkdir -p "$1"
  # A folder that is never empty: COPY wants something.
  : >"$1/README"
  [ -r "$bundle" ] && [ -d "$distributed" ] || return 0
  find "$distributed" -name '*.crt' -exec cat {} + | awk -v folder="$1" '
    /-----BEGIN CERTIFICATE-----/ { text = ""; inside = 1 }
    inside { text = text $0 "\n" }
    /-----END CERTIFICATE-----/ {
      inside = 0
      if (text in seen) next
      seen[text] = 1
      if (FILENAME == "-") next
      file = folder "/authority-" ++count ".crt"
      printf "%s", text >file
      close(file)
    }' - "$bundle"
}

main() {
  local name=${1:-} folder wanted
  case $name in
    --help | -h) print_help && return ;;
    etl-upstream/*:*) ;;
    *) refuse "'$name' is not a stand-in's name" "usage: setup/standin.sh etl-upstream/python:3.13-trixie" ;;
  esac
  folder=${name#etl-upstream/}
  folder=etl_images/upstream/${folder%%:*}
  [ -f "$folder/Dockerfile" ] || refuse "there is no stand-in $name" "where: $folder/Dockerfile" "to do: see etl_images/upstream/README.md"
  cp -R "$folder" "$work/context"
  write_authorities "$work/context/authorities"
  wanted=$(recipe "$work/context")
  is_current "$name" "$wanted" && return
  build_debian
  say "building $name"
  patiently "building $name" logged "$work/log" docker build --progress plain --tag "$name" --label "etl.recipe=$wanted" "$work/context" ||
    refuse "$name could not be built" "where: $folder/Dockerfile, above" "to do: mend what its last lines say, then run the same command again"
}

main "$@"
