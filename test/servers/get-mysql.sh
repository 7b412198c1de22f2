#!/usr/bin/env bash
# Unpacks a MySQL or MariaDB server of Debian's archive into a folder of its own, and prints the folder.
#
#   get-mysql.sh mysql | mariadb | mariadb-11
#
# mysql is the newest in Debian sid, mariadb that of bookworm (10.11), mariadb-11 that of trixie (11.8). Nothing is installed
# and nobody has to be root: an apt with its own configuration, sources and state finds the packages and all of their
# libraries, the C library included, and programs run by that library's own loader. Needs apt-get, dpkg and flock.
#
#   MYSQL_TEST_CACHE   where everything goes; ${XDG_CACHE_HOME:-~/.cache}/mysql-test without it
#   DEBIAN_MIRROR      base URI of the archive; without it the first one of this machine's own sources, then deb.debian.org
set -euo pipefail
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

flavour=${1:-}
case $flavour in
  mysql) suites='sid' packages='mysql-server-core' server=mysqld ;;
  mariadb) suites='bookworm bookworm-updates' packages='mariadb-server-core' server=mariadbd ;;
  mariadb-11) suites='trixie trixie-updates' packages='mariadb-server-core' server=mariadbd ;;
  *) echo "usage: get-mysql.sh mysql | mariadb | mariadb-11" >&2 && exit 2 ;;
esac

say() { printf 'get-mysql: %s\n' "$*" >&2; }
fail() { say "$@" && exit 1; }

for tool in apt-get dpkg flock; do
  command -v "$tool" >/dev/null || fail "no $tool here: MySQL and MariaDB for the tests come from Debian packages, so run them on Debian or Ubuntu, or in a container of one"
done

cache=${MYSQL_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/mysql-test}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd -P)
root=$cache/$flavour
# Test files run side by side: one fetches, the others wait and find it done.
exec 9>"$cache/.$flavour.lock"
flock 9
if [ -x "$root/usr/sbin/$server" ]; then
  echo "$root"
  exit 0
fi

mirror=${DEBIAN_MIRROR:-}
if [ -z "$mirror" ]; then
  mirror=$({
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk '/^URIs:/ { print $2 }'
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p'
  } | grep -E '/debian/?$' | head -n 1 || true)
fi
mirror=${mirror:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || fail "no $keyring: install debian-archive-keyring"

apt=$cache/.apt-$flavour
rm -rf "$apt"
mkdir -p "$apt"/{parts,state/lists/partial,cache/archives/partial,log}
# Maintainer scripts are never run, so what only they need is declared to be there.
for package in perl perl-base debconf systemd passwd adduser; do
  printf 'Package: %s\nStatus: install ok installed\nMaintainer: none <none@localhost>\nArchitecture: %s\nMulti-Arch: allowed\nVersion: 99:99\nDescription: stand-in\n\n' \
    "$package" "$(dpkg --print-architecture)"
done >"$apt/status"
{
  # This machine's way out (proxies, time limits), and nothing else of its configuration.
  apt-config dump 2>/dev/null | grep -E '^Acquire::(http|https|ForceIPv4|Check-Date)(::| )' || true
  cat <<CONFIGURATION
Dir "$apt";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Log "$apt/log";
Dir::Etc "$apt";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/parts";
Dir::Etc::main "$apt/none.conf";
Dir::Etc::parts "$apt/parts";
Dir::Etc::preferences "$apt/none.pref";
Dir::Etc::preferencesparts "$apt/parts";
APT::Install-Recommends "false";
APT::Sandbox::User "";
APT::Get::Assume-Yes "true";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "3";
// A mirror that is a frozen copy is older than its Valid-Until; the signature is checked all the same.
Acquire::Check-Valid-Until "false";
CONFIGURATION
} >"$apt/apt.conf"
for suite in $suites; do echo "deb [signed-by=$keyring] $mirror $suite main"; done >"$apt/sources.list"
export APT_CONFIG=$apt/apt.conf

say "fetching $packages and its libraries from Debian ($suites); once for this machine"
apt-get -qq -o APT::Update::Error-Mode=any update >&2
apt-get -qq install --download-only -o Dpkg::Use-Pty=0 "$packages" >&2

unpacked=$cache/.unpack-$flavour
rm -rf "$unpacked"
# Merged /usr, as Debian has it, so that packages with /lib and with /usr/lib meet.
mkdir -p "$unpacked"/usr/{bin,sbin,lib,lib64}
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$unpacked/$folder"; done
for package in "$apt"/cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" |
    tar -x -C "$unpacked" --keep-directory-symlink --no-same-owner --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale
done
[ -x "$unpacked/usr/sbin/$server" ] || fail "the packages hold no $server"
rm -rf "$root"
mv "$unpacked" "$root"
rm -rf "$apt"
echo "$root"
