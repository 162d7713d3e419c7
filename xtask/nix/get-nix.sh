#!/usr/bin/env bash
# Installs a recent Nix into DIR on Debian, as root. Usage: get-nix.sh DIR [SUITE]
#
# Unpacks nix-bin and all its libraries from a newer suite of Debian, and makes the program load these libraries. The
# system's libraries stay unchanged. apt checks the signatures of the packages and uses the machine's mirror.
set -euo pipefail
dir=$1 suite=${2:-forky}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
[ -n "$mirror" ] || mirror=$(awk '/^deb /{for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) {print $i; exit}}' /etc/apt/sources.list)

# With an empty state of its own, apt downloads all dependencies.
mkdir -p "$work"/state/lists/partial "$work"/cache/archives/partial "$work"/etc/{apt.conf.d,preferences.d}
: >"$work/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/etc/sources.list"
apt=(apt-get -qq -o "Dir::State=$work/state" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache"
  -o "Dir::Etc=$work/etc" -o "Dir::Etc::sourcelist=$work/etc/sources.list" -o Dir::Etc::sourceparts=-
  -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none)
"${apt[@]}" update
"${apt[@]}" install -y --no-install-recommends --download-only nix-bin

rm -rf "$dir"
mkdir -p "$work/root"
for deb in "$work"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
libs=usr/lib/$(uname -m)-linux-gnu
loader=$(cd "$work/root" && echo "$libs"/ld-linux-*.so.*)
# DT_RUNPATH would not apply to the libraries of the libraries. DT_RPATH does.
patchelf --force-rpath --set-rpath "$dir/$libs" --set-interpreter "$dir/$loader" "$work/root/usr/bin/nix"
mkdir -p "$dir/usr/bin" "$dir/$libs"
cp -a "$work/root/$libs/." "$dir/$libs/"
cp -a "$work"/root/usr/bin/nix* "$dir/usr/bin/"
[ ! -d "$work/root/usr/share/nix" ] || { mkdir -p "$dir/usr/share"; cp -a "$work/root/usr/share/nix" "$dir/usr/share/"; }
"$dir/usr/bin/nix" --version
