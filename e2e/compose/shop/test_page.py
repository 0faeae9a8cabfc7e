"""The calls that the page of the shop tells people to try, as they stand there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from e2e.compose.engine import find_compose
from e2e.compose.project import Project, run

PAGE = Path(__file__).parents[1] / "README.md"
PORTS = {"8080": 8080, "8443": 8443}
"""Of the page, and of the gateway's container."""

EXPECTED = {
    "localhost:8080/ ": r"spiffe://[\w.-]+/ns/edge/sa/gateway",
    "8080/recommendations": r'"version": ?"v[12]"',
    "for n in": r"(201\n){5}429\n429\n",
    "8080/admin": r"HTTP/1.1 403 ",
    "cat /state/gateway.crt": r"",
    "--cacert shop.crt": r"spiffe://[\w.-]+/ns/edge/sa/gateway",
    "http://recommendation/for/ann": r'"status": 403',
    "http://storefront-1:8080/": r'"error"',
    "meshext proxy-status": r"storefront-1.*SYNCED",
    "meshext describe": r"FilterPolicies",
    "meshext certs": r"storefront",
    "calls?/admin": r"403",
}
"""What a command prints, by words that no other has."""


def find_commands() -> list[str]:
    """The lines of the page's calls, without what it says of them."""
    text = PAGE.read_text(encoding="utf-8").partition("## Calls to try")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [
        line.partition("   # ")[0].partition("  # ")[0].strip()
        for block in blocks
        for line in block.splitlines()
    ]
    return [f"{line} " for line in lines if line]


def key_of(command: str) -> str:
    (found,) = (words for words in EXPECTED if words in command)
    return found


def test_every_call_is_expected_to_do_something() -> None:
    assert [key_of(command) for command in find_commands()] == list(EXPECTED)


def test_the_calls_do_what_the_page_says(shop: Project, tmp_path: Path) -> None:
    compose = shlex.join([*find_compose(), "-p", shop.name, "-f", str(shop.file)])
    for command in find_commands():
        here = command.replace("docker-compose exec", f"{compose} exec -T")
        for told, port in PORTS.items():
            here = here.replace(f"localhost:{told}", f"localhost:{shop.published('gateway', port)}")
        said = run(["sh", "-c", f"cd {shlex.quote(str(tmp_path))} && {here} || :"])
        assert re.search(EXPECTED[key_of(command)], said), f"{command}\n{said}"
