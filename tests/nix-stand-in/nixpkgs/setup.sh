# A small replacement for the setup script of nixpkgs' stdenv: inputs with setup hooks, and phases with hooks.
set -e -o pipefail
shopt -s inherit_errexit

PATH=
addInput() {
  local input=$1 propagated
  case ":$seen:" in *":$input:"*) return ;; esac
  seen=$seen:$input
  if [ -d "$input/bin" ]; then PATH="$PATH${PATH:+:}$input/bin"; fi
  if [ -e "$input/nix-support/propagated-build-inputs" ]; then
    read -r -d '' propagated <"$input/nix-support/propagated-build-inputs" || true
    for input in $propagated; do addInput "$input"; done
    input=$1
  fi
  if [ -e "$input/nix-support/setup-hook" ]; then source "$input/nix-support/setup-hook"; fi
}
seen=
for input in ${nativeBuildInputs-} ${buildInputs-}; do addInput "$input"; done
unset input
PATH="$PATH${PATH:+:}$hostPath"
export PATH
if [ -z "${outputs-}" ]; then outputs=out; fi
: "${prefix=${out-}}"

# Runs the hooks in the array `<name>Hooks`, then the function or variable of this name.
runHook() {
  local hooks="$1Hooks[@]" hook
  for hook in "${!hooks}"; do
    if declare -F "$hook" >/dev/null; then "$hook"; else eval "$hook"; fi
  done
  if declare -F "$1" >/dev/null; then "$1"; elif [ -n "${!1-}" ]; then eval "${!1}"; fi
}

unpackPhase() {
  runHook preUnpack
  cp -r --no-preserve=mode "$src" source
  sourceRoot=source
  runHook postUnpack
}
patchPhase() {
  local file
  runHook prePatch
  for file in ${patches-}; do
    echo "applying patch $file"
    patch -p1 <"$file"
  done
  runHook postPatch
}
configurePhase() { runHook preConfigure; runHook postConfigure; }
buildPhase() { runHook preBuild; runHook postBuild; }
checkPhase() { runHook preCheck; runHook postCheck; }
installPhase() { runHook preInstall; runHook postInstall; }
fixupPhase() { runHook preFixup; runHook postFixup; }
installCheckPhase() { runHook preInstallCheck; runHook postInstallCheck; }

runPhase() {
  local phase=$1
  case "$phase" in
    unpackPhase) [ -z "${dontUnpack-}" ] || return 0 ;;
    patchPhase) [ -z "${dontPatch-}" ] || return 0 ;;
    configurePhase) [ -z "${dontConfigure-}" ] || return 0 ;;
    buildPhase) [ -z "${dontBuild-}" ] || return 0 ;;
    checkPhase) [ -n "${doCheck-}" ] || return 0 ;;
    installPhase) [ -z "${dontInstall-}" ] || return 0 ;;
    fixupPhase) [ -z "${dontFixup-}" ] || return 0 ;;
    installCheckPhase) [ -n "${doInstallCheck-}" ] || return 0 ;;
  esac
  echo "Running phase: $phase"
  eval "${!phase:-$phase}"
  if [ "$phase" = unpackPhase ]; then cd "${sourceRoot:-.}"; fi
}

genericBuild() {
  local phase
  if [ -n "${buildCommandPath-}" ]; then source "$buildCommandPath"; return; fi
  if [ -n "${buildCommand-}" ]; then eval "$buildCommand"; return; fi
  for phase in ${phases-unpackPhase patchPhase configurePhase buildPhase checkPhase installPhase fixupPhase installCheckPhase}; do
    runPhase "$phase"
  done
}
