"""PKCS#11's functions as steps: what a step of each takes, and what may be expected of it."""

from cardtwin.scenario.pkcs11.arguments import argument_fields, arguments_of, files_named
from cardtwin.scenario.pkcs11.results import CallExpectation, expectation_of, values_of

__all__ = [
    "CallExpectation",
    "argument_fields",
    "arguments_of",
    "expectation_of",
    "files_named",
    "values_of",
]
