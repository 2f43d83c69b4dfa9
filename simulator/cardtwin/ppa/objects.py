"""PINs, keys, certificates, data and the token, as X_ statements declare them."""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from cardtwin.plan import PublicKeyOf

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from cardtwin.pkcs15 import TokenFlags
    from cardtwin.plan import KeyPlan, PinPlan, SecretName
    from cardtwin.ppa.layout import File
    from cardtwin.source import Diagnostics, Span

__all__ = ["Certificate", "Data", "Key", "ObjectId", "Objects", "Pin", "Token"]

ObjectId = bytes | PublicKeyOf
"""What ties a key and its certificate together: bytes, or the hash of a key that the card makes."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A PIN, and where it is declared."""

    plan: PinPlan
    span: Span

    @property
    def id(self) -> bytes:
        """Its authId: the reference."""
        return bytes((self.plan.reference,))


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair.

    Attributes:
        plan: What is made on the card.
        label: What users see.
        id: What ties it to its certificate.
        public: The EF that holds its public half; None where there is none.
        consent: After how many uses the PIN is asked for again; None never.
        modifiable: Whether clients may change what is listed of it.
        span: Where it is declared.
    """

    plan: KeyPlan
    label: str
    id: ObjectId
    public: File | None
    consent: int | None
    modifiable: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Certificate:
    """A room for an X.509 certificate."""

    file: File
    label: str
    id: ObjectId
    authority: bool
    trusted: bool
    guard: SecretName | None


@dataclass(frozen=True, slots=True)
class Data:
    """A data object in an EF."""

    file: File
    label: str
    application: str
    guard: SecretName | None


@dataclass(frozen=True, slots=True)
class Token:
    """What the token says about itself."""

    label: str
    manufacturer: str
    flags: TokenFlags


@dataclass(slots=True)
class Objects:
    """The objects of one evaluation.

    Attributes:
        pins: By role.
        keys: By the key of their name.
        certificates: In the profile's order.
        data: In the profile's order.
        token: None before X_Token.
    """

    pins: dict[SecretName, Pin] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    certificates: list[Certificate] = field(default_factory=list)
    data: list[Data] = field(default_factory=list)
    token: Token | None = None
    _needed: list[tuple[SecretName, Span]] = field(default_factory=list)

    def need(self, role: SecretName, span: Span) -> None:
        """Note that something at that place relies on a credential."""
        self._needed.append((role, span))

    def report_missing(self, report: Diagnostics, broken: AbstractSet[str]) -> None:
        """Report what relies on credentials that the profile doesn't make, nor tries to."""
        for role, span in self._needed:
            if role not in self.pins and role.value.casefold() not in broken:
                report.error(
                    "no-such-credential",
                    f"this relies on {role}, and the profile makes no {role}",
                    span,
                    remedy=f"make one with X_Pin {role}, or choose another condition",
                )

    def ordered_pins(self, report: Diagnostics) -> tuple[PinPlan, ...]:
        """Return the PINs, each behind the one that unblocks it; report those that unblock each other."""
        above = {
            role: {pin.plan.unblocked_by} & self.pins.keys() if pin.plan.unblocked_by else set()
            for role, pin in self.pins.items()
        }

        try:
            return tuple(self.pins[role].plan for role in TopologicalSorter(above).static_order())
        except CycleError as error:
            circle = error.args[1]
            report.error(
                "circle",
                f"{' and '.join(sorted(set(circle)))} unblock each other",
                self.pins[circle[0]].span,
                remedy="leave unblocked_by out of one of them",
            )
            return ()
