"""Scenarios for a card that has PINs of its own: these take the place of those that the scenario has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cardtwin.scenario.document import Entry, ListNode, MapNode, Node, TextNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.plan import Secret
    from cardtwin.scenario.instance import Instance, StepSpec
    from cardtwin.targets.hardware import PhysicalReader

__all__ = ["with_pins"]


def with_pins(instance: Instance, readers: Mapping[str, PhysicalReader]) -> Instance:
    """Return an instance with the PINs of the cards that are in the readers.

    A value of a step that is, as a whole, the text of a PIN of the scenario becomes the card's PIN. Places
    stay the file's.
    """
    if not any(reader.pins for reader in readers.values()):
        return instance

    secrets = tuple(pin for reader in readers.values() for pin in reader.pins.values())
    steps = tuple(_step(instance, spec, readers) for spec in instance.steps)
    return replace(instance, steps=steps, secrets=(*instance.secrets, *secrets))


def _step(instance: Instance, spec: StepSpec, readers: Mapping[str, PhysicalReader]) -> StepSpec:
    on = spec.node.get("on")
    reader = on.text if isinstance(on, TextNode) else next(iter(instance.setup.readers), "")
    pins = readers[reader].pins if reader in readers else {}
    node = _replaced(spec.node, pins)

    if node == spec.node:
        return spec

    written = _replaced(spec.written, pins)
    assert isinstance(node, MapNode), "a mapping stays one"
    assert isinstance(written, MapNode), "a mapping stays one"
    return replace(spec, node=node, written=written, step=None)


def _replaced(node: Node, pins: Mapping[str, Secret]) -> Node:
    match node:
        case TextNode(text, span):
            return TextNode(pins[text].reveal().decode(), span) if text in pins else node
        case ListNode(items, span):
            return ListNode(tuple(_replaced(item, pins) for item in items), span)
        case MapNode(entries, span):
            return MapNode(tuple(Entry(each.key, _replaced(each.value, pins)) for each in entries), span)
