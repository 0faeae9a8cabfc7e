"""Sources become one configuration: what is refused keeps its last good version, the rest goes on."""

from __future__ import annotations

from meshext_controlplane.model.mesh import Mesh
from meshext_controlplane.model.peer_authentication import PeerAuthentication
from meshext_controlplane.sources.configuration import Configuration, merge, tell_held
from meshext_controlplane.sources.places import Origin
from meshext_controlplane.sources.reading import read_text
from tests.controlplane.sources.documents import mesh_config, peer, policy, read

KEY = ("PeerAuthentication", "shop", "default")


def modes(configuration: Configuration) -> dict[str, str]:
    mesh = Mesh(config=configuration.config, documents=configuration.documents)
    return {each.metadata.name: each.spec.mtls.mode for each in mesh.of(PeerAuthentication)}


def test_documents_are_by_kind_in_the_order_of_files_and_places() -> None:
    found = merge([read("b.yaml", peer("third")), read("a.yaml", peer("first"), policy(), peer("second"))])
    assert list(modes(found)) == ["first", "second", "third"]
    assert set(found.documents) == {"PeerAuthentication", "AuthorizationPolicy"}
    assert found.problems == ()


def test_a_wrong_document_keeps_its_last_good_version_and_the_rest_moves_on() -> None:
    before = merge([read("a.yaml", peer(), peer("other"))])
    after = merge([read("a.yaml", peer(mode="LAX"), peer("other", "DISABLE"), peer("new"))], before)
    assert modes(after) == {"default": "STRICT", "other": "DISABLE", "new": "STRICT"}
    assert after.held == {KEY}
    assert tell_held(after) == ["PeerAuthentication shop/default: the last good version stays, from a.yaml:1"]
    assert [str(problem) for problem in after.problems] == [
        "a.yaml:4: PeerAuthentication shop/default: spec.mtls.mode: expected one of UNSET, DISABLE, "
        "PERMISSIVE, STRICT, got 'LAX'; write for example UNSET"
    ]


def test_a_file_that_can_not_be_read_keeps_all_that_it_held() -> None:
    before = merge([read("a.yaml", peer(), peer("gone")), read("b.yaml", policy())])
    after = merge([read("a.yaml", "{"), read("b.yaml", peer("gone", "DISABLE"))], before)
    assert modes(after) == {"default": "STRICT", "gone": "DISABLE"}
    assert "AuthorizationPolicy" not in after.documents
    assert after.held == {KEY}


def test_a_document_that_was_corrected_is_no_longer_held() -> None:
    wrong = merge([read("a.yaml", peer(mode="LAX"))], merge([read("a.yaml", peer())]))
    assert merge([read("a.yaml", peer(mode="DISABLE"))], wrong).held == frozenset()


def test_an_object_in_two_places_is_refused_in_both() -> None:
    before = merge([read("a.yaml", peer())])
    after = merge(
        [read("a.yaml", policy(), peer(mode="DISABLE")), read("b.yaml", peer(mode="DISABLE"))], before
    )
    assert modes(after) == {"default": "STRICT"}
    assert [(each.source, each.line, each.text) for each in after.problems] == [
        ("a.yaml", 6, "is also in b.yaml:1; neither is taken"),
        ("b.yaml", 1, "is also in a.yaml:6; neither is taken"),
    ]


def test_an_object_in_the_folder_and_in_the_api_is_refused_in_both() -> None:
    applied = read_text(Origin("applied PeerAuthentication shop/default", peer(mode="DISABLE"), (1, "", 5.0)))
    before = merge([read("a.yaml", peer())])
    after = merge([applied, read("a.yaml", peer(mode="PERMISSIVE"))], before)
    assert modes(after) == {"default": "STRICT"}
    assert [each.source for each in after.problems] == ["a.yaml", "applied PeerAuthentication shop/default"]
    alone = merge([applied], after)
    assert (modes(alone), alone.problems) == ({"default": "DISABLE"}, ())


def test_what_was_applied_comes_after_files_by_time() -> None:
    applied = [
        read_text(Origin(name, peer(name), (1, "", at))) for name, at in (("late", 2.0), ("soon", 1.0))
    ]
    assert list(modes(merge([*applied, read("z.yaml", peer("file"))]))) == ["file", "soon", "late"]


def test_a_second_mesh_config_is_refused() -> None:
    found = merge(
        [
            read("b.yaml", mesh_config("second", "{trustDomain: other.example}")),
            read("a.yaml", mesh_config(spec="{trustDomain: shop.example}")),
        ]
    )
    assert found.config.trust_domain == "shop.example"
    (problem,) = found.problems
    assert (problem.source, problem.line) == ("b.yaml", 1)
    assert "MeshConfig default/mesh in a.yaml:1" in problem.text


def test_what_did_not_change_is_the_same_object() -> None:
    before = merge([read("a.yaml", peer(), policy())])
    again = merge([read("a.yaml", peer(), policy())])
    assert again.documents is not before.documents
    reading = read("a.yaml", peer(), policy())
    one = merge([reading])
    assert merge([reading, read("b.yaml", "# nothing")], one).documents is one.documents
    other = merge([reading, read("b.yaml", peer("new"))], one)
    assert other.documents["AuthorizationPolicy"] is one.documents["AuthorizationPolicy"]
