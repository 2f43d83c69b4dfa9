"""Contents of PKCS#15 files, worked out from what the X_ statements declare. Ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin import pkcs15
from cardtwin.pkcs15 import CommonFlags, DirectoryKind, KeyAccess, KeyUsage, PinFlags, PinType
from cardtwin.plan import ALWAYS, ChipSerial, Content, KeyUse, PublicKeyOf, SecretName, Wrapped
from cardtwin.ppa import card_models, declared
from cardtwin.ppa.deferred import open_gaps, stand_in
from cardtwin.ppa.syntax import Call
from cardtwin.ppa.vocabulary import function

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardtwin.plan import Part, PinPlan
    from cardtwin.ppa.layout import File
    from cardtwin.ppa.line import Arguments
    from cardtwin.ppa.objects import Certificate, Key, ObjectId, Pin
    from cardtwin.ppa.run import Run

_SIGNATURE, _DECIPHERMENT = (0, 1), (0, 0, 0, 0, 0, 1)
_RSA_PKCS: Final = 0x0001
_ECDSA: Final = 0x1041
_ALGORITHMS: Final = {
    # RSA isn't told: it would take OpenSC off the scheme that it has for these cards by itself.
    "cardos-5": (pkcs15.Algorithm(1, _ECDSA, operations=_SIGNATURE, card_reference=0x30),),
    "cosmo": (
        pkcs15.Algorithm(1, _RSA_PKCS, operations=_SIGNATURE, card_reference=0x02),
        pkcs15.Algorithm(2, _RSA_PKCS, operations=_DECIPHERMENT, card_reference=0x1A),
    ),
}
"""By card family, the algorithms that clients look for in EF.TokenInfo, with their references on the card."""

_BY_NAME: Final = {"cosmo", "idclassic"}
_APPLICATION: Final = (0x3F00, 0x5015)

_SEQUENCE: Final = 0x30
_OCTET_STRING: Final = 0x04


@function("X_TOKENINFO")
def token_info(run: Run, arguments: Arguments) -> Content:
    """Give EF.TokenInfo: the chip's serial number, and what X_Token says."""
    token = run.objects.token

    if token is None:
        run.reject(
            "missing-statement",
            "the profile has no X_Token",
            arguments.span,
            remedy="say the token's label, for example X_Token label='My token'",
        )

    run.label_written = run.environment.label is not None
    info = pkcs15.TokenInfo(
        serial=b"",
        label=token.label,
        manufacturer=token.manufacturer,
        flags=token.flags,
        algorithms=_ALGORITHMS.get(_family(run), ()),
    )
    before, after = info.around_serial()
    return Content.of(Wrapped(_SEQUENCE, (before, Wrapped(_OCTET_STRING, (ChipSerial(),)), after)))


_DIRECTORIES: Final = {
    "x_prkdf": DirectoryKind.PRIVATE_KEYS,
    "x_pukdf": DirectoryKind.PUBLIC_KEYS,
    "x_cdf": DirectoryKind.CERTIFICATES,
    "x_trusted_cdf": DirectoryKind.TRUSTED_CERTIFICATES,
    "x_dodf": DirectoryKind.DATA_OBJECTS,
    "x_aodf": DirectoryKind.AUTH_OBJECTS,
}


@function("X_ODF")
def odf(run: Run, arguments: Arguments) -> bytes:
    """Give EF.ODF: the files whose data are X_PRKDF(), X_PUKDF(), X_CDF() and so on, in this order."""
    entries = [
        pkcs15.DirectoryPath(kind, _path(run, file))
        for name, kind in _DIRECTORIES.items()
        for file in run.layout.files()
        if file.body and isinstance(file.body.data, Call) and file.body.data.name.key == name
    ]

    if not entries:
        run.reject(
            "nothing-to-list",
            "no file of the profile lists objects",
            arguments.span,
            expected="a File Dynamic with data=X_AODF() or another of the directory functions",
        )

    return pkcs15.encode_odf(entries)


def _path(run: Run, file: File) -> pkcs15.Path:
    return _path_of(run, file.path)


def _path_of(run: Run, path: Sequence[int]) -> pkcs15.Path:
    """Return a path, from the application's DF on where the family's clients go by its name."""
    whole = tuple(path)
    relative = _family(run) in _BY_NAME and whole[: len(_APPLICATION)] == _APPLICATION
    return pkcs15.Path.of(*(whole[len(_APPLICATION) :] if relative else whole))


def _family(run: Run) -> str:
    return card_models.family_of(run.card_model) if run.card_model else ""


@function("X_AODF")
def aodf(run: Run, _: Arguments) -> bytes:
    """Give the list of PINs: every X_Pin."""
    return pkcs15.encode_directory(_pin(run, pin) for pin in run.objects.pins.values())


def _pin(run: Run, pin: Pin) -> pkcs15.Pin:
    plan = pin.plan
    return pkcs15.Pin(
        id=pin.id,
        label=plan.label,
        reference=plan.reference,
        flags=_flags(run, plan),
        type=PinType.UTF8,
        min_length=plan.min_length,
        stored_length=plan.stored_length or plan.max_length,
        max_length=plan.max_length,
        pad=None if plan.stored_length is None else plan.pad,
        path=pkcs15.Path.of(0x3F00),
        common=CommonFlags.PRIVATE | CommonFlags.MODIFIABLE,
        auth_id=_auth_id(run, plan.unblocked_by),
    )


def _flags(run: Run, plan: PinPlan) -> PinFlags:
    unblocks = any(other.plan.unblocked_by is plan.role for other in run.objects.pins.values())
    conditions = {
        PinFlags.LOCAL: plan.slot == "signature",
        PinFlags.NEEDS_PADDING: plan.stored_length is not None,
        PinFlags.UNBLOCKING_PIN: unblocks,
        PinFlags.SO_PIN: plan.so,
    }
    flags = PinFlags.INITIALIZED

    for flag, holds in conditions.items():
        flags |= flag if holds else PinFlags(0)

    return flags


def _auth_id(run: Run, role: SecretName | None) -> bytes | None:
    pin = run.objects.pins.get(role) if role else None
    return pin.id if pin else None


_PRIVATE_USAGE: Final = {
    KeyUse.SIGN: KeyUsage.SIGN,
    KeyUse.DECIPHER: KeyUsage.DECRYPT | KeyUsage.UNWRAP,
    KeyUse.NON_REPUDIATION: KeyUsage.NON_REPUDIATION,
    KeyUse.DERIVE: KeyUsage.DERIVE,
}
_PUBLIC_USAGE: Final = {
    KeyUse.SIGN: KeyUsage.VERIFY,
    KeyUse.DECIPHER: KeyUsage.ENCRYPT | KeyUsage.WRAP,
    KeyUse.NON_REPUDIATION: KeyUsage.NON_REPUDIATION,
    KeyUse.DERIVE: KeyUsage.DERIVE,
}
_MADE_ON_CARD: Final = (
    KeyAccess.SENSITIVE | KeyAccess.ALWAYS_SENSITIVE | KeyAccess.NEVER_EXTRACTABLE | KeyAccess.LOCAL
)


def _usage(use: KeyUse, table: dict[KeyUse, KeyUsage]) -> KeyUsage:
    usage = KeyUsage(0)

    for each in use:
        usage |= table[each]

    return usage


@function("X_PRKDF")
def prkdf(run: Run, _: Arguments) -> Content:
    """Give the list of private keys: every X_Key that is made now."""
    return _listing(_private_key(run, key) for key in run.objects.keys.values() if key.plan.generate)


def _private_key(run: Run, key: Key) -> tuple[pkcs15.AnyObject, ObjectId]:
    plan = key.plan
    listed = pkcs15.PrivateKey(
        id=_id(key.id),
        label=key.label,
        algorithm=pkcs15.KeyAlgorithm(plan.algorithm.value),
        size=plan.size,
        usage=_usage(plan.use, _PRIVATE_USAGE),
        access=_MADE_ON_CARD,
        reference=plan.reference,
        path=_path_of(run, plan.directory),
        common=_modifiable(key) | (CommonFlags(0) if plan.access == ALWAYS else CommonFlags.PRIVATE),
        auth_id=_auth_id(run, plan.access.credential),
        user_consent=key.consent,
    )
    return listed, key.id


def _modifiable(key: Key) -> CommonFlags:
    return CommonFlags.MODIFIABLE if key.modifiable else CommonFlags(0)


@function("X_PUKDF")
def pukdf(run: Run, _: Arguments) -> Content:
    """Give the list of public keys: every X_Key with public=."""
    return _listing(
        _public_key(run, key, key.public) for key in run.objects.keys.values() if key.public is not None
    )


def _public_key(run: Run, key: Key, file: File) -> tuple[pkcs15.AnyObject, ObjectId]:
    listed = pkcs15.PublicKey(
        id=_id(key.id),
        label=key.label,
        algorithm=pkcs15.KeyAlgorithm(key.plan.algorithm.value),
        size=key.plan.size,
        usage=_usage(key.plan.use, _PUBLIC_USAGE),
        reference=key.plan.reference,
        path=_path(run, file),
        common=_modifiable(key),
    )
    return listed, key.id


@function("X_CDF")
def cdf(run: Run, _: Arguments) -> Content:
    """Give the list of certificates: every X_Certificate that isn't trusted."""
    return _listing(_certificate(run, each) for each in run.objects.certificates if not each.trusted)


@function("X_TRUSTED_CDF")
def trusted_cdf(run: Run, _: Arguments) -> Content:
    """Give the list of trusted certificates: every X_Certificate with trusted=yes."""
    return _listing(_certificate(run, each) for each in run.objects.certificates if each.trusted)


def _certificate(run: Run, certificate: Certificate) -> tuple[pkcs15.AnyObject, ObjectId]:
    listed = pkcs15.Certificate(
        id=_id(certificate.id),
        label=certificate.label,
        authority=certificate.authority,
        path=_path(run, certificate.file),
        common=CommonFlags.MODIFIABLE,
        auth_id=_auth_id(run, certificate.guard),
    )
    return listed, certificate.id


@function("X_DODF")
def dodf(run: Run, _: Arguments) -> bytes:
    """Give the list of data objects: every X_Data."""
    return pkcs15.encode_directory(
        pkcs15.DataObject(
            label=each.label,
            application=each.application,
            path=_path(run, each.file),
            common=CommonFlags.PRIVATE if each.guard else CommonFlags(0),
            auth_id=_auth_id(run, each.guard),
        )
        for each in run.objects.data
    )


@function("X_PUBLICKEY", "key")
def public_key(run: Run, arguments: Arguments) -> Content:
    """Give the public half of a key that the profile makes: RSAPublicKey; SubjectPublicKeyInfo for EC."""
    key = arguments.required(0, declared.key)

    if not key.plan.generate:
        run.reject(
            "no-public-key",
            f"{key.plan.name} is not made here, so it has no public half yet",
            arguments.span,
            remedy="leave generate=no out, or leave the file empty",
        )

    return Content.of(PublicKeyOf(key.plan.name))


def _id(given: ObjectId) -> bytes:
    return stand_in(given.key) if isinstance(given, PublicKeyOf) else given


def _listing(entries: Iterable[tuple[pkcs15.AnyObject, ObjectId]]) -> Content:
    listed = list(entries)
    gaps: dict[bytes, Part] = {_id(given): given for _, given in listed if isinstance(given, PublicKeyOf)}
    return open_gaps(pkcs15.encode_directory(item for item, _ in listed), gaps)
