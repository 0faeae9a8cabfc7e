"""What `meshext new` writes: a filter as we would write it, and what belongs to one.

A key, and who holds it: the example is short, says no to strangers by default, keeps no secret in its
configuration, and shows every part that most filters have.
"""

from __future__ import annotations

from importlib.metadata import version
from string import Template

from meshext.cli.new import Project

FILTER = '''\
"""$class_name: who holds an API key may call."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from meshext import Counter, Filter, Request, Respond


class $class_name(Filter):
    """Lets holders of an API key pass, and tells the upstream who they are."""

    @dataclass(frozen=True)
    class Config:
        """What may stand in config.yaml; anything else is refused at the start."""

        header: str = field(
            default="x-api-key", metadata={"help": "The header with the key."}
        )
        callers: dict[str, str] = field(
            default_factory=dict,
            metadata={"help": "Who may call, each with the SHA-256 of the key in hex."},
        )
        open_paths: tuple[str, ...] = field(
            default=("/health",), metadata={"help": "Paths that need no key."}
        )

        def __post_init__(self) -> None:
            for name, digest in self.callers.items():
                if not re.fullmatch("[0-9a-f]{64}", digest):
                    raise ValueError(f"callers.{name}: a SHA-256 has 64 hex digits")

    refused = Counter("${module}_refused_total")

    def __init__(self, config: Config) -> None:
        # Once for each configuration: what takes time belongs here, not in a hook.
        self.header = config.header
        self.open_paths = frozenset(config.open_paths)
        self.callers = {digest: name for name, digest in config.callers.items()}

    def on_request(self, request: Request) -> Respond | None:
        """Answer strangers with 401; None lets a request go on."""
        key = request.headers.get(self.header, "")
        del request.headers[self.header]  # the upstream has no use for it
        del request.headers["x-caller"]  # nobody but us says who calls
        if request.path in self.open_paths:
            return None
        caller = self.callers.get(sha256(key))
        if caller is None:
            self.refused.inc()
            return Respond(
                401,
                headers={"www-authenticate": "ApiKey"},
                body="Who are you?\\n",
                details="unknown_key",
            )
        request.headers["x-caller"] = caller
        return None


def sha256(key: str) -> str:
    """The digest of a key in hex; a header may have bytes that are not UTF-8."""
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
'''

TESTS = '''\
"""$class_name in this process: no sockets, no Envoy, the engine of the services."""

from __future__ import annotations

import pytest
from meshext import ConfigError
from meshext.testing import Harness

from $module import $class_name, sha256

KEY = "wonderland"


@pytest.fixture
def harness() -> Harness:
    return Harness($class_name, {"callers": {"alice": sha256(KEY)}})


def test_the_upstream_learns_who_calls(harness: Harness) -> None:
    outcome = harness.request("GET", "/orders", headers={"x-api-key": KEY})
    assert outcome.status == 200
    assert outcome.upstream is not None
    assert outcome.upstream.headers["x-caller"] == "alice"


def test_the_key_goes_no_further(harness: Harness) -> None:
    outcome = harness.request("GET", "/orders", headers={"x-api-key": KEY})
    assert outcome.upstream is not None
    assert "x-api-key" not in outcome.upstream.headers


@pytest.mark.parametrize(
    "headers", [{}, {"x-api-key": ""}, {"x-api-key": "guessed"}, {"x-caller": "alice"}]
)
def test_strangers_are_refused(harness: Harness, headers: dict[str, str]) -> None:
    outcome = harness.request("GET", "/orders", headers=headers)
    assert outcome.status == 401
    assert outcome.upstream is None
    assert harness.value("${module}_refused_total") == 1


def test_an_open_path_needs_no_key_and_gives_no_name(harness: Harness) -> None:
    outcome = harness.request("GET", "/health", headers={"x-caller": "alice"})
    assert outcome.status == 200
    assert outcome.upstream is not None
    assert "x-caller" not in outcome.upstream.headers


def test_a_key_in_plain_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="64 hex digits"):
        Harness($class_name, {"callers": {"alice": KEY}})
'''

ENVOY_TEST = '''\
"""$class_name in the real Envoy, with the calls of expect.yaml; skipped without one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from meshext import MeshextError
from meshext.envoy.binary import find_envoy

FOLDER = Path(__file__).parent
MESHEXT = [sys.executable, "-m", "meshext"]


@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_the_real_envoy_agrees(mode: str) -> None:
    try:
        find_envoy()
    except MeshextError as error:
        pytest.skip(str(error))
    done = subprocess.run(
        [*MESHEXT, "run", "$spec", "--mode", mode, "--try"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
'''

CONFIG = """\
# The configuration of $class_name. `meshext check $spec` lists what may stand here.
callers:
  # `printf wonderland | sha256sum`: the key is wonderland
  alice: a71a7c7011f53a1bab3642ec2ce12593f05230ace8de1e3e7645f69efac1443d
open_paths: [/health]
"""

EXPECT = """\
# What `meshext run $spec --try` sends through the real Envoy, and what has to come of it.
config: config.yaml
calls:
  - name: a caller with a key
    request: {target: /orders, headers: {x-api-key: wonderland}}
    expect: {status: 200, upstream: {headers: {x-caller: alice, x-api-key: null}}}
  - name: a stranger
    request: {target: /orders, headers: {x-api-key: guessed}}
    expect: {status: 401, body: Who are you?}
  - name: an open path
    request: {target: /health, headers: {x-caller: mallory}}
    expect: {status: 200, upstream: {headers: {x-caller: null}}}
"""

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "$name"
version = "0.1.0"
description = "A policy for Envoy, written with meshext."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["meshext>=$version"]

[project.optional-dependencies]
dev = ["meshext[envoy]", "pytest"]

# Where this is installed, the filter goes by its name: meshext run $name
[project.entry-points."meshext.filters"]
$name = "$module:$class_name"

[tool.hatch.build.targets.wheel]
only-include = ["$module.py"]

[tool.pytest.ini_options]
testpaths = ["."]
pythonpath = ["."]
filterwarnings = ["error"]
"""

README = """\
# $name

A policy for Envoy, written with meshext: callers need an API key, and the upstream learns who they are.

| file | what it is |
|---|---|
| `$module.py` | the filter |
| `config.yaml` | its configuration |
| `test_$module.py` | tests in this process, quick |
| `test_in_envoy.py` | the same filter in the real Envoy |
| `expect.yaml` | calls to try on the real Envoy, and what has to come of them |

```
python3 -m pip install -e '.[dev]'
python3 -m pytest
meshext run $spec --try
```

Without `--try` Envoy stays, and says which `curl` commands to try. `--upstream HOST:PORT` puts it in front of
your own service.

To use it with an Envoy that is already there:

```
meshext check $spec --config config.yaml
meshext config $spec --config config.yaml --address 127.0.0.1:9000
meshext serve $spec --config config.yaml --listen 127.0.0.1:9000
```
"""

GITIGNORE = """\
.venv/
__pycache__/
*.egg-info/
dist/
"""


def build_files(project: Project) -> dict[str, str]:
    """File names and texts of a project, the filter first."""
    names = {
        "name": project.name,
        "module": project.module,
        "class_name": project.class_name,
        "spec": project.spec,
        "version": version("meshext"),
    }
    templates = {
        f"{project.module}.py": FILTER,
        f"test_{project.module}.py": TESTS,
        "test_in_envoy.py": ENVOY_TEST,
        "config.yaml": CONFIG,
        "expect.yaml": EXPECT,
        "pyproject.toml": PYPROJECT,
        "README.md": README,
        ".gitignore": GITIGNORE,
    }
    return {name: Template(text).substitute(names) for name, text in templates.items()}
