"""X_Certificate, X_Data, X_Token: what the token lists beside PINs and keys. Ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.pkcs15 import TokenFlags
from cardtwin.plan import Operation, SecretName
from cardtwin.ppa import declared, readers
from cardtwin.ppa.objects import Certificate, Data, Token
from cardtwin.ppa.vocabulary import statement

if TYPE_CHECKING:
    from cardtwin.ppa.layout import File
    from cardtwin.ppa.line import Line
    from cardtwin.ppa.objects import ObjectId
    from cardtwin.ppa.run import Run
    from cardtwin.ppa.syntax import Expression


@statement(
    "X_Certificate",
    operands=("a file's name",),
    attributes=("id", "key", "label", "authority", "trusted"),
)
def certificate(run: Run, line: Line) -> None:
    """List a file as a room for an X.509 certificate."""
    file = line.operand(0, declared.file)
    run.once(f"X_Certificate {file.name.text}", line.span)
    run.objects.certificates.append(
        Certificate(
            file,
            line.required("label", readers.label),
            _certificate_id(run, line),
            line.optional("authority", readers.yes_or_no, default=False),
            line.optional("trusted", readers.yes_or_no, default=False),
            _guard(file),
        )
    )


def _certificate_id(run: Run, line: Line) -> ObjectId:
    given = line.optional("id", readers.object_id, None)
    key_id = line.optional("key", _key_id, None)

    if (given is None) is (key_id is None):
        run.reject(
            "certificate-id",
            "a certificate has an id of its own, or the one of its key",
            line.span,
            expected="either id=0x{...} or key=<name>",
        )

    return given if given is not None else key_id  # type: ignore[return-value]  # one of them is there


def _key_id(run: Run, expression: Expression) -> ObjectId:
    return declared.key(run, expression).id


@statement("X_Data", operands=("a file's name",), attributes=("label", "application"))
def data(run: Run, line: Line) -> None:
    """List a file as a data object."""
    file = line.operand(0, declared.file)
    run.once(f"X_Data {file.name.text}", line.span)
    run.objects.data.append(
        Data(
            file,
            line.required("label", readers.label),
            line.optional("application", readers.label, ""),
            _guard(file),
        )
    )


def _guard(file: File) -> SecretName | None:
    """Return the credential that reading the file demands."""
    return file.access[Operation.READ].credential


_LABEL_LENGTH: Final = 32  # CK_TOKEN_INFO has room for no more (PKCS#11, 3.2)
_TOKEN_FLAGS: Final = readers.one_of(
    {
        "readonly": TokenFlags.READONLY,
        "loginRequired": TokenFlags.LOGIN_REQUIRED,
        "prnGeneration": TokenFlags.PRN_GENERATION,
        "eidCompliant": TokenFlags.EID_COMPLIANT,
    }
)


@statement("X_Token", attributes=("label", "manufacturer", "flags"))
def token(run: Run, line: Line) -> None:
    """Say what the token says about itself. A label from outside takes the place of this one."""
    run.once("X_Token", line.span)
    flags = TokenFlags(0)

    for each in line.several("flags", _TOKEN_FLAGS):
        flags |= each

    own = line.required("label", _token_label)
    manufacturer = line.optional("manufacturer", readers.label, "")
    run.objects.token = Token(_label_from_outside(run, line) or own, manufacturer, flags)


def _label_from_outside(run: Run, line: Line) -> str | None:
    label = run.environment.label

    if label is not None and not 1 <= len(label.encode()) <= _LABEL_LENGTH:
        run.reject(
            "out-of-range",
            f"the label from outside, {label!r}, cannot take the place of this one",
            line.span,
            expected=f"1 to {_LABEL_LENGTH} bytes in UTF-8",
        )

    return label


def _token_label(run: Run, expression: Expression) -> str:
    label = readers.label(run, expression)

    if len(label.encode()) > _LABEL_LENGTH:
        run.reject(
            "out-of-range",
            f"a token label of more than {_LABEL_LENGTH} bytes",
            expression.span,
            expected=f"1 to {_LABEL_LENGTH} bytes in UTF-8",
        )

    return label
