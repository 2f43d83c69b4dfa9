"""X_Key: key pairs. Ours: the public sources don't show the vendor's statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.plan import KeyAlgorithm, KeyPlan, KeyUse, PublicKeyForm, PublicKeyOf
from cardtwin.ppa import declared, readers
from cardtwin.ppa.objects import Key
from cardtwin.ppa.vocabulary import statement
from cardtwin.source import Note

if TYPE_CHECKING:
    from cardtwin.ppa.line import Line
    from cardtwin.ppa.run import Run
    from cardtwin.ppa.syntax import Expression, Name

_ALGORITHMS: Final = readers.one_of({"rsa": KeyAlgorithm.RSA, "ec": KeyAlgorithm.EC})
_USES: Final = readers.one_of(
    {
        "sign": KeyUse.SIGN,
        "decipher": KeyUse.DECIPHER,
        "nonRepudiation": KeyUse.NON_REPUDIATION,
        "derive": KeyUse.DERIVE,
    }
)
_CURVES: Final = (192, 224, 256, 320, 384, 512, 521)


@statement(
    "X_Key",
    operands=("name",),
    attributes=(
        "reference",
        "directory",
        "type",
        "size",
        "use",
        "access",
        "id",
        "label",
        "public",
        "generate",
        "consent",
        "modifiable",
    ),
)
def key(run: Run, line: Line) -> None:
    """Make a key pair on the card, or a room for one."""
    name = line.operand(0, readers.name)
    run.once(f"X_Key {name.text}", line.span)

    plan = _key_plan(line, name)
    made = Key(
        plan,
        line.required("label", readers.label),
        line.optional("id", readers.object_id, b"") or _id_of(run, line, plan),
        line.optional("public", declared.file, None),
        line.optional("consent", readers.number(1, 255), None),
        line.optional("modifiable", readers.yes_or_no, default=False),
        line.span,
    )
    _check_key(run, line, made)
    run.objects.keys[name.key] = made


def _key_plan(line: Line, name: Name) -> KeyPlan:
    algorithm = line.optional("type", _ALGORITHMS, KeyAlgorithm.RSA)
    use = KeyUse(0)

    for each in line.several("use", _USES, (KeyUse.SIGN,)):
        use |= each

    return KeyPlan(
        name=name.text,
        reference=line.required("reference", readers.number(1, 0x7F)),
        directory=line.required("directory", declared.directory).path,
        algorithm=algorithm,
        size=line.required("size", _rsa_size if algorithm is KeyAlgorithm.RSA else _ec_size),
        use=use,
        access=line.required("access", readers.access),
        generate=line.optional("generate", readers.yes_or_no, default=True),
    )


def _rsa_size(run: Run, expression: Expression) -> int:
    size = readers.number(1024, 4096)(run, expression)

    if size % 64:
        run.reject(
            "out-of-range", f"no RSA key has {size} bits here", expression.span, expected="a multiple of 64"
        )

    return size


def _ec_size(run: Run, expression: Expression) -> int:
    size = readers.number(min(_CURVES), max(_CURVES))(run, expression)

    if size not in _CURVES:
        run.reject(
            "out-of-range",
            f"no curve has {size} bits",
            expression.span,
            expected=f"one of {', '.join(map(str, _CURVES))}",
        )

    return size


def _id_of(run: Run, line: Line, plan: KeyPlan) -> PublicKeyOf:
    if not plan.generate:
        run.reject(
            "missing-attribute",
            f"{plan.name} needs an id: there is no public key yet to work it out from",
            line.directive.keyword.span,
            expected="id=0x{...}",
        )

    return PublicKeyOf(plan.name, PublicKeyForm.KEY_ID)


def _check_key(run: Run, line: Line, made: Key) -> None:
    for other in run.objects.keys.values():
        if (other.plan.directory, other.plan.reference) == (made.plan.directory, made.plan.reference):
            run.reject(
                "duplicate-reference",
                f"{other.plan.name} has the reference {other.plan.reference}",
                line.span_of("reference"),
                remedy="choose another one",
                notes=(Note("the first one", other.span),),
            )

    if made.public is not None and not made.plan.generate:
        run.reject(
            "no-public-key",
            f"{made.plan.name} is not made here, so there is no public half to be kept in a file",
            line.span,
            remedy="leave public= or generate=no out",
        )
