# To be sourced. Sets REDIS_SERVER to the path of a redis-server: one that is there, or Debian's, which is unpacked beside
# what cargo builds, and not installed. Needs apt-get and dpkg for that.

redis_directory=${CARGO_TARGET_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target}/redis
if [ -z "${REDIS_SERVER:-}" ] && ! command -v redis-server >/dev/null && [ ! -x "$redis_directory/usr/bin/redis-server" ]; then
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || {
        echo "there is no redis-server, and neither apt-get nor dpkg to get one" >&2
        exit 1
    }
    mkdir -p "$redis_directory/packages"
    # redis-server is a link to redis-check-rdb, which is in redis-tools with the libraries that both need.
    (
        cd "$redis_directory/packages"
        # What isn't in this release of Debian isn't needed by its redis-server.
        get() {
            for package in redis-server redis-tools liblua5.1-0 liblzf1 libjemalloc2 lua-bitop lua-cjson libatomic1; do
                apt-get --quiet --quiet download "$package" || true
            done
        }
        get
        ls redis-tools_*.deb >/dev/null 2>&1 || { apt-get update && get; }
        for package in *.deb; do dpkg -x "$package" "$redis_directory"; done
    )
fi
if [ -z "${REDIS_SERVER:-}" ]; then
    REDIS_SERVER=$(command -v redis-server || echo "$redis_directory/usr/bin/redis-server")
    for libraries in "$redis_directory"/usr/lib/*-linux-gnu "$redis_directory"/lib/*-linux-gnu; do
        [ -d "$libraries" ] && export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries"
    done
fi
export REDIS_SERVER
"$REDIS_SERVER" --version
