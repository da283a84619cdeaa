# To be sourced. Installs oidc-provider in PROCESSES_DIR, and sets REDIS_SERVER. Needs Node.js 20 or later, and npm.

processes=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for program in node npm; do
    command -v "$program" >/dev/null || {
        echo "processes: $program is not installed; it needs Node.js 20 or later, and npm" >&2
        exit 1
    }
done

# Beside what cargo builds, so that nothing of it is packaged. The servers are those of tests/interop.
target=${CARGO_TARGET_DIR:-$processes/../../target}
mkdir -p "$target/processes"
PROCESSES_DIR=$(cd "$target/processes" && pwd)
export PROCESSES_DIR
cp "$processes"/../interop/package.json "$processes"/../interop/package-lock.json "$processes/oidc-provider.mjs" "$PROCESSES_DIR/"
(cd "$PROCESSES_DIR" && npm ci --ignore-scripts --no-audit --no-fund)

. "$processes/../store/redis.sh"
