#!/usr/bin/env bash
# Installs what the tests take from the registries of npm and PyPI: the official MCP clients, the
# conformance suite, an OpenID provider, a validating proxy, a Backstage backend, Knative's types, a browser,
# and the Node that they need.
#
#   install.sh node        from node/package-lock.json; in the folder: bin/node, node_modules/
#   install.sh backstage   from ../backstage/package-lock.json; in the folder: the same
#   install.sh eventing    from eventing/package-lock.json; in the folder: the same
#   install.sh browser     from browser/package-lock.json; in the folder: chromium, lib/ (Linux on x86-64)
#   install.sh python      from python/requirements.txt; in the folder: bin/python
#
# The last line on stdout is the folder. It lies in a cache outside the checkout, under a key made of the
# pins, so a change of them installs anew and nothing else does. A run that finds everything there needs
# neither npm nor pip nor a network. Runs that overlap wait for each other; what a killed run left half made
# is made again.
#
#   PLATFORM_MCP_CACHE  the cache (default: $XDG_CACHE_HOME/platform-mcp, or ~/.cache/platform-mcp)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

# The conformance suite does not load on an older one.
oldest_node=22

say() { printf 'install: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

key() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c1-12
}

# The packages that a folder's lock file names, and bin/node.
packages() {
  command -v npm >/dev/null || fail "npm is needed the first time, and there is none on PATH"
  cp "$1/package.json" "$1/package-lock.json" "$out"
  # No script runs: the packages work as they come, and Node's own package would fetch the binary once more.
  npm ci --prefix "$out" --ignore-scripts --no-audit --no-fund --engine-strict=false --loglevel=error >&2
  mkdir "$out/bin"
  local node
  node=$out/node_modules/.bin/node
  # The registry does not have that version for every kind of machine.
  [[ -e $node ]] || node=$(command -v node) || fail "there is no Node $oldest_node for this machine on npm, and none on PATH"
  ln -s "$node" "$out/bin/node"
  local version
  version=$("$out/bin/node" -p 'process.versions.node.split(".")[0]')
  ((version >= oldest_node)) || fail "Node $oldest_node or newer is needed; $node is $version"
}

node_parts() {
  packages node
}

eventing_parts() {
  packages eventing
}

# Some 500 MB. SQLite is the one package that is compiled, with the headers of the Node that will load it: what
# is to be had ready made is on no registry.
backstage_parts() {
  local tool node prefix
  for tool in c++ make python3; do
    command -v "$tool" >/dev/null || fail "$tool is needed the first time, to compile better-sqlite3"
  done
  packages ../backstage
  node=$(realpath "$out/bin/node")
  prefix=$(dirname "$(dirname "$node")")
  [[ -e $prefix/include/node/node.h ]] || fail "there are no headers of Node in $prefix/include: install them"
  # npm itself runs on that Node too
  local log=$out/compile.log
  (
    cd "$out"
    export PATH=$out/bin:$PATH npm_config_nodedir=$prefix npm_config_build_from_source=true
    npm rebuild better-sqlite3 --foreground-scripts --loglevel=error
    node -e 'new (require("better-sqlite3"))(":memory:").close()'
  ) >"$log" 2>&1 || {
    tail -40 "$log" >&2
    fail "better-sqlite3 does not compile; all of it is in $log"
  }
}

# Some 280 MB. The package holds the browser itself, packed.
browser_parts() {
  packages browser
  "$out/bin/node" browser/unpack.mjs "$out"
  rm -rf "$out/node_modules/@sparticuz"
}

python_parts() {
  python3 -m venv "$out" >&2 || fail "python3 with venv is needed the first time"
  "$out/bin/python" -m pip install --quiet --disable-pip-version-check -r python/requirements.txt >&2
}

part=${1:-}
case $part in
  node) locked=(node/package.json node/package-lock.json) ;;
  backstage) locked=(../backstage/package.json ../backstage/package-lock.json) ;;
  eventing) locked=(eventing/package.json eventing/package-lock.json) ;;
  browser) locked=(browser/unpack.mjs browser/package.json browser/package-lock.json) ;;
  python) locked=(python/requirements.txt) ;;
  *) fail "usage: install.sh node|backstage|eventing|browser|python" ;;
esac
from=$(declare -f packages "${part}_parts" && cat "${locked[@]}" && uname -sm)
[[ $part != python ]] || from+=$(python3 --version)
base=${PLATFORM_MCP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/platform-mcp}
out=$base/$part-$(key <<<"$from")

if [[ ! -e $out/complete ]]; then
  mkdir -p "$base"
  exec 9>"$out.lock"
  if ! flock -n 9; then
    say "another run is installing $part; waiting"
    flock 9
  fi
  if [[ ! -e $out/complete ]]; then
    say "installing $part"
    rm -rf "$out"
    mkdir "$out"
    "${part}_parts" 9>&-
    touch "$out/complete"
  fi
fi
printf '%s\n' "$out"
