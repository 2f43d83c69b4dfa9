"""What is stated, what is inferred, what is ours: one table, and the switches that read it.

Each :class:`Rule` is a decision about behaviour that the public sources leave open or state in part. The code
that decides asks :class:`Switches` for the rule's value, so that the table cannot drift from the
behaviour, and docs/deviations.md is generated from it.
"""

from cardtwin.provenance.rules import AREAS, Basis, Rule, Switches, UnknownSwitchError, all_rules, rule

__all__ = ["AREAS", "Basis", "Rule", "Switches", "UnknownSwitchError", "all_rules", "rule"]
