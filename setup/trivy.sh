# shellcheck shell=bash
# Runs Trivy where it can be had: as a program of this machine, or as the image that config/scan.yaml names. Sourced, after
# words.sh, settings.sh and docker.sh.
#
# It is given files only: the repository, and each image as `docker save` writes it. It never sees Docker's socket.

readonly reports=.cache/scan/trivy

# Prints how Trivy can be had here: program, image, or nothing.
trivy_kind() {
  local image
  image=$(trivy_image)
  if command -v trivy >/dev/null; then
    echo program
  elif docker image inspect "$image" >/dev/null 2>&1; then
    echo image
  else
    # Where our own bases are stand-ins, no registry answers.
    case $(setting PYTHON_IMAGE) in
      etl-upstream/*) return ;;
    esac
    say "pulling $image" >&2
    if docker pull --quiet "$image" >/dev/null 2>&1; then
      echo image
    fi
  fi
}

trivy_image() { sed -n 's/^trivy: *//p' config/scan.yaml; }

# Runs Trivy of kind $1 on what $2... says; it reads the repository, and an image from $reports/image.tar.
trivy_of() {
  local kind=$1
  shift
  if [ "$kind" = program ]; then
    trivy --quiet --cache-dir .cache/trivy "$@"
  else
    mkdir -p .cache/trivy
    docker run --rm --cap-drop ALL --security-opt no-new-privileges --read-only --tmpfs /tmp --user "$(id -u):$(id -g)" \
      --volume "$PWD:/repository:ro" --volume "$PWD/.cache/trivy:/cache" --workdir /repository \
      "$(trivy_image)" --quiet --cache-dir /cache "$@"
  fi
}

# Writes a report named $2, with Trivy of kind $1; where it fails, what it said.
report_of() {
  local kind=$1 name=$2
  shift 2
  say "trivy: $name"
  if ! trivy_of "$kind" "$@" --format json >"$reports/$name.json" 2>"$reports/$name.error"; then
    rm -f "$reports/$name.json"
  fi
}

# Writes the reports, one for the repository and one for each image; none, and no folder, where there is no Trivy.
run_trivy() {
  local kind name reference
  rm -rf "$reports"
  kind=$(trivy_kind)
  [ -n "$kind" ] || return 0
  mkdir -p "$reports"
  report_of "$kind" repository filesystem --scanners misconfig,secret --skip-dirs .cache --skip-dirs .git .
  setup/tools.sh python -m etl_scan images | while read -r name reference; do
    docker save --output "$reports/image.tar" "$reference"
    # What nobody has mended yet cannot be mended here.
    report_of "$kind" "$name" image --input "$reports/image.tar" --ignore-unfixed --scanners vuln,secret
    rm -f "$reports/image.tar"
  done
}
