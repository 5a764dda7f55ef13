#!/usr/bin/env bash
# Builds for release and measures. Needs wrk; on Debian it is installed where that is allowed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v wrk >/dev/null; then
    echo "== installing wrk, the load generator"
    apt-get install --yes --quiet --no-install-recommends wrk >/dev/null || {
        apt-get update --quiet >/dev/null
        apt-get install --yes --quiet --no-install-recommends wrk >/dev/null
    }
fi
cargo bench --locked --bench decision
cargo bench --locked --bench side_by_side
