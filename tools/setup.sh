#!/bin/sh
# Fill .venv with what the lock file names; quick when nothing has changed. Says in one sentence what is missing.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "setup: $*" >&2
    exit 1
}

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
python=
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c "$fits" 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "Bufa needs Python 3.11, 3.12 or 3.13; $(python3 --version 2>/dev/null || echo 'there is no python3 here'). Install one, or name it: make PYTHON=/path/to/python3.12 setup"

want="$("$python" -c 'import sys; print(sys.version_info[:2], sys.platform)') $(pwd) $(cat requirements-dev.lock pyproject.toml tools/setup.sh | cksum)"
if [ "$(cat .venv/.bufa-setup 2>/dev/null)" != "$want" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    echo "setup: filling .venv with $("$python" --version) (a minute or two)"
    # A half-made, moved or differently made environment is made again; one that only lags behind is brought up to date.
    if ! .venv/bin/python -c "$fits" 2>/dev/null || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        rm -rf .venv
        "$python" -m venv .venv || fail "Python's venv module is incomplete (Debian, Ubuntu: apt-get install python3-venv)"
    fi
    rm -f .venv/.bufa-setup
    # Wheels only: nothing is compiled here, so no compiler is needed and none can be missing.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        -r requirements-dev.lock ||
        fail "the packages could not be installed (see above). If it says 'No matching distribution', there is no ready-made package for this machine ($(uname -sm), $("$python" --version)); if it says 'Connection' or 'Retrying', the package index can't be reached"
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index \
        -e . >.venv/.bufa-install.log 2>&1; then
        cat .venv/.bufa-install.log >&2
        fail "Bufa itself could not be installed into .venv (see above)"
    fi
    echo "$want" >.venv/.bufa-setup
fi
for po in locale/*/LC_MESSAGES/django.po; do
    [ -e "$po" ] || continue
    # Equal times mean "unchanged since": only an older .mo is made again.
    if [ ! -e "${po%.po}.mo" ] || [ "$po" -nt "${po%.po}.mo" ]; then
        .venv/bin/python tools/i18n.py compile >/dev/null
    fi
done
