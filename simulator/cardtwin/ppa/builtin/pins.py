"""X_Pin: PINs, PUKs and operator PINs. Ours: the public sources don't show the vendor's statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.plan import PinPlan, SecretName
from cardtwin.ppa import readers
from cardtwin.ppa.objects import Pin
from cardtwin.ppa.syntax import Name
from cardtwin.ppa.vocabulary import statement
from cardtwin.source import Note

if TYPE_CHECKING:
    from cardtwin.plan import Secret
    from cardtwin.ppa.line import Line
    from cardtwin.ppa.run import Run
    from cardtwin.ppa.syntax import Expression

_ROLES: Final = readers.one_of({role.value: role for role in SecretName})
_SLOTS: Final = readers.one_of({"main": "main", "signature": "signature"})


@statement(
    "X_Pin",
    operands=("one of the eight secrets",),
    attributes=(
        "reference",
        "label",
        "min",
        "max",
        "stored",
        "pad",
        "tries",
        "unblocked_by",
        "so",
        "slot",
    ),
)
def pin(run: Run, line: Line) -> None:
    """Make a PIN, PUK or operator PIN in the master file."""
    role = line.operand(0, _ROLES)
    run.once(f"X_Pin {role}", line.span)

    made = Pin(_pin_plan(run, line, role), line.span)
    _check_value(run, line, made.plan)
    _check_others(run, line, made.plan)
    run.objects.pins[role] = made


def _pin_plan(run: Run, line: Line, role: SecretName) -> PinPlan:
    lengths = readers.number(1, 64)
    return PinPlan(
        name=role.value,
        role=role,
        reference=line.required("reference", readers.number(1, 15)),
        label=line.required("label", readers.label),
        min_length=line.optional("min", lengths, 4),
        max_length=line.optional("max", lengths, 8),
        stored_length=line.optional("stored", _stored_length, 8),
        pad=line.optional("pad", readers.number(0, 0xFF), 0x00),
        tries=line.optional("tries", readers.number(1, 15), 3),
        unblocked_by=line.optional("unblocked_by", _credential, None),
        so=line.optional("so", readers.yes_or_no, default=False),
        slot=line.optional("slot", _SLOTS, "main"),
        value=_secret(run, line, role),
    )


def _stored_length(run: Run, expression: Expression) -> int | None:
    """Read a length; auto stands for a value that is sent as it is."""
    if isinstance(expression, Name) and expression.key == "auto":
        return None

    return readers.number(1, 64)(run, expression)


def _credential(run: Run, expression: Expression) -> SecretName:
    role = _ROLES(run, expression)
    run.objects.need(role, expression.span)
    return role


def _secret(run: Run, line: Line, role: SecretName) -> Secret:
    variable = Name(role.variable, line.directive.operands[0].span)
    return readers.secret(run, variable)[1]


def _check_value(run: Run, line: Line, plan: PinPlan) -> None:
    if not plan.min_length <= plan.max_length <= (plan.stored_length or plan.max_length):
        run.reject(
            "pin-lengths",
            f"the lengths of {plan.role} contradict each other",
            line.span,
            expected="min <= max <= stored",
        )

    if not plan.min_length <= len(plan.value) <= plan.max_length:
        run.reject(
            "pin-value",
            f"the value of {plan.role.variable} is too "
            + ("short" if len(plan.value) < plan.min_length else "long"),
            line.span,
            expected=f"{plan.min_length} to {plan.max_length} bytes",
        )


def _check_others(run: Run, line: Line, plan: PinPlan) -> None:
    for other in run.objects.pins.values():
        if other.plan.reference == plan.reference:
            run.reject(
                "duplicate-reference",
                f"{other.plan.role} has the reference {plan.reference}",
                line.span_of("reference"),
                remedy="choose another one",
                notes=(Note("the first one", other.span),),
            )

        if other.plan.so and plan.so:
            run.reject(
                "duplicate-so",
                f"{other.plan.role} is the security officer's already",
                line.span_of("so"),
                remedy="leave so=yes out of one of them",
                notes=(Note("the first one", other.span),),
            )
