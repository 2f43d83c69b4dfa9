"""What a configuration has to fulfil before it is published. All problems are told at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from cardtwin.login.attributes import certificate_attributes
from cardtwin.login.configuration import AuthenticationMethod, Configuration, MethodKind
from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["LONGEST_WAIT", "Problem", "problems", "rules"]

LONGEST_WAIT: Final = 600
"""Seconds that an image may be displayed before the redirection; the limit is ours."""

_PORTS: Final = range(1, 1 << 16)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a draft from being published.

    Attributes:
        rule: The rule's stable name, such as ``attributes-mandatory``.
        where: What it is about, such as the method's display name.
        message: What is wrong.
        remedy: What to do.
    """

    rule: str
    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.rule}]; {self.remedy}"


_Found = tuple[str, str, str]
_Check: TypeAlias = "Callable[[Configuration], Iterator[_Found]]"
_MethodCheck: TypeAlias = "Callable[[Configuration, AuthenticationMethod], Iterator[tuple[str, str]]]"
_rules: dict[str, _Check] = {}


def _rule(name: str) -> Callable[[_Check], _Check]:
    def register(check: _Check) -> _Check:
        _rules[name] = check
        return check

    return register


def _of_methods(name: str) -> Callable[[_MethodCheck], _MethodCheck]:
    """Register a check of single methods: it yields messages with remedies."""

    def register(check: _MethodCheck) -> _MethodCheck:
        def each(configuration: Configuration) -> Iterator[_Found]:
            for method in configuration.methods:
                for message, remedy in check(configuration, method):
                    yield _named(method), message, remedy

        _rules[name] = each
        return check

    return register


def rules() -> tuple[str, ...]:
    """Return the names of all rules, in the order in which they are checked."""
    return tuple(_rules)


def problems(configuration: Configuration) -> tuple[Problem, ...]:
    """Return everything that keeps the configuration from being published."""
    return tuple(Problem(name, *found) for name, check in _rules.items() for found in check(configuration))


def _named(method: AuthenticationMethod) -> str:
    return f"method {method.display_name!r}"


@_rule("display-name")
def _display_names(configuration: Configuration) -> Iterator[_Found]:
    counted = Counter(method.display_name.strip() for method in configuration.methods)

    for name, count in counted.items():
        if not name:
            yield "a method", "it has no display name", "enter a Display Name: end users choose by it"
        elif count > 1:
            yield f"method {name!r}", f"{count} methods have this display name", "give each its own"


@_rule("external-address")
def _external_address(configuration: Configuration) -> Iterator[_Found]:
    address = configuration.external

    if configuration.methods and (address is None or not address.name.strip()):
        yield "the distribution service", "there is no external DNS name", "set it before adding Personal"

    if address is not None and address.port not in _PORTS:
        yield "the distribution service", f"{address.port} is no port", "take one from 1 to 65535"


@_of_methods("authentication-server")
def _server(configuration: Configuration, method: AuthenticationMethod) -> Iterator[tuple[str, str]]:
    if not method.server:
        yield "it has no authentication server", "select one with Add Authentication Method Server"
    elif method.server not in configuration.servers:
        yield f"there is no authentication server {method.server!r}", _instead(configuration.servers)


@_of_methods("certificate-authority")
def _authority(configuration: Configuration, method: AuthenticationMethod) -> Iterator[tuple[str, str]]:
    if method.authority is not None and method.authority not in configuration.authorities:
        yield (
            f"there is no certificate authority {method.authority!r}",
            _instead(configuration.authorities),
        )


@_of_methods("attributes-mandatory")
def _attributes_mandatory(_: Configuration, method: AuthenticationMethod) -> Iterator[tuple[str, str]]:
    """DA-03."""
    if _maps(method):
        for name, value in _properties(method).items():
            if not value:
                yield (
                    f"{name} is missing, which is mandatory with Personal Certificate Authentication",
                    f"add {name} to the Extended Properties",
                )


@_of_methods("attributes-together")
def _attributes_together(_: Configuration, method: AuthenticationMethod) -> Iterator[tuple[str, str]]:
    given = [name for name, value in _properties(method).items() if value]

    if len(given) == 1 and not _maps(method):
        yield f"{given[0]} is there alone, and maps nothing", "add the other one, or take it away"


@_of_methods("certificate-attribute")
def _known_attribute(_: Configuration, method: AuthenticationMethod) -> Iterator[tuple[str, str]]:
    name, known = method.properties.certificate_attribute, certificate_attributes()

    if name and name.casefold() not in known:
        yield f"there is no certificate attribute {name!r}", closest(name, known) or _instead(known)


@_of_methods("same-device")
def _only_mobile(_: Configuration, method: AuthenticationMethod) -> Iterator[tuple[str, str]]:
    if method.same_device is not None and method.kind is not MethodKind.PERSONAL_MOBILE:
        yield "authentication on same device is for Personal Mobile only", "take it away"


@_of_methods("same-device-wait")
def _wait(_: Configuration, method: AuthenticationMethod) -> Iterator[tuple[str, str]]:
    """DA-09."""
    if method.same_device is not None and not 0 <= method.same_device.wait <= LONGEST_WAIT:
        yield f"{method.same_device.wait} seconds cannot be waited for", f"take 0 to {LONGEST_WAIT}"


@_of_methods("redirect-text")
def _redirect_text(_: Configuration, method: AuthenticationMethod) -> Iterator[tuple[str, str]]:
    """DA-09."""
    if method.same_device is not None and not method.same_device.redirect_text.strip():
        yield "the redirect text is empty", "enter what end users read while they are redirected"


@_rule("authority-certificates")
def _trusted(configuration: Configuration) -> Iterator[_Found]:
    for name, authority in configuration.authorities.items():
        if not authority.certificates:
            yield f"certificate authority {name!r}", "it has no certificate", "add the CA's certificate"


def _maps(method: AuthenticationMethod) -> bool:
    """Whether the certificate of this method's responses has to find the user account (DA-03)."""
    by_desktop = method.kind is MethodKind.PERSONAL_DESKTOP
    return method.authority is not None and (by_desktop or method.same_device is not None)


def _properties(method: AuthenticationMethod) -> Mapping[str, str]:
    given = method.properties
    return {"User Attribute": given.user_attribute, "Certificate Attribute": given.certificate_attribute}


def _instead(known: Iterable[str]) -> str:
    names = sorted(known)
    return f"take {', '.join(names)}" if names else "add one first"
