"""Decisions about the key generation system, of which no manual is public."""

from __future__ import annotations

from cardtwin.provenance.rules import Basis, rule

__all__: list[str] = []

rule(
    "keygeneration.system",
    Basis.STATED,
    "BLOB-01; the vendor's page about encrypted PINs",
    "The key generation system pre-personalises cards by a card profile, and the profile leaves PINs on the "
    "card that are encrypted for the PIN encryption certificate. No more is public of it.",
)
rule(
    "keygeneration.batch",
    Basis.OURS,
    "none: how the vendor's system is operated isn't public",
    "A batch is made from one profile for one card model: cards as images in a folder or a ZIP archive, and "
    "a production list in JSON Lines and CSV. What is ordered, and the files with their columns, are ours.",
)
rule(
    "keygeneration.numbers",
    Basis.OURS,
    "none; number ranges of the vendor's other systems are public",
    "Chips have consecutive serial numbers. Where a range is given, the cards go by its numbers, the lowest "
    "first. Each is written into TokenInfo: without a login, else as security officer, else as user.",
)
rule(
    "keygeneration.pins",
    Basis.OURS,
    "none; SECRANDOM() in profiles is stated (PPA-11)",
    "PINs are the profile's own. For those that it leaves open a form can be given, such as 6 digits. The "
    "list has none; who needs them decrypts what is on the card.",
)
rule(
    "keygeneration.seed",
    Basis.OURS,
    "none",
    "With a seed, what a card gets depends on the seed and its chip's serial number alone, and RSA keys are "
    "of a public pool unless fresh ones are asked for. Such a batch is for tests.",
)
