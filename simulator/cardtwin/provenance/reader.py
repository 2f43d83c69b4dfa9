"""Decisions about the readers."""

from __future__ import annotations

from typing import Final

from cardtwin.provenance.rules import Basis, rule

__all__ = ["PIN_PAD_BLOCKS", "PIN_PAD_COMMANDS", "PIN_PAD_ENTRIES"]

PIN_PAD_COMMANDS: Final = rule(
    "reader.pin-pad-commands",
    Basis.OURS,
    "PC/SC part 10, 2.5; certified readers have such a filter",
    "A PIN pad puts PINs into VERIFY (20) by FEATURE_VERIFY_PIN_DIRECT, into CHANGE REFERENCE DATA (24) and "
    "RESET RETRY COUNTER (2C) by FEATURE_MODIFY_PIN_DIRECT, with short length. Any other command, and what "
    "in the structure contradicts itself, is answered 6B80.",
)

PIN_PAD_BLOCKS: Final = rule(
    "reader.pin-pad-blocks",
    Basis.INFERRED,
    "PC/SC part 10, 2.5.2; what OpenSC and GnuPG send; a vendor's manual for a reader, with examples",
    "The digits overwrite what the command brings; fillers are the command's. A block ends with the data at "
    "the latest: clients count its position into it or don't. A command without data gets the digits alone, "
    "old PIN before new, and its Lc; BCD is filled up with F. PINs that the block has no room for are too "
    "long.",
)

PIN_PAD_ENTRIES: Final = rule(
    "reader.pin-pad-entries",
    Basis.OURS,
    "PC/SC part 10, 2.5.2, bEntryValidationCondition",
    "A person enters digits and OK. Where the validation key ends no entry, the end of the time does, with "
    "what was entered, if the condition says so; else it is 6400. The largest size, where that ends the "
    "entry, takes as many digits. Without bTimerOut the person has 30 seconds. 16 digits at most are taken. "
    "In scenarios nobody waits: what isn't entered before is not entered in time. Of a list of entries, the "
    "person makes no more once a command has failed.",
)
