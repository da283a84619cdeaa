# To be sourced. Sets VALKEY_SERVER to the path of a valkey-server: one that is there, or Debian's, which is unpacked beside what
# cargo builds, and not installed. Debian 12 has it among its backports, later releases as any other package. Where there
# is none, it stays empty. Needs apt-get and dpkg for that.

valkey_directory=${CARGO_TARGET_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target}/valkey
if [ -z "${VALKEY_SERVER:-}" ] && ! command -v valkey-server >/dev/null && [ ! -x "$valkey_directory/usr/bin/valkey-server" ] &&
    command -v apt-get >/dev/null && command -v dpkg >/dev/null; then
    mkdir -p "$valkey_directory/packages" "$valkey_directory/apt/lists/partial" "$valkey_directory/apt/archives/partial"
    # As for redis-server: it is a link to valkey-check-rdb, which is in valkey-tools.
    (
        cd "$valkey_directory/packages"
        get() { apt-get --quiet --quiet "$@" download valkey-server valkey-tools 2>/dev/null || true; }
        get
        if ! ls valkey-tools_*.deb >/dev/null 2>&1; then
            apt-get --quiet --quiet update || true
            get
        fi
        # The backports of the release, from where its other packages come.
        if ! ls valkey-tools_*.deb >/dev/null 2>&1; then
            release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}") || true
            mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $release" 'Created-By: Packages' | head -n 1) || true
        fi
        if [ -n "${mirror:-}" ]; then
            apt=$valkey_directory/apt
            keys=/usr/share/keyrings/debian-archive-keyring.gpg
            [ -e "$keys" ] && signed="[signed-by=$keys] "
            echo "deb ${signed:-}$mirror $release-backports main" >"$apt/sources.list"
            own=(-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
                -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt" -o "Dir::Cache::archives=$apt/archives")
            if apt-get --quiet --quiet "${own[@]}" update; then get "${own[@]}"; fi
        fi
        # What isn't in this release of Debian isn't needed by its valkey-server.
        for package in liblzf1 libjemalloc2 libatomic1; do
            apt-get --quiet --quiet download "$package" 2>/dev/null || true
        done
        for package in *.deb; do [ -e "$package" ] && dpkg -x "$package" "$valkey_directory"; done
        true
    )
fi
if [ -z "${VALKEY_SERVER:-}" ]; then
    VALKEY_SERVER=$(command -v valkey-server || { [ -x "$valkey_directory/usr/bin/valkey-server" ] && echo "$valkey_directory/usr/bin/valkey-server"; } || true)
    for libraries in "$valkey_directory"/usr/lib/*-linux-gnu "$valkey_directory"/lib/*-linux-gnu; do
        [ -d "$libraries" ] && export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries"
    done
fi
export VALKEY_SERVER
