# shellcheck shell=bash
# What the scripts share: where things lie and how PostgreSQL and Odoo are reached. Sourced, never run.
#
# Nothing is generated in the checkout. Everything lies in one cache folder that several checkouts share:
#   odoo/                 Odoo 19 and the files of other packages that it links to
#   venv-<hash>/, venv    Python's virtual environment, one per set of pinned requirements
#   oca/                  OCA's modules for Odoo 19.0, unpacked from their wheels
#   node-<hash>/          packages of scripts/package.json: what the browser tests and the linters take from npm
#   postgres/<version>/   the private PostgreSQL cluster (when root: below /var/lib, where its owner can go)
#   addons-<hash>/        one link per checkout, named as Odoo wants the addon's folder to be named
#   addons-<hash>.conf    Odoo's configuration of that checkout
#   data/                 Odoo's filestore and sessions
#   pycache/              Python's bytecode

ADDON=account_online_ponto
CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/$ADDON
CHECKOUT_HASH=$(printf '%s' "$CHECKOUT" | sha256sum | cut -c1-8)
ADDONS_DIR=$CACHE/addons-$CHECKOUT_HASH
ODOO_CONF=$ADDONS_DIR.conf

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- Odoo and Python --------------------------------------------------------------------------------------------------

# The folder that `import odoo` is found in.
odoo_pythonpath() {
    if [ -n "${ODOO_HOME:-}" ]; then
        printf '%s' "$ODOO_HOME"
    elif [ -e "$CACHE/odoo/odoo-bin" ]; then
        printf '%s' "$CACHE/odoo"
    else
        printf '%s' "$CACHE/odoo/usr/lib/python3/dist-packages"
    fi
}

# The pinned requirements decide the environment, so two checkouts with different pins do not fight over one.
venv_dir() {
    local key
    key=$(requirements_files | xargs -d '\n' cat | sha256sum | cut -c1-8)
    printf '%s' "$CACHE/venv-$key"
}

# PONTO_OLDEST=1 takes the oldest packages that Odoo 19 runs with instead of the newest.
requirements_files() {
    if [ -n "${PONTO_OLDEST:-}" ]; then
        printf '%s\n' "$CHECKOUT"/scripts/oldest-requirements.txt
    else
        printf '%s\n' "$CHECKOUT"/scripts/requirements*.txt
    fi
}

use_odoo() {
    PYTHON=$(venv_dir)/bin/python
    PATH=$(venv_dir)/bin:$PATH
    PYTHONPATH=$(odoo_pythonpath)${PYTHONPATH:+:$PYTHONPATH}
    # Bytecode would be a generated file in the checkout; without any, each start compiles Odoo anew.
    unset PYTHONDONTWRITEBYTECODE
    PYTHONPYCACHEPREFIX=$CACHE/pycache
    ODOO_RC=${ODOO_RC:-$ODOO_CONF}
    export PATH PYTHONPATH PYTHONPYCACHEPREFIX ODOO_RC
}

# Unpacks an earlier version of the addon into a folder; <folder>.conf becomes Odoo's configuration with that version.
# Arguments: commit, folder.
unpack_version() {
    git -C "$CHECKOUT" cat-file -e "$1^{commit}" 2>/dev/null ||
        die "The commit $1 is not in this clone: it needs the whole history (git fetch --unshallow)."
    mkdir -p "$2/$ADDON"
    git -C "$CHECKOUT" archive "$1" | tar -x -C "$2/$ADDON"
    sed "s#$ADDONS_DIR#$2#" "$ODOO_CONF" >"$2.conf"
}

# --- PostgreSQL -------------------------------------------------------------------------------------------------------

# Both PostgreSQL's tools and Odoo read the PG* variables, so no password ever stands in a file of ours.
# PG_DIR is set where the server is ours.
use_postgres() {
    [ -z "${PGHOST:-}" ] || return 0
    PG_BIN=$(postgres_bin) || die 'PostgreSQL is not installed.'
    PG_DIR=$(postgres_dir)
    export PGHOST=$PG_DIR/run PGPORT=5432 PGUSER=odoo
    unset PGPASSWORD PGDATABASE PGSERVICE PGSSLMODE PGOPTIONS
}

postgres_bin() {
    local bin
    for bin in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) "$(dirname "$(command -v initdb || echo /none/x)")"; do
        if [ -x "$bin/initdb" ] && [ -x "$bin/pg_ctl" ]; then
            printf '%s' "$bin"
            return 0
        fi
    done
    return 1
}

postgres_dir() {
    local major
    major=$("$PG_BIN/initdb" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
    if [ "$(id -u)" = 0 ]; then
        # Root's home is closed to the cluster's owner. The cache's path is hashed in: another cache, another cluster.
        printf '%s' "/var/lib/$ADDON/$(printf '%s' "$CACHE" | sha256sum | cut -c1-8)-$major"
    else
        printf '%s' "$CACHE/postgres/$major"
    fi
}

# PostgreSQL refuses to run as root: then its programs run as an account without rights.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        runuser -u "$(postgres_account)" -- "$@"
    else
        "$@"
    fi
}

postgres_account() {
    if id -u postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

postgres_answers() { psql -X -q -d postgres -c 'SELECT 1' >/dev/null 2>&1; }

# --- Debian packages --------------------------------------------------------------------------------------------------

is_debian() { [ "$(. /etc/os-release 2>/dev/null && echo "${ID:-}")" = debian ]; }

# Installs the named Debian packages where that is allowed without asking; otherwise says what to install and stops.
install_packages() {
    [ $# -gt 0 ] || return 0
    local sudo=
    [ "$(id -u)" = 0 ] || sudo='sudo -n'
    if ! command -v apt-get >/dev/null || ! $sudo true 2>/dev/null; then
        die "Please install: $*"
    fi
    say "Installing $* ..."
    $sudo apt-get -qq update >&2
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >&2 ||
        die "Please install: $*"
}

# Odoo skips its browser tests without one, and the pictures need one.
need_browser() {
    local browser
    for browser in google-chrome chromium chromium-browser google-chrome-stable; do
        ! command -v "$browser" >/dev/null || return 0
    done
    install_packages chromium
}

# What tests and linters take from npm lies in node_modules/ of this folder.
node_dir() { printf '%s' "$CACHE/node-$(sha256sum <"$CHECKOUT/scripts/package.json" | cut -c1-8)"; }

# Gets the packages of scripts/package.json, once for each set of versions.
need_node_packages() {
    local node
    node=$(node_dir)
    [ ! -e "$node/node_modules" ] || return 0
    command -v npm >/dev/null || install_packages nodejs npm
    (
        flock 9
        [ ! -e "$node/node_modules" ] || exit 0
        say 'Getting packages from npm ...'
        # Got beside its place and renamed when complete.
        rm -rf "$node" "$node.part"
        mkdir -p "$node.part"
        cp "$CHECKOUT/scripts/package.json" "$node.part"
        npm install --prefix "$node.part" --no-package-lock --no-audit --no-fund --ignore-scripts --silent >&2 ||
            die 'The packages of scripts/package.json cannot be had from npm.'
        mv "$node.part" "$node"
    ) 9>"$CACHE/node.lock"
}

# --- OCA's modules ----------------------------------------------------------------------------------------------------

# Below this folder lie OCA's modules, as Odoo's addons path wants them.
OCA_ADDONS=$CACHE/oca/odoo/addons

# Gets OCA's modules of these names for Odoo 19.0 as wheels from the package index, once each; use_odoo comes before.
# Names those that cannot be had, and fails then.
need_oca_modules() {
    local module wheels missing=()
    mkdir -p "$OCA_ADDONS"
    for module in "$@"; do
        [ ! -d "$OCA_ADDONS/$module" ] || continue
        wheels=$(mktemp -d)
        # Odoo itself, on which every such wheel depends, is on no package index.
        if "$PYTHON" -m pip download -q --disable-pip-version-check --no-deps -d "$wheels" \
            "odoo-addon-${module//_/-}==19.0.*" >"$wheels/log" 2>&1; then
            "$PYTHON" -m zipfile -e "$wheels"/*.whl "$CACHE/oca"
        else
            missing+=("$module")
        fi
        rm -rf "$wheels"
    done
    [ ${#missing[@]} = 0 ] || { say "These of OCA's modules cannot be had: ${missing[*]}"; return 1; }
}

# --- databases --------------------------------------------------------------------------------------------------------

database_exists() { [ "$(psql -X -q -A -t -d postgres -c "SELECT 1 FROM pg_database WHERE datname = '$1'")" = 1 ]; }

# Drops a database with its files, whoever is still connected.
drop_database() {
    psql -X -q -d postgres -c "DROP DATABASE IF EXISTS \"$1\" WITH (FORCE)" 2>/dev/null
    rm -rf "$CACHE/data/filestore/$1"
}

# Copies a database that nobody is connected to, files included. The files are named by their content and never change,
# so links to them do.
copy_database() {
    createdb -T "$1" "$2"
    rm -rf "$CACHE/data/filestore/$2"
    mkdir -p "$CACHE/data/filestore/$1"
    cp -al "$CACHE/data/filestore/$1" "$CACHE/data/filestore/$2"
}

rename_database() {
    psql -X -q -d postgres -c "ALTER DATABASE \"$1\" RENAME TO \"$2\""
    rm -rf "$CACHE/data/filestore/$2"
    [ ! -d "$CACHE/data/filestore/$1" ] || mv "$CACHE/data/filestore/$1" "$CACHE/data/filestore/$2"
}

# Installs modules in a database (created when it is missing), quietly, and stops where the log holds a warning or worse.
# Arguments: database, modules separated by commas, file that gets the log.
install_modules() {
    local database=$1 modules=$2 log=$3
    if ! "$PYTHON" -m odoo -d "$database" -i "$modules" --stop-after-init --no-http >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        die "Installing $modules failed."
    fi
    if log_warnings "$log" | grep . >&2; then
        die "Installing $modules left the warnings above."
    fi
}

# Makes a database with the addon. Arguments: as of `copy_dependencies`.
make_database() {
    copy_dependencies "$@"
    install_modules "$1" "$ADDON" "$2"
}

# Makes a database with what the addon builds on. Arguments: database, file that gets the log, further modules separated
# by commas.
copy_dependencies() {
    local modules template
    modules=$(dependencies)${3:+,$3}
    template=$(template_name "$modules")
    make_template "$template" "$2" "$modules"
    drop_database "$1"
    copy_database "$template" "$1"
}

dependencies() {
    "$PYTHON" -c 'import ast, sys; print(",".join(sorted(ast.literal_eval(open(sys.argv[1]).read())["depends"])))' \
        "$CHECKOUT/__manifest__.py"
}

# One template per set of modules, Odoo and server, so that a run installs nothing but the addon itself.
template_name() {
    local odoo
    odoo=$(odoo_pythonpath)
    printf 'ponto_template_%s' "$({
        echo "$1" "$odoo" "$(stat -c %Y "$odoo/odoo/release.py")" "$PGHOST" "${PGPORT:-}"
    } | sha256sum | cut -c1-8)"
}

# Arguments: template, file that gets the log, modules separated by commas.
make_template() {
    (
        flock 9
        ! database_exists "$1" || exit 0
        say 'Installing the modules that the addon builds on ...'
        drop_database "$1_part"
        install_modules "$1_part" "$3" "$2"
        rename_database "$1_part" "$1"
    ) 9>"$CACHE/template.lock"
}

# Prints the warnings and errors of an Odoo log, but of Python's own warnings only those that name the addon: the others
# are about Odoo's and its libraries' code.
log_warnings() {
    awk -v addon="$ADDONS_DIR/" '
        function finish() { if (level ~ /WARNING|ERROR|CRITICAL/ && (!python || index(entry, addon))) printf "%s", entry }
        /^[0-9-]+ [0-9:,]+ [0-9]+ [A-Z]+ / { finish(); level = $4; python = ($6 == "py.warnings:"); entry = "" }
        { entry = entry $0 "\n" }
        END { finish() }
    ' "$1"
}
