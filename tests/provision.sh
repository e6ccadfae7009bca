#!/usr/bin/env bash
# Installs the system programs that some tests drive, only those that are missing. As root on
# Debian; elsewhere it says what to install and goes on: the tests that need them skip and say so.
set -euo pipefail

packages=()
need() { # need PACKAGE PROGRAM: the package unless the program is there
  command -v "$2" >/dev/null 2>&1 || [ -x "$2" ] || packages+=("$1")
}
need ffmpeg ffmpeg
need chromium chromium
need nodejs node
need npm npm
need postgresql-15 /usr/lib/postgresql/15/bin/postgres
need radosgw radosgw
need ceph-mon ceph-mon
need ceph-osd ceph-osd

if [ ${#packages[@]} -eq 0 ]; then
  exit 0
fi
install="apt-get install --no-install-recommends ${packages[*]}"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Some tests will skip; to run them all: $install" >&2
  exit 0
fi
if [ ! -d /etc/postgresql-common ]; then
  # the tests start servers of their own; keep the package from starting one for everybody
  mkdir -p /etc/postgresql-common/createcluster.d
  echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/storyforge-tests.conf
fi
echo "Installing for the tests: ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
log="$(mktemp)"
if ! { apt-get update -q && $install -y -q; } >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  echo "The installation failed; some tests will skip. By hand: $install" >&2
  [ -z "${CI:-}" ] || exit 1
fi
rm -f "$log"
