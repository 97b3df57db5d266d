# shellcheck shell=bash
# Which addresses are free for the platform's networks. Sourced, after settings.sh and docker.sh.

# Prints "NETWORK WHO" for each network that containers or this machine use already, without our own project's. While no
# engine answers, a bridge of Docker's is what a killed one left: the next takes it up again, ours among them.
networks_in_use() {
  local own bridges='^$'
  own=$(mktemp)
  if ! engine_answers; then
    bridges='^(docker0|br-[0-9a-f]+)$'
  else
    # shellcheck disable=SC2046  # one id a word
    docker network inspect --format '{{$network := .}}{{range .IPAM.Config}}{{.Subnet}} {{index $network.Labels "com.docker.compose.project"}}:{{$network.Name}}{{"\n"}}{{end}}' \
      $(docker network ls --quiet) | awk -v own="$own" -v project="$(project)" '
      NF < 2 || $1 ~ /::/ { next }
      index($2, project ":") == 1 { print $1 >own; next }
      { sub(/^[^:]*:/, "", $2); print $1, "the Docker network " $2 }'
  fi
  if [ -r /proc/net/route ]; then
    # Little-endian hexadecimal: Iface Destination Gateway Flags RefCnt Use Metric Mask.
    awk '
      function byte(hex, at) { return (index("0123456789ABCDEF", substr(hex, at, 1)) - 1) * 16 + index("0123456789ABCDEF", substr(hex, at + 1, 1)) - 1 }
      function bits(hex, at, total) { for (at = 1; at < 8; at += 2) total += ones(byte(hex, at)); return total + 0 }
      function ones(number, total) { while (number > 0) { total += number % 2; number = int(number / 2) } return total + 0 }
      NR > 1 && $2 != "00000000" { print byte($2, 7) "." byte($2, 5) "." byte($2, 3) "." byte($2, 1) "/" bits($8), "a route of this machine by " $1 }' /proc/net/route
  elif command -v netstat >/dev/null; then
    # BSD drops trailing zeros: 10.213 is 10.213.0.0/16.
    netstat -rn -f inet 2>/dev/null | awk '
      $1 ~ /^[0-9]+[0-9.]*(\/[0-9]+)?$/ {
        split($1, part, "/"); octets = split(part[1], octet, ".")
        if (octets == 4 && part[2] == "") next
        for (at = octets + 1; at <= 4; at++) part[1] = part[1] ".0"
        print part[1] "/" (part[2] == "" ? octets * 8 : part[2]), "a route of this machine by " $NF }'
  fi | awk -v own="$own" -v bridges="$bridges" 'BEGIN { while ((getline line <own) > 0) ours[line] = 1 } !($1 in ours) && $NF !~ bridges'
  rm -f "$own"
}

# Prints who uses addresses of network $1, of the lines of $2.
users_of() {
  printf '%s\n' "$2" | awk -v wanted="$1" '
    function first(network, part, octet) { split(network, part, "/"); split(part[1], octet, "."); return ((octet[1] * 256 + octet[2]) * 256 + octet[3]) * 256 + octet[4] }
    function size(network, part) { split(network, part, "/"); return 2 ^ (32 - part[2]) }
    NF > 1 {
      from = first($1) - first($1) % size($1)
      if (from < first(wanted) + size(wanted) && first(wanted) < from + size($1)) { sub(/ /, ", "); print }
    }'
}

# Prints the first of the subnets $2... (three octets each) of which nobody uses an address, of the lines of $1.
first_free() {
  local used=$1 octets
  shift
  for octets in "$@" 10.214.16 10.97.16 172.29.16 192.168.213 198.18.16; do
    [ -z "$(users_of "$octets.0/24" "$used")" ] || continue
    printf '%s\n' "$octets"
    return
  done
}
