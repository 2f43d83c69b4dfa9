"""Scenarios of card profiles fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest
from lark import Lark

from cardtwin.middleware import PersonalDesktopClient, checks, client
from cardtwin.ppa import builder, files, interpreter, mistakes, parser, readers
from cardtwin.ppa.builtin import card, layout, persinfo
from cardtwin.ppa.run import Run
from cardtwin.ppa.variables import Variables
from support.broken import broken, exchanged, shown_by
from support.sabotage import Patch, Sabotage, check, check_complete, table

if TYPE_CHECKING:
    from collections.abc import Callable


def regrammared(old: str, new: str) -> Callable[[Patch], None]:
    """Return what exchanges a part of the grammar."""

    def patched(patch: Patch) -> None:
        grammar = resources.files("cardtwin.ppa").joinpath("grammar.lark").read_text("utf-8")
        assert grammar.count(old) == 1
        changed = Lark(
            grammar.replace(old, new),
            parser="lalr",
            lexer="basic",
            start="profile",
            postlex=parser._Mistakes(),
            propagate_positions=True,
        )
        patch.setattr(parser, "_lark", lambda: changed)

    return patched


LANGUAGE = (
    shown_by(
        "PPA-01",
        "a semicolon begins a comment in texts too",
        "profile/syntax profile/values",
        regrammared(r"STRING: /'[^'\n]*'/", r"STRING: /'[^'\n;]*'/"),
        parser.parse,
    ),
    shown_by(
        "PPA-01",
        "another sign begins a comment too",
        "profile/values-refused",
        regrammared("%ignore /;[^\\n]*/", "%ignore /[;#][^\\n]*/"),
        mistakes.unexpected,
    ),
    shown_by(
        "PPA-02",
        "texts stand in double quotes too",
        "profile/values-refused",
        regrammared(r"STRING: /'[^'\n]*'/", r"""STRING: /'[^'\n]*'|"[^"\n]*"/"""),
        mistakes.unexpected,
    ),
    shown_by(
        "PPA-02",
        "blanks stand between all bytes",
        "profile/syntax profile/values",
        broken(builder.Builder._bytes, "([0-9A-Fa-f]{2})+", "[0-9A-Fa-f]{2}"),
    ),
    shown_by(
        "PPA-02",
        "auto gives bytes that are written out an even size",
        "profile/auto-size",
        broken(
            files._fill,
            "length = least_length(file.content)",
            "length = least_length(file.content)\n"
            '    if file.size is None and type(file.body.data).__name__ == "ByteString":\n'
            "        file.size = length + length % 2",
        ),
        readers.size,
        "return None",
    ),
    shown_by(
        "PPA-03",
        "a value from outside replaces the profile's",
        "profile/assigned-once profile/assignment profile/sketch-by-encoding",
        broken(
            Variables._check_first,
            "if (given := self._given.get(name.key)) is not None:",
            "if (given := None) is not None:",
        ),
        Variables._check_first,
        "given.used = True",
    ),
    shown_by(
        "PPA-03",
        "a parameter in small letters is another one",
        "encoding/parameters profile/assigned-once",
        broken(
            Variables._give,
            "given.name.casefold()",
            "given.name.upper() if given.name.islower() else given.name.casefold()",
        ),
        Variables._take_parameters,
        "self._give(",
    ),
    shown_by(
        "PPA-04",
        "CardModel doesn't matter",
        "middleware/card-mismatch profile/card-model",
        exchanged(client, "check_family"),
        checks.check_family,
        "raise",
    ),
)

LAYOUT = (
    shown_by(
        "PPA-05",
        "a short name of a directory is none",
        "profile/layout profile/layout-refused",
        broken(layout._aid, "return aid", 'return aid if len(aid) > 4 else b""'),
        layout._aid,
    ),
    shown_by(
        "PPA-05",
        "two files have one identifier",
        "profile/layout-refused",
        exchanged(files, "_check_ids"),
        files._check_ids,
        '"duplicate-file-id"',
    ),
    shown_by(
        "PPA-06",
        "static contents are worked out too",
        "profile/contents",
        broken(layout.file, "if literal and", "if False and literal and"),
        layout.file,
        '"static-not-literal"',
    ),
    shown_by(
        "PPA-07",
        "files are laid out behind CreateFiles() too",
        "profile/create-files",
        exchanged(Run, "_before_files"),
        Run._before_files,
        '"order"',
    ),
    shown_by(
        "PPA-08",
        "the fuse is not burnt",
        "deleting/burnt profile/eraseable-and-fuse shipped/erasable shipped/locked",
        broken(interpreter.evaluate, 'run.place_of("BurnFuse()") is not None', "False"),
        card.burn_fuse,
    ),
    shown_by(
        "PPA-08",
        "order doesn't matter",
        "profile/eraseable-and-fuse-order profile/eraseable-and-fuse-refused",
        broken(Run.out_of_order, '== "strict"', '== "stricter"'),
    ),
    shown_by(
        "PPA-13",
        "the card is marked before the profile is known to be right",
        "encoding/values-unfit profile/assignment profile/eraseable-and-fuse-order"
        " profile/eraseable-and-fuse-refused profile/layout-refused profile/persinfo-refused"
        " profile/secrandom-refused profile/sketch-by-encoding profile/untouched profile/values-refused",
        broken(
            PersonalDesktopClient._init_token,
            "plan = self._evaluate(profile, certificate, parameters, secrets, label)",
            "try:\n"
            "        plan = self._evaluate(profile, certificate, parameters, secrets, label)\n"
            "    except ProfileRefusedError:\n"
            "        from cardtwin.middleware.checks import MARK\n"
            "        from cardtwin.middleware.rights import OPEN\n"
            '        with self._cards.driver(reader, "InitTokenPPA") as driver:\n'
            "            driver.select((0x3F00,))\n"
            "            driver.create_file(MARK, 1, OPEN)\n"
            "        raise",
        ),
        PersonalDesktopClient._evaluate,
        "raise ProfileRefusedError",
    ),
)

SECRETS = (
    shown_by(
        "PPA-09",
        "digits are drawn, whatever the alphabet",
        "profile/secrandom profile/secrandom-refused",
        broken(card.secrandom, "arguments.optional(1, _alphabet, _DIGITS)", "_DIGITS"),
        card._alphabet,
    ),
    shown_by(
        "PPA-09",
        "every card gets the same",
        "profile/secrandom profile/secrandom-anew key-generation/batch",
        broken(card.secrandom, "= run.environment.entropy.below", "= lambda letters: letters - 1"),
    ),
    shown_by(
        "PPA-10",
        "secrets are put after the encryption too",
        "profile/persinfo-refused",
        exchanged(persinfo, "_not_encrypted_yet"),
        persinfo._not_encrypted_yet,
        '"order"',
    ),
    shown_by(
        "PPA-10",
        "any key is taken for an RSA key",
        "middleware/pin-certificate-kinds",
        broken(persinfo._certificate, "not isinstance(certificate.public_key(), RSAPublicKey)", "False"),
        persinfo._certificate,
        "the PIN encryption certificate has no RSA key",
    ),
    shown_by(
        "PPA-10",
        "beside public keys there are no secrets",
        "blob/keys blob/subsets key-generation/batch profile/public-keys shipped/prepersonalised",
        broken(persinfo.put_pubrsa_and_sec, "content(blob, names)", 'content(b"", names)'),
    ),
    shown_by(
        "PPA-10",
        "two secrets are encrypted at most",
        "first key-generation/batch profile/secrets shipped/prepersonalised",
        broken(persinfo.encrypt_sec, "run.persinfo.secrets.items())", "run.persinfo.secrets.items())[:2]"),
    ),
    shown_by(
        "PPA-11",
        "no public keys are beside the secrets",
        "profile/public-keys",
        broken(persinfo.put_pubrsa_and_sec, "content(blob, names)", "content(blob, [])"),
    ),
    shown_by(
        "PPA-11",
        "public keys stand beside no secrets",
        "blob/keys blob/subsets key-generation/batch profile/public-keys shipped/prepersonalised",
        broken(persinfo.put_pubrsa_and_sec, "content(blob, names)", 'content(b"", names)'),
    ),
    shown_by(
        "PPA-11",
        "no keys are needed",
        "profile/persinfo-refused",
        broken(persinfo.put_pubrsa_and_sec, "not names", "False"),
        persinfo.put_pubrsa_and_sec,
        '"no-public-keys"',
    ),
    shown_by(
        "PPA-12",
        "there are any secrets",
        "profile/persinfo-refused",
        broken(Variables._fit, "name.key not in SECRETS", "False"),
        Variables._fit,
        '"unknown-secret"',
    ),
    shown_by(
        "PPA-12",
        "there is no SEC_MAN",
        "blob/subsets first profile/secrets shipped/prepersonalised",
        broken(
            persinfo.put_sec,
            "run.persinfo.secrets[name] =",
            'run.persinfo.secrets[name if name.value != "MAN" else name.PUK2] =',
        ),
    ),
)

SABOTAGES = LANGUAGE + LAYOUT + SECRETS


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete(["PPA-"], SABOTAGES)
