"""Scenarios of the middleware fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from cardtwin.cryptoki.api import signatures
from cardtwin.encoding import Engine, library
from cardtwin.encoding.checks import library as library_checks
from cardtwin.middleware import LogFile, PersonalDesktopClient, checks, client, properties
from cardtwin.middleware.configuration import ClientConfiguration, installation, keys, loading
from cardtwin.middleware.content import ContentCache
from cardtwin.targets.emulated import EmulatedBench
from support.broken import broken, exchanged, shown_by
from support.sabotage import Sabotage, check, check_complete, table

CERTIFICATE = (
    shown_by(
        "MW-01",
        "none is needed",
        "middleware/pin-certificate middleware/pin-certificate-needed",
        broken(installation.usable_certificate, "certificate is None", "False"),
        installation.usable_certificate,
        "no PIN encryption certificate is configured",
    ),
    shown_by(
        "MW-01",
        "a file in DER holds none",
        "middleware/pin-certificate key-generation/batch",
        broken(installation.parse_certificate, "x509.load_der_x509_certificate(data)", "None"),
        installation.parse_certificate,
        "load_der",
    ),
    shown_by(
        "MW-01",
        "only RSA keys will do",
        "middleware/pin-certificate-kinds",
        broken(
            installation.usable_certificate,
            "certificate is None",
            'certificate is None or not hasattr(certificate.public_key(), "encrypt")',
        ),
    ),
    shown_by(
        "MW-01",
        "dates never count",
        "middleware/pin-certificate-dates",
        broken(installation.usable_certificate, "not begin <= now() <= end", "False"),
        installation.usable_certificate,
        "not begin <= now() <= end",
    ),
)

CONFIGURATION = (
    shown_by(
        "MW-02",
        "nothing is kept",
        "middleware/cache-forgotten middleware/cache-validity middleware/user-configuration",
        broken(ContentCache.of, "self._validity == _NONE", "True"),
        ContentCache.of,
        "identify(), self._now()",
    ),
    shown_by(
        "MW-02",
        "content is kept for ever",
        "middleware/cache-validity",
        broken(ContentCache._valid, "< self._validity", "is not None"),
    ),
    shown_by(
        "MW-02",
        "kept content outlives the card's removal",
        "middleware/cache-forgotten",
        broken(ContentCache.of, "content.card != card", "False"),
        ContentCache._valid,
    ),
    shown_by(
        "MW-02",
        "kept content outlives a change by oneself",
        "middleware/cache-forgotten",
        exchanged(ContentCache, "forget"),
        ContentCache._valid,
    ),
    shown_by(
        "MW-03",
        "the system's file wins",
        "middleware/user-configuration",
        broken(loading.load, "((system, _SYSTEM), (user, _USER))", "((user, _SYSTEM), (system, _USER))"),
        keys.mistake,
    ),
    shown_by(
        "MW-03",
        "the user's file replaces the system's",
        "middleware/user-configuration",
        broken(loading.load, "if text is not None", "if text is not None and not (text is system and user)"),
        keys.mistake,
    ),
    shown_by(
        "MW-04",
        "no reader is skipped",
        "middleware/skip-reader middleware/user-configuration middleware/virtual-smart-card"
        " virtual-card/reader",
        exchanged(ClientConfiguration, "skips", lambda *_: False),
        keys.mistake,
    ),
    shown_by(
        "MW-04",
        "a part of a name is enough",
        "middleware/skip-reader",
        broken(ClientConfiguration.skips, "fullmatch", "search"),
        keys.mistake,
    ),
    shown_by(
        "MW-05",
        "virtual readers are harmless",
        "middleware/virtual-reader middleware/virtual-smart-card virtual-card/reader",
        exchanged(client, "check_readers"),
        properties.check_readers,
        "Ckr.CKR_GENERAL_ERROR",
    ),
    shown_by(
        "MW-05",
        "virtual readers disturb out of sight",
        "middleware/virtual-reader middleware/virtual-smart-card virtual-card/reader",
        broken(PersonalDesktopClient.get_property, "self.readers()", "self._cards._context.readers()"),
    ),
)

_FLAG = 'by_name["P11_LogoutAfterSign"]'
_LISTED = "if program.casefold() in {name.casefold() for name in programs} else"

LOGOUT_AFTER_SIGN = (
    shown_by(
        "MW-06",
        "what is said for all doesn't count",
        "encoding/logout-after-sign middleware/logout-after-sign middleware/logout-after-sign-rules"
        " not-logged-in/nli-01 drafted/second-signature",
        broken(loading._items, "is file.general:", 'is file.general and key.name != "P11_LogoutAfterSign":'),
        keys.mistake,
    ),
    shown_by(
        "MW-06",
        "a signature that fails ends the login",
        "middleware/logout-after-sign-rules",
        broken(
            signatures._signed,
            "session.end(_SIGN)",
            "session.end(_SIGN)\n        if application.settings.p11_logout_after_sign:"
            " application.end_login(session.slot, session.login, LoginEnd.LOGOUT_AFTER_SIGN)",
        ),
        keys.mistake,
    ),
    shown_by(
        "MW-07",
        "no program's section switches it on",
        "encoding/logout-after-sign middleware/logout-after-sign not-logged-in/nli-02",
        broken(
            ClientConfiguration.of,
            f'{_FLAG}.value == "1"',
            f'{_FLAG}.value == "1" and {_FLAG}.layer in (Layer.SYSTEM, Layer.USER)',
        ),
        keys.mistake,
    ),
    shown_by(
        "MW-07",
        "a program's section counts for all",
        "middleware/logout-after-sign not-logged-in/nli-02",
        broken(loading.load, f'{_LISTED} ""', f'{_LISTED} (programs or ("",))[0]'),
        keys.mistake,
    ),
    shown_by(
        "MW-08",
        "no program's section switches it off",
        "encoding/logout-after-sign middleware/logout-after-sign middleware/logout-after-sign-programs"
        " not-logged-in/nli-02",
        broken(
            loading._items,
            "chain.from_iterable(section.find(key.name) for section in sections)",
            "(item for section in sections for item in section.find(key.name)"
            ' if layer is file.general or item.value != "0")',
        ),
        keys.mistake,
    ),
    shown_by(
        "MW-08",
        "the first program alone has a section",
        "middleware/logout-after-sign-programs",
        broken(loading.load, "(listing.value)", "(listing.value)[:1]"),
        keys.mistake,
    ),
)

OTHERS = (
    shown_by(
        "MW-09",
        "the middleware writes nothing",
        "middleware/log-files",
        exchanged(LogFile, "operation", lambda *_: nullcontext()),
        EmulatedBench.log,
    ),
    shown_by(
        "MW-09",
        "the encoder writes nothing",
        "middleware/log-files",
        exchanged(Engine, "_write"),
        EmulatedBench.log,
    ),
    shown_by(
        "MW-10",
        "the 64-bit library initialises cards",
        "middleware/bits middleware/library",
        broken(installation.usable_certificate, "installation.bits == 64", "False"),
        installation.usable_certificate,
        "the 64-bit library cannot initialise cards",
    ),
    shown_by(
        "MW-11",
        "any profile goes on any card",
        "middleware/card-mismatch",
        exchanged(client, "check_family"),
        checks.check_family,
        "raise",
    ),
    shown_by(
        "MW-12",
        "another middleware's library initialises tokens",
        "middleware/library",
        broken(
            library_checks._known,
            "not entry.is_personal",
            'not entry.is_personal and scope.flag("DeleteProfile")',
        ),
        library_checks._known,
        'if scope.flag("DeleteProfile")',
    ),
    shown_by(
        "MW-12",
        "the error doesn't say whose library it is",
        "middleware/library",
        broken(library_checks._known, "this is the library of {entry.product}, and ", "this is "),
        library_checks._known,
        'if scope.flag("DeleteProfile")',
    ),
    shown_by(
        "MW-13",
        "any JRE will do, or none",
        "encoding/encoding-programs",
        broken(library_checks._java, "JPKI_ENCODER not in scope.devices", "True"),
        library_checks._java,
        "setting = ",
    ),
    shown_by(
        "MW-13",
        "Smart ID Desktop App needs a JRE, too",
        "encoding/encoding-programs",
        broken(library_checks._java, "JPKI_ENCODER not in scope.devices", "False"),
    ),
    shown_by(
        "MW-14",
        "a library is found in any folder",
        "middleware/library",
        broken(library._folded, "return", "return parts[-1].casefold() or"),
    ),
)

SABOTAGES = CERTIFICATE + CONFIGURATION + LOGOUT_AFTER_SIGN + OTHERS


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete(["MW-"], SABOTAGES)
