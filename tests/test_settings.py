"""Settings from the environment, and where the bundle is."""

from dataclasses import fields
from pathlib import Path

import pytest

from suasion.errors import DataError
from suasion.settings import PREFIX, Settings, bundle_folder, from_environment

GIVEN = {"str": ("some text", "some text"), "int": ("42", 42), "float": ("1.5", 1.5)}


def test_nothing_set_gives_the_defaults() -> None:
    assert from_environment({}) == Settings()
    assert from_environment({"PATH": "/bin", "PORT": "1", "MY_SUASION_PORT": "1"}) == Settings()


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_each_setting_is_read_in_its_type(name: str) -> None:
    default = getattr(Settings(), name)
    text, value = GIVEN[type(default).__name__]
    settings = from_environment({PREFIX + name.upper(): text})
    assert getattr(settings, name) == value
    assert type(getattr(settings, name)) is type(default)
    assert {f.name for f in fields(Settings) if getattr(settings, f.name) != getattr(Settings(), f.name)} == {name}


@pytest.mark.parametrize("name", ["port", "workers", "deadline_seconds", "answer_bytes"])
@pytest.mark.parametrize("text", ["many", "", "1,5", "0x10"])
def test_a_value_of_another_type_is_refused_with_variable_and_type(name: str, text: str) -> None:
    kind = type(getattr(Settings(), name)).__name__
    with pytest.raises(DataError) as caught:
        from_environment({PREFIX + name.upper(): text})
    assert str(caught.value) == f"{PREFIX}{name.upper()}={text!r} is not of type {kind}."


def test_an_unknown_variable_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DataError) as caught:
        from_environment({"SUASION_PROT": "80"})
    assert str(caught.value).startswith("SUASION_PROT is no setting; ")
    assert all(PREFIX + field.name.upper() in str(caught.value) for field in fields(Settings))


def test_the_bundle_is_the_repository_unless_it_is_set(bundle: Path) -> None:
    found = bundle_folder(Settings())
    assert found.resolve() == bundle.resolve()
    assert all((found / name).is_dir() for name in ("ontology", "graph_data", "queries"))


def test_a_bundle_that_is_set_is_taken(tmp_path: Path) -> None:
    (tmp_path / "ontology").mkdir()
    assert bundle_folder(Settings(bundle=str(tmp_path))) == tmp_path


@pytest.mark.parametrize("name", [".", "nothing"])
def test_a_folder_that_is_no_bundle_is_refused_with_the_remedy(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        bundle_folder(Settings(bundle=str(tmp_path / name)))
    assert str(caught.value) == f"{tmp_path / name} has no folder ontology: name a folder with ontology, graph_data and queries."
