"""``issue_token`` and ``produce_by``: tokens issued by a token procedure, at once or by encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from pydantic import Field

from cardtwin.issuance import IssuanceError
from cardtwin.issuance.authority import KeyUsage, extension, usage_of
from cardtwin.issuance.manager import TokenRequest
from cardtwin.plan import Secret, SecretName
from cardtwin.scenario.effects import READS, REMAKES
from cardtwin.scenario.matchers import NumberMatcher, PrivateTextMatcher, TextListMatcher, TextMatcher
from cardtwin.scenario.step import Expectation, Observed, Step, verb
from cardtwin.scenario.values import SecretText
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.issuance.manager import IssuedToken
    from cardtwin.scenario.run import Run
    from cardtwin.scenario.values import Value

__all__ = ["IssueToken", "ProduceBy"]

_PASSWORD = Secret.of("of this scenario's PKCS #12 files")


class IssueExpectation(Expectation):
    """What comes of it.

    `certificates` are the certificate procedures of the token's certificates, in their order, ``reused``
    for one that was; `usages` the key usages of each, joined by ``+``; `issuers` the names of the CAs whose
    certificates go onto the token. `key_ids` are the identifiers of the keys in PKCS #12 files. `letters`
    are the PIN letters, such as ``1: PIN1 PIN2``, and `letter` is the ID by which they are printed; `shown`
    are the fields of the input view.
    """

    main: ClassVar[str] = "result"
    result: TextMatcher | None = None
    code: TextMatcher | None = None
    message: TextMatcher | None = None
    serial: TextMatcher | None = None
    certificates: TextListMatcher | None = None
    usages: TextListMatcher | None = None
    subjects: TextListMatcher | None = None
    issuers: TextListMatcher | None = None
    key_ids: TextListMatcher | None = None
    attributes: NumberMatcher | None = None
    secrets: dict[SecretName, PrivateTextMatcher] = Field(default_factory=dict)
    letters: TextListMatcher | None = None
    letter: TextMatcher | None = None
    shown: TextListMatcher | None = None


@verb("issue_token", needs=set(), effects=READS)
class IssueToken(Step):
    """Issue a token by a token procedure. Without `expect`, it isn't refused.

    `requests` has a list of key usages for each key of the token; an empty list is a request without key
    usage. `chosen` are the secrets that the holder chooses, `recover` the key procedures that are selected.
    """

    addressed: ClassVar[frozenset[str]] = frozenset()

    issue_token: str
    fields: dict[str, str]
    domain: str = "/"
    requests: list[list[KeyUsage]] = Field(default_factory=list)
    serial: str = ""
    chosen: dict[SecretName, SecretText] = Field(default_factory=dict)
    recover: list[str] | None = None
    expect: IssueExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Issue it."""
        request = TokenRequest(
            self.issue_token,
            self.fields,
            self.domain,
            tuple(_request(frozenset(usage)) for usage in self.requests),
            self.serial,
            self.chosen,
            None if self.recover is None else tuple(self.recover),
            _PASSWORD,
        )

        try:
            token = run.managing.manager.registration.issue(request)
        except IssuanceError as error:
            values: dict[str, Value] = {"result": "refused", "code": error.code, "message": str(error)}
            return Observed({**values, **self._shown(run)}, success=False, note=str(error))

        return Observed({"result": "issued", **_values(token), **self._shown(run)})

    def _shown(self, run: Run) -> Mapping[str, Value]:
        procedure = run.managing.manager.workbench.procedures().get(self.issue_token)

        if procedure is None:
            return {}

        return {"shown": run.managing.manager.registration.input_view(procedure).fields}


@verb("produce_by", needs={Capability.PERSONAL}, effects=REMAKES)
class ProduceBy(Step):
    """Let the following encodings produce a holder's card by a token procedure.

    CertTempl then names a token procedure in effect, and Certificate Manager keeps the card's secrets.
    `holder` is the common name in the certificates, `fields` what else the input view asks for: an
    ``E-mail``, which becomes their subjectAltName, or an ``Organisation``.
    """

    addressed: ClassVar[frozenset[str]] = frozenset()

    produce_by: str
    holder: str
    domain: str = "/"
    fields: dict[str, str] = Field(default_factory=dict)

    def run(self, run: Run) -> Observed:
        """Put Certificate Manager behind the bench's encodings."""
        production = run.managing.production(self.produce_by, self.holder, self.domain, self.fields)
        run.bench.certificate_manager.production = production
        return Observed()


def _request(usage: frozenset[KeyUsage]) -> bytes:
    """Return a request for a new key: on which card the key is doesn't matter here."""
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))

    if usage:
        builder = builder.add_extension(extension(usage), critical=True)

    return builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.DER)


def _values(token: IssuedToken) -> dict[str, Value]:
    certificates = [found.certificate for found in token.certificates]
    return {
        "serial": token.serial,
        "certificates": tuple(found.procedure or "reused" for found in token.certificates),
        "usages": tuple("+".join(sorted(usage_of(found))) for found in certificates),
        "subjects": tuple(found.subject.rfc4514_string() for found in certificates),
        "issuers": tuple(_common_name(found.subject) for found in token.issuers),
        "key_ids": tuple(_key_id(content) for content in token.archived),
        "attributes": len(token.attributes),
        "secrets": {name.value: secret for name, secret in token.secrets.items()},
        "letter": token.letter or None,
        "letters": tuple(f"{number}: {' '.join(inside)}" for number, inside in token.letters.items()),
    }


def _common_name(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def _key_id(content: bytes) -> str:
    key, _, _ = pkcs12.load_key_and_certificates(content, _PASSWORD.reveal())
    assert key is not None
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()  # type: ignore[arg-type]  # what was archived
