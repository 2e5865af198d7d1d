"""Conditions in CEL: what they may ask, how mistakes are named with their place, and that none runs away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import i18n
from core.errors import BadInput
from rewards.conditions.dictionary import ATTRIBUTES
from rewards.conditions.expressions import DEEPEST, LONGEST, Condition, compile_condition, explain


def refusal(text: str) -> dict[str, Any]:
    """How this expression is refused; the words exist in both languages and are filled."""
    with pytest.raises(BadInput) as caught:
        compile_condition(text)
    assert caught.value.code == "expression"
    assert explain(caught.value, "en") == caught.value.params["message"]
    for locale in i18n.LOCALES:
        words = explain(caught.value, locale)
        assert not words.startswith("expression.")
        assert "{" not in words
    return caught.value.params


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("order.net > 100", {"order.net": 101}, True),
        ("order.net > 100", {"order.net": 100}, False),
        ("event.kind == 'joined' && time.hour in [8, 9, 10]", {"event.kind": "joined", "time.hour": 9}, True),
        ("friend.age < duration('72h')", {"friend.age": timedelta(days=2)}, True),
        ("order.lines.exists(line, line.sku == 'TEA' && line.quantity >= 2)", {"order.lines": [{"sku": "TEA"}]}, False),
        ("order.lines.all(line, line.amount > 0)", {"order.lines": [{"amount": 5}, {"amount": 7, "odd": []}]}, True),
        ("order.lines.filter(line, has(line.category)).size() == 1", {"order.lines": [{}, {"category": "tea"}]}, True),
        ("order.lines.map(line, line.sku).exists(sku, sku.startsWith('T'))", {"order.lines": [{"sku": "TEA"}]}, True),
        ("order.skus.exists_one(sku, sku.matches('^T[EA]+$'))", {"order.skus": ["TEA", "CUP"]}, True),
        ("friend.platforms.size() > 1 ? true : false", {"friend.platforms": ["telegram"]}, False),
    ],
)
def test_a_condition_is_true_or_not(text: str, values: dict[str, Any], holds: bool) -> None:
    condition = compile_condition(text)
    assert condition.names == values.keys()
    assert condition.holds(values) is holds


def test_what_does_not_exist_is_neither_true_nor_false() -> None:
    values = {"event.kind": "joined", "order.net": None}
    for text in (
        "order.net > 100",
        "order.net <= 100",
        "!(order.net > 100)",
        "event.kind == 'joined' && order.net > 1",
    ):
        decision = compile_condition(text).decide(values)
        assert (decision.holds, decision.missing, decision.fault) == (False, ("order.net",), None)
    assert compile_condition("order.net > 100 || event.kind == 'joined'").holds(values)
    assert compile_condition("event.kind != 'joined' && order.net > 1").decide(values).missing == ()
    assert compile_condition("order.present ? order.net > 100 : true").holds({"order.present": False})


@pytest.mark.parametrize(
    ("text", "values", "fault"),
    [
        ("order.net / order.items > 5", {"order.net": 10, "order.items": 0}, "divide by zero"),
        ("order.net * 4 > 5", {"order.net": 2**62}, "overflow"),
        ("order.skus.all(a, order.skus.all(b, a != 'x'))", {"order.skus": ["T"] * 200}, "budget"),
        ("order.code.matches(order.id)", {"order.code": "T", "order.id": "("}, "regular expression"),
        ("order.net > 5", {"order.net": 2**80}, "too big"),
        ("order.net > 5", {"order.net": "6"}, "Expected INT"),
        ("order.lines.exists(l, l.quantity > 5)", {"order.lines": [{"quantity": "6"}]}, "integer"),
    ],
)
def test_what_cannot_be_reckoned_does_not_hold_and_says_why(text: str, values: dict[str, Any], fault: str) -> None:
    decision = compile_condition(text).decide(values)
    assert not decision.holds
    assert fault in str(decision.fault)


@pytest.mark.parametrize(
    ("text", "problem", "position", "said"),
    [
        ("order.nett > 1", "unknown_near", "1:1", "order.net"),
        ("true &&\n  oder.net > 1", "unknown_near", "2:3", "order.net"),
        ("'好' == order.code && net > 1", "unknown_near", "1:22", "order.net"),
        ("order > 1", "unknown_near", "1:1", "order."),
        ("wholly.else == 1", "unknown", "1:1", "wholly.else"),
        ("size2(order.code) > 1", "unknown", "1:1", "size2"),
        ("order.lines.exists(l, l.skuu == 'a')", "unknown_field", "1:24", "skuu"),
        ("order.net > '100'", "types", "1:11", "int, string"),
        ("order.net == 1.5", "types", "1:11", "double"),
        ("order.at > 5", "types", "1:10", "timestamp"),
        ("order.lines.exists(l, l.amount == 'a')", "types", "1:32", "=="),
        ("order.net", "not_a_condition", "1:1", "INT"),
        ("order.net >", "unfinished", "1:12", "early"),
        ("", "unfinished", "1:1", "early"),
        ("order.net > 1)", "token", "1:14", ")"),
        ("order.net = 1", "token", "1:11", "="),
        ("order.net > 99999999999999999999", "syntax", "1:13", "int"),
        ("touch.kind == 'clik'", "not_a_choice", "1:15", "click"),
        ("touch.kind in ['click', 'clik']", "not_a_choice", "1:25", "clik"),
        ("order.code.matches('(')", "pattern", "1:20", "("),
        ("has(order.net)", "has", "1:1", "order.present"),
        ("dyn(order.net) > 'a'", "untyped", "1:4", "dyn"),
        ("type(order.net) == int", "untyped", "1:5", "type"),
        ("order.net > 1\x00", "characters", "1:1", "nobody can see"),
        ("order.code == '\ud800'", "characters", "1:1", "nobody can see"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, problem: str, position: str, said: str) -> None:
    found = refusal(text)
    assert (found["problem"], found["position"]) == (problem, position)
    assert said in found["message"]
    assert f"{found['line']}:{found['column']}" == position


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("'" + "a" * LONGEST + "' == order.code", "too_long"),
        ("(" * (DEEPEST + 2) + "true" + ")" * (DEEPEST + 2), "too_deep"),
        (" + ".join(["1"] * 100) + " > 1", "too_deep"),
        # Each step doubles what there is: thirty steps of ten letters would be ten gigabytes.
        ("['aaaaaaaaaa']" + ".map(x, x + x)" * 8 + ".exists(x, x == 'b')", "gluing"),
        ("['a']" + ".map(x, x + x)" * 30 + ".exists(x, x == 'b')", "too_deep"),
        ("order.skus + ['a'] == ['a']", "gluing"),
        ("[1]" + ".map(x, [x, x])" * 5 + ".size() > 0", "nested"),
        ("order.skus.map(a, order.skus).size() > 1", "nested"),
        ("{'a': 1}['a'] == 1", "nested"),
        ("[1, 'a'].size() == 2", "nested"),
        ("google.protobuf.Struct{} == google.protobuf.Struct{}", "nested"),
    ],
)
def test_what_could_run_away_is_refused(text: str, problem: str) -> None:
    assert refusal(text)["problem"] == problem


def test_a_hungry_regular_expression_does_not_hang() -> None:
    assert not compile_condition("order.code.matches('^(a+)+$')").holds({"order.code": "a" * 5000 + "!"})


def test_many_terms_are_fine() -> None:
    assert compile_condition(" || ".join(["order.net == 1"] * 100)).holds({"order.net": 1})


def test_a_word_in_a_text_or_a_remark_is_no_name() -> None:
    condition = compile_condition("order.code == 'has(order.net)' // has(friend.age)")
    assert condition.names == {"order.code"}


def test_every_attribute_can_be_asked() -> None:
    asked = {
        "bool": "{}",
        "int": "{} == 1",
        "string": "{} != ''",
        "timestamp": "{} > timestamp('2026-01-01T00:00:00Z')",
        "duration": "{} > duration('1h')",
        "strings": "'a' in {}",
        "lines": "{}.size() > 0",
    }
    for name, attribute in ATTRIBUTES.items():
        if attribute.type == "string":
            assert compile_condition(f"size({name}) > 0").names == {name}
        else:
            assert compile_condition(asked[attribute.type].format(name)).names == {name}


PIECES = st.sampled_from(
    [
        *(
            "order.net",
            "order.lines",
            "order.skus",
            "friend.age",
            "event.kind",
            "order",
            "net",
            "x",
            "l",
            "l.sku",
            "l.amount",
        ),
        *(
            "1",
            "-1",
            "0",
            "9223372036854775807",
            "1.5",
            "'a'",
            '"b"',
            "'",
            "true",
            "null",
            "duration('1h')",
            "[1]",
            "[]",
            "{}",
        ),
        *(
            "+",
            "-",
            "*",
            "/",
            "%",
            "==",
            "!=",
            ">",
            "<=",
            "in",
            "&&",
            "||",
            "!",
            "?",
            ":",
            ".",
            ",",
            "(",
            ")",
            "[",
            "]",
        ),
        *(
            ".exists(l, ",
            ".all(l, ",
            ".map(l, ",
            ".filter(l, ",
            ".size()",
            ".matches(",
            "has(",
            "size(",
            "dyn(",
            "type(",
        ),
        *(
            "//",
            "\n",
            " ",
            "\t",
            "好",
            "\u200b",
            "r'\\'",
            "'''",
            "b'x'",
            "`",
            "@",
            "__result__",
            "google.protobuf.Any{}",
        ),
    ]
)


def compiled(text: str) -> Condition | BadInput:
    """The condition, or its refusal."""
    try:
        return compile_condition(text)
    except BadInput as refused:
        return refused


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=14).map(" ".join) | st.text(max_size=60))
def test_nonsense_is_refused_in_words_and_sense_is_decided(text: str) -> None:
    """Whatever is typed: a refusal with a place inside the text, or a condition that can be asked."""
    found = compiled(text)
    if isinstance(found, BadInput):
        assert found.code == "expression"
        assert 1 <= found.params["line"] <= text.count("\n") + 1
        assert 1 <= found.params["column"] <= len(text) + 2
        assert all(explain(found, locale) for locale in i18n.LOCALES)
        return
    for values in (
        {},
        {"order.net": 5, "order.lines": [{"sku": "a", "amount": 1}], "order.skus": ["a"], "event.kind": "a"},
    ):
        assert found.decide(values).holds in (True, False)
