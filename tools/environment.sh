# Read by the commands at the top of the checkout; they set `command` to their own name first.
# Gives say, fail and environment, and $python. Needs a POSIX shell and Python with venv.

PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
PIP_DISABLE_PIP_VERSION_CHECK=1
export PATH PIP_DISABLE_PIP_VERSION_CHECK
unset PYTHONPATH PYTHONHOME

say() {
    printf '==> %s\n' "$*"
}

fail() {
    printf '%s: %s\n' "$command" "$*" >&2
    exit 2
}

# Sets $python to the first interpreter that is recent enough and can make environments.
find_python() {
    without_venv=

    for python in ${CARDTWIN_PYTHON:-python3 python3.13 python3.12 python3.11}; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        "$python" -c 'import ensurepip, venv' 2>/dev/null && return
        without_venv=${without_venv:-$python}
    done

    if [ -n "$without_venv" ]; then
        package=$("$without_venv" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        fail "$without_venv cannot make environments: the modules venv and ensurepip are missing." \
            "On Debian and Ubuntu: apt-get install $package"
    fi

    fail "Python 3.11 or later is needed, and ${CARDTWIN_PYTHON:-python3} is none or is older." \
        "On Debian 12, Ubuntu 24.04 and later: apt-get install python3 python3-venv." \
        "CARDTWIN_PYTHON=/path/to/python names another one."
}

# environment FOLDER PIP-ARGUMENT...: makes a virtual environment with that installed, unless it is there.
# The stamp is written last, so that an environment which was left half-made is made again.
environment() {
    folder=$1
    shift
    stamp=$("$python" - "$PWD/$folder" "$@" <<'END'
import hashlib, pathlib, sys

facts = repr((sys.version, sys.base_prefix, sys.argv[1:])).encode()
project = pathlib.Path("pyproject.toml").read_bytes() if "--editable" in sys.argv else b""
print(hashlib.sha256(facts + project).hexdigest())
END
    ) || fail "$python does not run"

    if [ -f "$folder/stamp" ] && [ "$(cat "$folder/stamp")" = "$stamp" ]; then
        return
    fi

    say "Making $folder with $("$python" --version); this needs the package index, and takes half a minute"
    rm -rf "$folder"
    "$python" -m venv "$folder" || fail "$python -m venv $folder failed"
    "$folder/bin/python" -m pip install "$@" ||
        fail "pip could not install $*; its message is above. Run $command again once that is mended"
    printf '%s\n' "$stamp" >"$folder/stamp"
}

find_python
