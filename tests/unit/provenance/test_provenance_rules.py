from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import iter_modules

import pytest

import cardtwin.provenance
from cardtwin.provenance import Basis, Rule, Switches, UnknownSwitchError, all_rules, rule

SWITCHED = [entry for entry in all_rules() if entry.choices]


def modules(area: str) -> list[str]:
    """Return the modules of an area: that of its name, and those whose names begin with it."""
    names = {found.name for found in iter_modules(cardtwin.provenance.__path__)} - {"rules"}
    return [name for name in names if name.partition("_")[0] == area]


def test_the_table_holds_rules_of_every_area() -> None:
    names = {found.name.partition("_")[0] for found in iter_modules(cardtwin.provenance.__path__)}
    assert {entry.id.partition(".")[0] for entry in all_rules()} == names - {"rules"}


@pytest.mark.parametrize("entry", all_rules(), ids=lambda entry: entry.id)
def test_a_rule_says_where_it_comes_from_and_what_holds(entry: Rule) -> None:
    area, _, what = entry.id.partition(".")
    sources = [inspect.getsource(import_module(f"cardtwin.provenance.{name}")) for name in modules(area)]
    assert what
    assert sum(f'"{entry.id}"' in source for source in sources) == 1
    assert entry.source
    assert entry.text.endswith(".")


@pytest.mark.parametrize("entry", SWITCHED, ids=lambda entry: entry.id)
def test_a_switch_has_its_default_until_it_is_chosen(entry: Rule) -> None:
    assert len(set(entry.choices)) == len(entry.choices) >= 2
    assert Switches()[entry] == entry.default

    for choice in entry.choices:
        assert Switches({entry.id: choice})[entry] == choice


def test_a_rule_without_a_switch_cannot_be_chosen() -> None:
    with pytest.raises(UnknownSwitchError, match=r"there is no switch 'card\.nothing-of-the-kind'"):
        Switches({"card.nothing-of-the-kind": "yes"})


def test_a_misspelled_switch_or_value_is_refused_with_what_there_is() -> None:
    entry = SWITCHED[0]

    with pytest.raises(UnknownSwitchError, match=f"did you mean '{entry.id}'"):
        Switches({entry.id + "x": entry.default})

    with pytest.raises(UnknownSwitchError, match=f"{entry.id} takes .*{entry.choices[0]}"):
        Switches({entry.id: "neither this nor that"})


def test_an_id_is_given_once() -> None:
    taken = all_rules()[0]

    with pytest.raises(ValueError, match="stands in the table already"):
        rule(taken.id, Basis.OURS, "a test", "Never entered.")

    assert taken in all_rules()


def test_a_default_that_is_no_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="none of"):
        Rule("card.x", Basis.OURS, "a test", "Never entered.", ("a", "b"), "c")
