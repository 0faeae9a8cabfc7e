"""From specs and configurations to a chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshext import ConfigError, SpecError
from meshext.loading import load_chain, load_configured, load_needs

TEXT = """
from dataclasses import dataclass
from meshext import Filter
class One(Filter):
    @dataclass(frozen=True)
    class Config:
        word: str = "none"
        deep: tuple[int, ...] = ()
    def __init__(self, config):
        if config.word == "bad":
            raise ValueError("bad word")
        self.word = config.word
    def on_request(self, request): ...
    def on_response(self, response): ...
    @classmethod
    def needs(cls, config):
        needs = super().needs(config)
        return needs if config.word == "all" else needs.without("on_response")
class Two(One): ...
class Plain(Filter):
    def on_request(self, request): ...
class Raw(Filter):
    Config = str
    def __init__(self, config): self.text = config
    def on_request(self, request): ...
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "filters.py"
    path.write_text(TEXT)
    return str(path)


def test_defaults_without_a_configuration(file: str) -> None:
    (_, config), (_, none) = load_configured([f"{file}:One", f"{file}:Plain"])
    assert getattr(config, "word") == "none"  # noqa: B009  # its type is the loaded file's
    assert none is None


def test_one_each_in_order(file: str) -> None:
    chain = load_chain([f"{file}:One", f"{file}:Two"], ['{"word": "a"}', '{"word": "b"}'])
    assert [vars(mount.instance)["word"] for mount in chain.mounts] == ["a", "b"]


def test_one_document_for_all_by_name(file: str, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text("two: {word: b}\none: {deep: [1, 2]}\n")
    chain = load_chain([f"{file}:One", f"{file}:Two"], [str(tmp_path / "all.yaml")])
    assert [vars(mount.instance)["word"] for mount in chain.mounts] == ["none", "b"]


def test_raw_text(file: str) -> None:
    assert vars(load_chain([f"{file}:Raw"], ["{any: text"]).mounts[0].instance)["text"] == "{any: text"


def test_needs_follow_the_configuration(file: str) -> None:
    (bare,) = load_needs([f"{file}:One"])
    (full,) = load_needs([f"{file}:One"], ['{"word": "all"}'])
    assert bare.hooks == {"on_request"}
    assert full.hooks == {"on_request", "on_response"}


@pytest.mark.parametrize(
    ("names", "configs", "message"),
    [
        (["One"], ['{"wort": 1}'], "wort"),
        (["One"], ['{"word": 1}'], "word"),
        (["One"], ['{"word": "bad"}'], "One: ValueError: bad word"),
        (["Plain"], ['{"a": 1}'], "Plain takes no configuration"),
        (["One", "Two", "Plain"], ["{}", "{}"], "2 configurations for 3 filters"),
        (["One", "Two"], ['{"three": {}}'], r"are their names \(one, two\)"),
        (["One", "Two"], ["[]"], "are their names"),
        (["One", "Two"], ['{"two": {"word": 1}}'], "two.*word"),
        (["One"], ["nowhere.yaml"], "nowhere.yaml: no such file"),
    ],
)
def test_mistakes_name_the_place(file: str, names: list[str], configs: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_chain([f"{file}:{name}" for name in names], configs)


def test_no_filter_at_all() -> None:
    with pytest.raises(SpecError, match="no filter given"):
        load_chain([])
