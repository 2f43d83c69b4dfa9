"""Scenarios of encrypted PINs fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.x509 import load_pem_x509_certificate

from cardtwin.encoding import engine, finalisation
from cardtwin.encoding.checks import outputs, structure
from cardtwin.encoding.keys import configuration, container, mounted_files
from cardtwin.encoding.process import Process
from cardtwin.encoding.run import COMMANDS, Block
from cardtwin.middleware import tokenreader
from cardtwin.plan import cms
from cardtwin.scenario.verbs.encode import Encode
from support.sabotage import SCENARIOS, Patch, Sabotage, check, check_complete, rewrite, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.x509 import Certificate

    from cardtwin.entropy import Entropy
    from cardtwin.plan import DecryptionKey, PinBlob
    from cardtwin.scenario.run import Run

PREFIXES = ("BLOB-",)

# BLOB-01: the data object, encrypted to the PIN encryption certificate's key


def one_certificate(patch: Patch) -> None:
    certificate = load_pem_x509_certificate((SCENARIOS / "keys" / "pin-a.crt").read_bytes())
    encrypt = cms.CmsPinBlobCodec.encrypt

    def encrypted(self: cms.CmsPinBlobCodec, blob: PinBlob, _: Certificate, entropy: Entropy) -> bytes:
        return encrypt(self, blob, certificate, entropy)

    patch.setattr(cms.CmsPinBlobCodec, "encrypt", encrypted)


def another_label(patch: Patch) -> None:
    patch.setattr(tokenreader, "ENCRYPTED_PINS", "Sealed PINs")


# BLOB-02 and BLOB-04: what is read


def all_or_nothing(patch: Patch) -> None:
    found = "found = dict(run.codec.decrypt(data, run.keys).secrets)"
    lacks = "any(PIN_OUTPUTS[setting.keyword] not in found for setting, _ in run.scope.pin_outputs)"
    rewrite(patch, finalisation._decrypt_pins, found, f"{found}\n    if {lacks}:\n        return")


def four_at_most(patch: Patch) -> None:
    rewrite(patch, finalisation._decrypt_pins, "in run.scope.pin_outputs:", "in run.scope.pin_outputs[:4]:")


def no_number_beside_pins(patch: Patch) -> None:
    number = "card_number(run.middleware, run.reader, run.scope)"
    rewrite(patch, finalisation._read_iccsn, number, f"'' if run.scope.pin_outputs else {number}")


# BLOB-03, BLOB-05 to BLOB-07: where they may stand, and go


def beside_applications(patch: Patch) -> None:
    rewrite(patch, outputs._no_application, "if not scope.pin_outputs:", "if True:")


def into_plain_text(patch: Patch) -> None:
    _into(patch, '"a plain-text field"')


def into_variables(patch: Patch) -> None:
    _into(patch, '"a process variable"')


def _into(patch: Patch, place: str) -> None:
    rewrite(patch, outputs._place, f"return {place}", "return _ENCRYPTED")
    refuses = 'raise TypeError(f"{target} is not encrypted and takes no secret")'
    rewrite(patch, Process.with_value, refuses, "value = value.reveal().decode()")


def logging_in(patch: Patch) -> None:
    rewrite(patch, outputs._no_login_with_output, "in LOGIN_KEYWORDS", "in ()")


def read_first(patch: Patch) -> None:
    first = [
        replace(entry, block=Block.INITIALISATION) if entry.name == "CardPinDecryption" else entry
        for entry in COMMANDS
    ]
    first.sort(key=lambda entry: entry.name != "CardPinDecryption")
    patch.setattr(engine, "COMMANDS", first)


# BLOB-08 to BLOB-10: the keys


def any_algorithm(patch: Patch) -> None:
    rewrite(patch, configuration._require_plain_rsa, 'descriptor.algorithm != "RSA"', "False")


def any_parameters(patch: Patch) -> None:
    rewrite(patch, configuration._require_plain_rsa, "if descriptor.parameters:", "if False:")


def two_keys_at_most(patch: Patch) -> None:
    keys = "tuple(key for key in keys if key is not None)"
    rewrite(patch, configuration.decryption_keys, keys, f"{keys}[:2]")


def all_descriptors(patch: Patch) -> None:
    rewrite(patch, configuration.decryption_keys, "in _names(listed)]", "in configuration.table.descriptors]")


def another_message(patch: Patch) -> None:
    rewrite(patch, engine._message, "isinstance(error, NoMatchingKeyError)", "False")


def another_key_named(patch: Patch) -> None:
    missing = "NoMatchingKeyError(envelope.key_id)"
    rewrite(patch, cms.CmsPinBlobCodec.decrypt, missing, "NoMatchingKeyError(bytes(20))")


# BLOB-11 to BLOB-15


def nothing_is_an_error(patch: Patch) -> None:
    without = "if data is None or not run.codec.recognises(data):\n        return\n"
    rewrite(patch, finalisation._decrypt_pins, without, "data = data or b''\n")


def by_jpki_encoder(patch: Patch) -> None:
    rewrite(patch, structure._decryption_on_jpki_encoder, "not scope.pin_outputs", "True")


def keys_of_a_tenant(patch: Patch) -> None:
    configured = Encode._keys

    def keys(self: Encode, run: Run) -> Sequence[DecryptionKey]:
        found = configured(self, run)
        return found if self.descriptors is not None or self.tenant == "default" else ()

    patch.setattr(Encode, "_keys", keys)


def without_read_flag(patch: Patch) -> None:
    rewrite(patch, engine._is_read, "mapping is not None and mapping.read", "mapping is not None")


def a_flag_not_told(patch: Patch) -> None:
    rewrite(patch, outputs._targets, "if mapping is None or not mapping.read:", "if False:")


def mounted_anywhere(patch: Patch) -> None:
    below = "PurePosixPath(inside).is_relative_to(CLASSES)"
    rewrite(
        patch,
        mounted_files,
        f"{below}:\n            found[str(PurePosixPath(inside).relative_to(CLASSES))]",
        "inside:\n            found[PurePosixPath(inside).name]",
    )


def nothing_mounted(patch: Patch) -> None:
    rewrite(patch, mounted_files, "return found", "return {}")


def another_variable(patch: Patch) -> None:
    rewrite(patch, container.container_properties, "environment.get(_VARIABLE)", "None")


# All of them


def _of(
    id_: str,
    name: str,
    patch: Callable[[Patch], None],
    fails: str,
    near: Callable[..., object] | None = None,
) -> Sabotage:
    names = (fail if "/" in fail or fail == "first" else f"blob/{fail}" for fail in fails.split())
    return Sabotage(id_, name, patch, frozenset(names), near=near)


NUMBERED = "first keys shipped/prepersonalised key-generation/batch"
SUBSETS = "subsets profile/secrets profile/public-keys profile/secrandom"
SABOTAGES = (
    _of("BLOB-01", "the certificate is always the same", one_certificate, "subsets"),
    _of(
        "BLOB-01",
        "the data object is called otherwise",
        another_label,
        "shipped/prepersonalised key-generation/batch",
        near=cms.CmsPinBlobCodec.encrypt,
    ),
    _of("BLOB-02", "all are there, or none is read", all_or_nothing, SUBSETS),
    _of("BLOB-02", "four are read at most", four_at_most, "first profile/secrets shipped/prepersonalised"),
    _of("BLOB-03", "an application stands beside it", beside_applications, "refused"),
    _of("BLOB-04", "no card number beside PINs", no_number_beside_pins, NUMBERED),
    _of("BLOB-05", "plain-text fields take PINs", into_plain_text, "refused"),
    _of("BLOB-06", "process variables take PINs", into_variables, "refused"),
    _of("BLOB-07", "what is read logs in", logging_in, "refused"),
    _of("BLOB-07", "PINs are read first", read_first, "finalisation", near=finalisation._decrypt_pins),
    _of("BLOB-08", "any algorithm will do", any_algorithm, "key-descriptors"),
    _of("BLOB-08", "parameters are passed over", any_parameters, "key-descriptors"),
    _of("BLOB-09", "two keys are tried at most", two_keys_at_most, "keys subsets"),
    _of("BLOB-09", "keys are used that are not listed", all_descriptors, "keys container"),
    _of("BLOB-10", "the message is another", another_message, "keys"),
    _of("BLOB-10", "the message names another key", another_key_named, "keys"),
    _of("BLOB-11", "no encrypted PINs are an error", nothing_is_an_error, "nothing-read"),
    _of("BLOB-12", "JPKIEncoder decrypts", by_jpki_encoder, "encoding-programs"),
    _of("BLOB-13", "keys are a tenant's own", keys_of_a_tenant, "tenants"),
    _of("BLOB-14", "the Read flag is of no account", without_read_flag, "nothing-read"),
    _of("BLOB-14", "nobody tells that it is missing", a_flag_not_told, "nothing-read"),
    _of("BLOB-15", "files are mounted anywhere", mounted_anywhere, "container"),
    _of("BLOB-15", "no files are mounted", nothing_mounted, "container"),
    _of("BLOB-15", "SYSTEM_PROPERTIES is not read", another_variable, "container"),
)


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete(PREFIXES, SABOTAGES)
