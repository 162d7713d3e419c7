#!/usr/bin/env bash
# Downloads the program of a release, checks its SHA-256 and puts it on the PATH of the next steps.
set -euo pipefail

fail() {
  echo "::error::splitter: $1"
  exit 1
}

case "$RUNNER_OS-$RUNNER_ARCH" in
  Linux-X64) target=x86_64-unknown-linux-musl ;;
  Linux-ARM64) target=aarch64-unknown-linux-musl ;;
  macOS-X64) target=x86_64-apple-darwin ;;
  macOS-ARM64) target=aarch64-apple-darwin ;;
  *) fail "there is no program for $RUNNER_OS on $RUNNER_ARCH; use a runner with Linux or macOS, on x64 or arm64" ;;
esac
[[ "$VERSION" =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "the version is '$VERSION'; expected one such as 1.2.3"
case "$DOWNLOADS" in
  https://* | http://127.0.0.1:*) ;;
  *) fail "'downloads' is '$DOWNLOADS'; expected a URL with https://" ;;
esac

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

download() {
  curl --fail --silent --show-error --location --proto-redir =https --retry 3 --output "$2" "$DOWNLOADS/v$VERSION/$1" ||
    fail "could not download $DOWNLOADS/v$VERSION/$1"
}

archive="splitter-$target.tar.gz"
scratch="$(mktemp -d "$RUNNER_TEMP/splitter.XXXXXX")"
expected="$SHA256"
if [ -z "$expected" ]; then
  download SHA256SUMS "$scratch/SHA256SUMS"
  expected="$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$scratch/SHA256SUMS")"
  [ -n "$expected" ] || fail "SHA256SUMS of version $VERSION does not name $archive"
fi

# A runner that keeps its tools has the archive already. It is checked again, because other jobs can write there.
kept="${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}/splitter/$VERSION"
if [ ! -f "$kept/$archive" ] || [ "$(sha256 "$kept/$archive")" != "$expected" ]; then
  download "$archive" "$scratch/$archive"
  found="$(sha256 "$scratch/$archive")"
  [ "$found" = "$expected" ] || fail "the SHA-256 of $archive is $found; expected $expected"
  mkdir -p "$kept"
  mv -f "$scratch/$archive" "$kept/$archive"
fi
tar -xzf "$kept/$archive" -C "$scratch"

folder="$scratch/splitter-$target"
installed="$("$folder/splitter" --version)" || fail "the program of $archive does not start on this runner"
echo "$installed"
echo "$folder" >> "$GITHUB_PATH"
{
  echo "path=$folder/splitter"
  echo "version=${installed##* }"
} >> "$GITHUB_OUTPUT"
