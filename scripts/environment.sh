# Sourced by the other scripts: makes a virtual environment in .venv-NAME and goes into it.
#   environment NAME [EXTRAS]     with the package, e.g.  environment test "[dev]"
#   tools EXTRA                   with what an extra names alone, e.g.  tools docs
# Needs nothing but Python 3.11 or later (PYTHON=... names another one than the first found).

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "no Python 3.11 or later was found; install one, or name it: PYTHON=/path/to/python3 $0" >&2
    return 1
}

# Make .venv-NAME if it is not there or of another time, with what the other arguments tell pip to install.
virtual_environment() {
    local python folder=".venv-$1" stamp
    python=$(find_python) || exit 1
    stamp=$("$python" -c '
import hashlib, pathlib, sys
print(sys.version, sys.argv[1:], hashlib.sha256(pathlib.Path("pyproject.toml").read_bytes()).hexdigest())
' "$@")
    if [ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ]; then
        echo "making the virtual environment $folder ..." >&2
        rm -rf "$folder"
        "$python" -m venv "$folder"
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${@:2}"
        echo "$stamp" >"$folder/stamp"
    fi
    PATH="$PWD/$folder/bin:$PATH"
    export PATH
}

environment() {
    virtual_environment "$1" --editable ".${2:-}"
}

tools() {
    local packages
    packages=$("$(find_python)" -c '
import pathlib, sys, tomllib
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text("utf-8"))["project"]
print(*project["optional-dependencies"][sys.argv[1]])
' "$1") || exit 1
    # shellcheck disable=SC2086 # one word each
    virtual_environment "$1" $packages
}
