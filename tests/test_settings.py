"""Settings from the environment, and where the bundle is."""

from dataclasses import fields
from pathlib import Path

import pytest

from suasion.errors import DataError
from suasion.settings import PREFIX, Between, Like, OneOf, Settings, bundle_folder, from_environment, overridden, rules

PATHS = {"article", "bundle", "datasets", "queries", "tokens", "writable"}
TEXTS = {
    "host": "::1",
    "public_url": "https://example.org/a/b",
    "hosts": "example.org, [::1]:80",
    "article": "article.txt",
    "bundle": "some text",
    "writable": "a folder",
    "queries": "a folder",
    "datasets": "a folder",
    "tokens": "a file",
    "services": "https://example.org/sparql",
    "things": "https://example.org/id/",
}
NUMBERS = [name for name, rule in rules().items() if isinstance(rule, Between)]


def test_nothing_set_gives_the_defaults() -> None:
    assert from_environment({}) == Settings()
    assert from_environment({"PATH": "/bin", "PORT": "1", "MY_SUASION_PORT": "1"}) == Settings()


def admitted(name: str) -> str | int | float:
    """Return a value that a setting takes and that is not its default."""
    rule = rules().get(name)
    match rule:
        case Between():
            return int(rule.most) if isinstance(getattr(Settings(), name), int) else float(rule.most)
        case OneOf():
            return rule.words[-1]
    return TEXTS[name]


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_each_setting_is_read_in_its_type(name: str) -> None:
    default, value = getattr(Settings(), name), admitted(name)
    settings = from_environment({PREFIX + name.upper(): str(value)})
    assert getattr(settings, name) == value
    assert type(getattr(settings, name)) is type(default)
    assert {f.name for f in fields(Settings) if getattr(settings, f.name) != getattr(Settings(), f.name)} == {name}


def test_each_setting_but_a_path_has_a_rule() -> None:
    assert set(rules()) == {field.name for field in fields(Settings)} - PATHS
    assert all(isinstance(rules()[name], Between) for name in rules() if not isinstance(getattr(Settings(), name), str))


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_taken_up_to_both_ends_and_refused_beyond(name: str) -> None:
    rule, variable = rules()[name], PREFIX + name.upper()
    assert isinstance(rule, Between)
    kind = type(getattr(Settings(), name))
    assert [getattr(from_environment({variable: str(kind(end))}), name) for end in (rule.least, rule.most)] == [
        rule.least,
        rule.most,
    ]
    beyond = [str(kind(rule.least - 1)), str(kind(rule.most + 1)), "-1", "9" * 40]
    for text in beyond if kind is int else [*beyond, "nan", "inf", "-inf", "1e999"]:
        with pytest.raises(DataError) as caught:
            from_environment({variable: text})
        assert str(caught.value) == f"{variable}={kind(text)!r} is refused: it takes {rule.least:,} to {rule.most:,}."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("host", ""),
        ("host", "two words"),
        ("public_url", "example.org"),
        ("public_url", "https://example.org/"),
        ("public_url", "ftp://example.org"),
        ("public_url", "https://example.org/a?b"),
        ("hosts", ","),
        ("hosts", "https://example.org"),
        ("hosts", "example.org example.com"),
        ("log_format", "xml"),
        ("log_client", ""),
    ],
)
def test_a_text_of_another_form_is_refused_with_the_form(name: str, text: str) -> None:
    rule = rules()[name]
    assert isinstance(rule, Like | OneOf)
    with pytest.raises(DataError) as caught:
        from_environment({PREFIX + name.upper(): text})
    assert str(caught.value) == f"{PREFIX}{name.upper()}={text!r} is refused: it takes {rule}."


def test_settings_made_in_code_are_held_to_the_same() -> None:
    with pytest.raises(DataError, match="SUASION_TRUSTED_PROXIES=-1"):
        Settings(trusted_proxies=-1)


def test_an_option_overrides_and_is_held_to_the_same_under_its_own_name() -> None:
    settings = overridden(Settings(workers=3), {"workers": 5, "port": None})
    assert (settings.workers, settings.port) == (5, Settings().port)
    for name, value in (("port", 65_536), ("workers", 0), ("deadline_seconds", float("nan")), ("host", "")):
        with pytest.raises(DataError, match=f"^--{name.replace('_', '-')}="):
            overridden(Settings(), {name: value})


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
