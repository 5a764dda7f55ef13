#!/usr/bin/env bash
# Builds the real control plane the tests talk to: etcd, kube-apiserver, kube-controller-manager, kubectl
# and the kro controller, from the Go modules pinned beside this script.
#
#   build.sh            says what it does; the last line on stdout is the folder with bin/ and kro/
#
# The result goes into a cache outside the checkout, under a key made of this script and the pins, so a
# change of either builds anew and nothing else does. A run that finds everything there needs neither Go
# nor a network. Each binary appears by a rename, so an interrupted run never leaves half of one; runs that
# overlap wait for each other.
#
#   PLATFORM_MCP_CACHE  the cache (default: $XDG_CACHE_HOME/platform-mcp, or ~/.cache/platform-mcp)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here"

if command -v sha256sum >/dev/null; then sha=(sha256sum); else sha=(shasum -a 256); fi
key=$("${sha[@]}" build.sh {kubernetes,etcd,kro}/go.{mod,sum} | "${sha[@]}" | cut -c1-12)
base=${PLATFORM_MCP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/platform-mcp}/control-plane
out=$base/$key

say() { printf 'control-plane: %s\n' "$*"; }

finish() {
  printf '%s\n' "$out"
  exit 0
}

if [[ -e $out/complete ]]; then finish; fi

command -v go >/dev/null || { say "Go is needed to build it the first time, and there is none on PATH" >&2; exit 1; }
mkdir -p "$out/bin"
exec 9>"$base/$key.lock"
if ! flock -n 9; then
  say "another run is building it; waiting"
  flock 9
  if [[ -e $out/complete ]]; then finish; fi
fi

# Under the lock nobody else is here: what a killed run left half made is rubbish.
work=$out/.work
rm -rf "$work"
mkdir "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What the developer's own Go settings say must not change what is built.
export CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off
unset GOOS GOARCH

pinned() { awk -v m="$2" '$1 == m { print $2; exit }' "$1/go.mod"; }

# build NAME MODULE_FOLDER PACKAGE [LDFLAGS]
build() {
  local name=$1 module=$2 package=$3 ldflags=${4:-}
  if [[ -x $out/bin/$name ]]; then return; fi
  say "building $name"
  local began=$SECONDS
  (cd "$module" && go build -trimpath -buildvcs=false -ldflags "-s -w $ldflags" -o "$work/$name" "$package") 9>&-
  mv "$work/$name" "$out/bin/$name"
  say "built $name in $((SECONDS - began)) s"
}

# A kubernetes binary built outside its own tree does not know its version; clients read it at /version.
kubernetes=$(pinned kubernetes k8s.io/kubernetes)
IFS=. read -r major minor _ <<<"${kubernetes#v}"
stamp=
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  stamp+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=$major -X $package.gitMinor=$minor"
  stamp+=" -X $package.gitCommit=unknown -X $package.gitTreeState=clean"
done

say "key $key: kubernetes $kubernetes, etcd $(pinned etcd go.etcd.io/etcd/server/v3), kro $(pinned kro github.com/kubernetes-sigs/kro)"
say "the first time takes about six minutes on two cores"
build etcd etcd go.etcd.io/etcd/server/v3
build kro kro github.com/kubernetes-sigs/kro/cmd/controller
for name in kube-apiserver kube-controller-manager kubectl; do
  build "$name" kubernetes "k8s.io/kubernetes/cmd/$name" "$stamp"
done

if [[ ! -d $out/kro ]]; then
  say "copying kro's CRDs, examples and test fixtures"
  from=$(cd kro && go list -m -f '{{.Dir}}' github.com/kubernetes-sigs/kro)
  mkdir "$work/kro"
  cp -R "$from/helm/crds" "$work/kro/crds"
  cp -R "$from/examples" "$work/kro/examples"
  cp -R "$from/test/upgrade/fixtures" "$work/kro/fixtures"
  cp -R "$from/test/e2e/chainsaw" "$work/kro/chainsaw"
  chmod -R u+w "$work/kro"
  mv "$work/kro" "$out/kro"
fi

touch "$out/complete"
say "built"
finish
