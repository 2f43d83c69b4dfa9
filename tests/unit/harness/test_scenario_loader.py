from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.scenario import Instance, find, load
from cardtwin.scenario.document import plain
from cardtwin.source import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from support.fake_target import FakeTarget

pytestmark = pytest.mark.usefixtures("target")


def findings(path: Path) -> list[str]:
    with pytest.raises(SourceError) as caught:
        load(path)

    return [f"{found.span.line}:{found.span.column} {found.code}" for found in caught.value.diagnostics]


def message(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        load(path)

    return str(caught.value)


def steps(instance: Instance) -> list[Any]:
    return [plain(spec.node) for spec in instance.steps]


def test_every_combination_of_the_matrix_is_an_instance(scenario: Any) -> None:
    path = scenario(
        "- {apdu: 00 A4 00 0C $(row.body), expect: $(row.expect)}\n",
        name="erase",
        matrix="\n  model: [cardos-4.4, cardos-5.3]\n  row:\n    - {id: mf, body: 02 3F 00, expect: 9000}"
        "\n    - {id: df, body: 02 50 15, expect: {sw: 6A82}}",
        readers="{R1: $(model)}",
    )
    instances = load(path)
    assert [instance.id for instance in instances] == [
        "erase[cardos-4.4,mf]",
        "erase[cardos-4.4,df]",
        "erase[cardos-5.3,mf]",
        "erase[cardos-5.3,df]",
    ]
    assert steps(instances[3]) == [{"apdu": "00 A4 00 0C 02 50 15", "expect": {"sw": "6A82"}}]
    assert instances[3].setup.cards["R1"].model == "cardos-5.3"


def test_all_errors_come_at_once_each_with_its_place(scenario: Any) -> None:
    path = scenario(
        """\
        - apdu: 00 A4 0
        - {apud: 00}
        - {apdu: 00840000, expect: {sv: 9000}, on: R3}
        - {card: instert}
        - {card: reset, apdu: 00}
        - {use: none.steps.yaml}
        - {apdu: 00, expect: {sw: {anny: 3}}}
        - foo
        - {apdu: $(typo)}
        """,
        titel="x",
        processes="{java.exe: {ppa_config: iD2ppa.cfg}}",
    )
    assert findings(path) == [
        "4:1 unknown-key",
        "5:36 unknown-name",
        "7:11 bad-value",
        "8:6 no-verb",
        "9:31 unknown-key",
        "9:46 unknown-name",
        "10:12 bad-value",
        "11:19 two-verbs",
        "12:11 no-such-file",
        "13:29 bad-value",
        "14:5 not-a-step",
        "15:12 unknown-name",
    ]


def test_a_wrong_matrix_hides_no_other_error(scenario: Any) -> None:
    path = scenario(
        "- {apud: 00}\n- {apdu: $(rule.send)}\n- {apdu: $(rul)}\n- {apdu: $(model.x)}",
        matrix="{model: [{id: a, x: 00}], rule: one}",
        readers="{R1: $(rule.card)}",
        titel="x",
    )
    assert findings(path) == [
        "4:41 bad-matrix",
        "5:1 unknown-key",
        "7:6 no-verb",
        "9:12 unknown-name",
    ]


def test_a_reader_given_a_model_cannot_hide_a_card_of_its_name(scenario: Any) -> None:
    path = scenario("- {card: reset}", cards="{R1: {model: cardos-5.3}}")
    assert findings(path) == ["3:15 name-taken"]
    assert "write 'R1: R1' to insert that one" in message(path)


@pytest.mark.parametrize(
    ("step", "finding"),
    [
        ("{apdu: 00, bind: model}", "6:22 name-taken"),
        ("{apdu: 00, bind: a b}", "6:22 bad-value"),
        ("{apdu: 00, bind: {x: dat}}", "6:26 unknown-name"),
        ("{card: reset, bind: x}", "6:25 unknown-name"),
        ("{login: user, pin: '1234', bind: x}", "6:38 unknown-name"),
        ("{check: {}}", "6:13 bad-value"),
        ("{check: {pins: {one: 3}}}", "6:21 bad-value"),
        ("{check: {keys: {':1': absent}}}", "6:21 bad-value"),
        ("{check: {files: {3F00: {}}}}", "6:28 bad-value"),
        ("{check: {files: {}}}", "6:13 bad-value"),
        ("{check: {fuse: burnt, pins: {}}}", "6:13 bad-value"),
        ("{check: {files: {3F00: {access: {}}}}}", "6:28 bad-value"),
        ("{apdu: 00, id: a}\n- {check: {apdus: {of: a}}}", "7:21 bad-value"),
        ("{apdu: 00, expect: {}}", "6:24 bad-value"),
        ("{card: insert}", "6:5 bad-value"),
        ("{card: reset, which: R1}", "6:5 bad-value"),
        ("{erase: user}", "6:5 bad-value"),
        ("{encode: x.dsc, pool: {A: {plian: x}}}", "6:31 missing-key"),
    ],
)
def test_a_step_that_cannot_make_sense_is_told_before_the_run(scenario: Any, step: str, finding: str) -> None:
    assert finding in findings(
        scenario(f"- {step}", matrix="{model: [cardos-4.4]}", readers="{R1: $(model)}", files="")
    )


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("- {apdu: 00, id: a}\n- {check: {apdus: {of: a, count: 1}}}", []),
        ("- {check: {apdus: {of: a, count: 1}}}\n- {apdu: 00, id: a}", ["6:26 unknown-name"]),
        ("- {check: {apdus: {of: a, count: 0}}, id: a}", ["6:26 unknown-name"]),
        ("- {apdu: 00, id: a}\n- {check: {apdus: {of: b, count: 1}}}", ["7:26 unknown-name"]),
        ("- {image: save, name: a}\n- {image: load, name: a}\n- {image: compare, name: f}", []),
        ("- {image: load, name: a}\n- {image: save, name: a}", ["6:25 unknown-name"]),
        ("- {image: compare, name: g}", ["6:28 unknown-name"]),
        ("- {apdu: 00, bind: x}\n- {image: save, name: $(x)}\n- {image: load, name: a}", []),
        ("- {apdu: 00, bind: x}\n- {image: load, name: $(x)}", []),
    ],
)
def test_what_no_earlier_step_has_is_told_before_the_run(
    scenario: Any, steps: str, expected: list[str]
) -> None:
    path = scenario(steps, files="{f: x}", readers="{R1: cardos-4.4}")

    if expected:
        assert findings(path) == expected
    else:
        load(path)


@pytest.mark.parametrize("verb", ["verify_pin", "change_pin", "unblock_pin"])
def test_a_pin_in_the_place_of_its_name_is_told_and_not_shown(scenario: Any, verb: str) -> None:
    others = {"verify_pin": "pin: x", "change_pin": "old: x, new: x", "unblock_pin": "puk: x, new: x"}
    path = scenario(f"- {{{verb}: '4711', {others[verb]}}}")
    assert findings(path) == [f"5:{8 + len(verb)} bad-value"]
    assert "looks like the PIN itself" in message(path)
    assert "4711" not in message(path)


def test_a_wrong_secret_is_told_at_its_name(scenario: Any) -> None:
    path = scenario("- {personalise: x, secrets: {PIN9: 1234}}", files="{x: y}")
    assert findings(path) == ["6:32 bad-value"]
    assert "'PIN9' is not possible here" in message(path)
    assert "did you mean" in message(path)


def test_a_wrong_field_of_a_pool_is_told_once(scenario: Any) -> None:
    path = scenario("- {encode: x, pool: {A: {plian: x}}}", files="{x: y}")
    assert findings(path) == ["6:27 missing-key", "6:28 unknown-key"]


def test_a_typing_error_gets_a_hint(scenario: Any) -> None:
    assert "did you mean 'apdu'?" in message(scenario("- {apud: 00}"))


def test_an_error_shows_the_line_with_a_caret(scenario: Any) -> None:
    assert "      - {apdu: 0G}\n               ^^" in message(scenario("- {apdu: 0G}"))


def test_an_error_of_all_instances_is_told_once(scenario: Any) -> None:
    path = scenario("- {apdu: 0}", matrix="{model: [a, b, c]}", readers="{R1: $(model)}")
    assert findings(path) == ["6:12 bad-value"]


def test_an_error_in_one_row_is_told_where_the_row_is_used(scenario: Any) -> None:
    path = scenario("- {apdu: $(row.send)}", matrix="{row: [{id: a, send: 00}, {id: b, send: 0G}]}")
    assert findings(path) == ["6:12 bad-value"]


def test_included_steps_stand_in_the_place_of_use(scenario: Any, tmp_path: Path) -> None:
    (tmp_path / "begin.steps.yaml").write_text("- {apdu: $(cmd)}\n- {card: reset}\n")
    path = scenario("- use: begin.steps.yaml\n- apdu: 00 84 00 00", matrix="{cmd: ['0001']}")
    (instance,) = load(path)
    assert steps(instance) == [{"apdu": "0001"}, {"card": "reset"}, {"apdu": "00 84 00 00"}]
    assert [spec.number for spec in instance.steps] == [1, 2, 3]
    assert str(instance.steps[1].span) == f"{tmp_path / 'begin.steps.yaml'}:2:3"


def test_use_goes_one_level_deep(scenario: Any, tmp_path: Path) -> None:
    (tmp_path / "a.steps.yaml").write_text("- use: b.steps.yaml\n")
    assert findings(scenario("- use: a.steps.yaml")) == ["1:3 nested-use"]


def test_an_error_in_an_included_file_is_told_there(scenario: Any, tmp_path: Path) -> None:
    included = tmp_path / "a.steps.yaml"
    included.write_text("\n- {apdu: zz}\n")
    assert f"{included}:2:10: error" in message(scenario("- use: a.steps.yaml"))


def test_nothing_stands_beside_use(scenario: Any, tmp_path: Path) -> None:
    (tmp_path / "a.steps.yaml").write_text("- {card: reset}\n")
    assert findings(scenario("- {use: a.steps.yaml, on: R1}")) == ["5:25 unknown-key"]


def test_an_embedded_file_has_names_replaced_and_a_referenced_one_has_not(
    scenario: Any, tmp_path: Path
) -> None:
    (tmp_path / "b.cfg").write_bytes(b"$(model)\xff")
    path = scenario(
        "- {card: reset}",
        matrix="{model: [cardos-4.4]}",
        files="\n  a.cfg: |\n    x=$(model)\n  b.cfg: {path: b.cfg}",
    )
    (instance,) = load(path)
    assert instance.setup.files == {"a.cfg": b"x=cardos-4.4\n", "b.cfg": b"$(model)\xff"}


def test_a_file_that_is_missing_is_told_with_a_near_name(scenario: Any, tmp_path: Path) -> None:
    (tmp_path / "demo.cpf").write_text("")
    assert "did you mean 'demo.cpf'" in message(scenario("- {card: reset}", files="{a: {path: dema.cpf}}"))


def test_a_bound_name_may_be_used_after_it_is_bound_and_not_before(scenario: Any) -> None:
    good = scenario("- {apdu: 0084000004, bind: rnd}\n- {apdu: 00 88 00 00 04 $(rnd)}")
    assert load(good)[0].steps[1].step is None
    bad = scenario("- {apdu: 00 88 00 00 04 $(rnd)}\n- {apdu: 0084000004, bind: rnd}", name="bad")
    assert findings(bad) == ["5:12 unknown-name"]


def test_a_name_may_be_bound_by_a_matcher(scenario: Any) -> None:
    path = scenario("- {apdu: 0084000004, expect: {data: {bind: rnd}}}\n- {apdu: $(rnd)}")
    assert load(path)[0].steps[1].step is None


@pytest.mark.parametrize("written", ["A-01", "'A-01, A-02'", "[A-01, A-02]"])
def test_a_step_with_a_bound_name_proves_what_it_says(scenario: Any, written: str) -> None:
    path = scenario(f"- {{apdu: 0084000004, bind: rnd}}\n- {{apdu: $(rnd), proves: {written}}}")
    (instance,) = load(path)
    assert instance.steps[1].proves == ("A-01", "A-02")[: written.count("A")]


def test_the_rest_of_a_step_with_a_bound_name_is_checked_before_the_run(scenario: Any) -> None:
    path = scenario("- {apdu: 0084000004, bind: rnd}\n- {apdu: $(rnd), expekt: 9000}")
    assert findings(path) == ["6:20 unknown-key"]


def test_with_two_readers_a_step_has_to_say_which(scenario: Any) -> None:
    path = scenario(
        "- {apdu: 00840000}\n- {apdu: 00840000, on: R2}", readers="{R1: cardos-4.4, R2: cardos-5.3}"
    )
    assert findings(path) == ["5:5 ambiguous"]


def test_a_card_cannot_be_in_two_readers(scenario: Any) -> None:
    path = scenario("- {card: reset, on: R1}", cards="{C: {model: cardos-4.4}}", readers="{R1: C, R2: C}")
    assert findings(path) == ["3:22 bad-value"]


def test_a_reader_may_start_empty(scenario: Any) -> None:
    path = scenario("- {card: insert, which: C}", cards="{C: {model: cardos-4.4}}", readers="{R1: empty}")
    assert load(path)[0].setup.readers == {"R1": None}


def test_two_steps_cannot_have_one_id(scenario: Any) -> None:
    assert findings(scenario("- {card: reset, id: a}\n- {card: reset, id: a}")) == ["6:19 duplicate-id"]


def test_an_unknown_switch_is_told(scenario: Any) -> None:
    assert findings(scenario("- {card: reset}", switches="{card.nonsense: x}")) == ["4:27 bad-switch"]


def test_an_unknown_format_is_refused(scenario: Any) -> None:
    assert "'2' is not possible here" in message(scenario("- {card: reset}", format="2"))


def test_an_unknown_target_is_refused(scenario: Any) -> None:
    assert "'nosuch' is no target; targets are: emulated" in message(
        scenario("- {card: reset}", target="nosuch")
    )


def test_what_the_target_cannot_set_up_is_told_before_the_run(scenario: Any, target: FakeTarget) -> None:
    target.refuses = ((("readers", "R1"), "no such model"),)
    assert findings(scenario("- {card: reset}")) == ["3:15 bad-value"]


def test_a_scenario_has_a_step(scenario: Any) -> None:
    path = scenario("- {card: reset}")
    path.write_text(path.read_text().partition("steps:")[0] + "steps: []\n")
    assert findings(path) == ["4:8 bad-value"]


def test_a_name_in_a_key_is_refused(scenario: Any) -> None:
    path = scenario("- {card: reset}", matrix="{x: [a]}", files="{'$(x)': text}")
    assert "5:9 name-in-key" in findings(path)


@pytest.mark.parametrize("name", ["../a", "/a", "a/b", ".a", ""])
def test_a_file_name_that_leads_elsewhere_is_refused(scenario: Any, name: str) -> None:
    assert "is no name" in message(scenario("- {card: reset}", files=f"{{'{name}': text}}"))


def test_a_file_that_is_given_twice_is_read_once(scenario: Any) -> None:
    path = scenario("- {card: reset}")
    assert list(find([path, path.parent, path])) == [path]


def test_folders_are_searched_for_scenarios_in_a_stable_order(tmp_path: Path) -> None:
    for name in ("b/x.scenario.yaml", "a/y.scenario.yaml", "a/z.steps.yaml", "a/other.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")

    found = [path.relative_to(tmp_path).as_posix() for path in find([tmp_path])]
    assert found == ["a/y.scenario.yaml", "b/x.scenario.yaml"]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        list(find([tmp_path / "none"]))
