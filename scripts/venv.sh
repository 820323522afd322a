#!/bin/sh
# Makes the virtual environment $VENV from $PYTHON, unless it is there.
# Debian ships Python without its venv module: it is installed where we may, and named where we may not.
set -eu

PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}

if "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

if ! command -v "$PYTHON" >/dev/null 2>&1; then
    echo "$PYTHON is not on this machine; dbrouter needs Python 3.11 or newer (apt-get install python3)" >&2
    exit 1
fi

version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$PYTHON is Python $version; dbrouter needs 3.11 or newer (PYTHON=python3.12 make …)" >&2
    exit 1
fi

if ! "$PYTHON" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    package="python$version-venv"
    if [ "$(id -u)" = 0 ]; then
        rights=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        rights="sudo -n"
    else
        echo "$PYTHON has no venv module; install it as root (apt-get install $package) and try again" >&2
        exit 1
    fi
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "$PYTHON has no venv module, and there is no apt-get here to install it with" >&2
        exit 1
    fi
    echo "installing $package"
    $rights apt-get -q update >/dev/null
    $rights env DEBIAN_FRONTEND=noninteractive apt-get -q -y install "$package" >/dev/null
fi

rm -rf "$VENV"
"$PYTHON" -m venv "$VENV"
