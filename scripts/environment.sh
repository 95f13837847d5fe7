# Sourced by the other scripts: makes a virtual environment in .venv-NAME and installs the package.
#   environment NAME [EXTRAS]     e.g.  environment test "[dev]"
# Needs nothing but Python 3.11 or later (PYTHON=... names another one than the first found).

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "no Python 3.11 or later was found; install one, or name it: PYTHON=/path/to/python3 $0" >&2
    return 1
}

environment() {
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
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".${2:-}"
        echo "$stamp" >"$folder/stamp"
    fi
    PATH="$PWD/$folder/bin:$PATH"
    export PATH
}
