"""Decisions about the process by which a user gets a virtual smart card."""

from __future__ import annotations

from cardtwin.provenance.rules import Basis, rule

__all__: list[str] = []

rule(
    "ordering.card",
    Basis.INFERRED,
    "VSC-01; the vendor's Desktop App names the driver `vsc` of type minidriver",
    "The virtual smart card that is made is Microsoft's: an empty one, which gets a random admin key and "
    "identifier, the user's PIN, and for each certificate a key that is generated on it.",
)
rule(
    "ordering.states",
    Basis.STATED,
    "VSC-01, VSC-02; the vendor's description of the process for the user",
    "The user confirms, opens the Desktop App, enters the PIN, sees the details and clicks Next. Only then "
    "is the card among the user's cards, active. A PIN that isn't as the options want it may be entered "
    "anew.",
)
rule(
    "ordering.cancel",
    Basis.INFERRED,
    "VSC-03: that it ends the process is stated",
    "The process can be cancelled at every step before the last. The virtual smart card is destroyed then, "
    "and certificates that were issued for it are revoked. So it is where the card can't be made.",
)
rule(
    "ordering.certificates",
    Basis.OURS,
    "VSC-04; an older process issues authentication and signature by default",
    "Which certificates are issued is said by X_VirtualSmartCardOptionCertificates, a list of "
    "authentication, signature, encryption; the vendor's own option isn't public. Keys for encryption are "
    "made on the card too, none is recovered.",
)
rule(
    "ordering.validity",
    Basis.STATED,
    "VSC-05; the vendor's page about yearsOfValidity",
    "The card is valid for yearsOfValidity years from the day on, and so are its certificates. "
    "What is ours: 1 to 19 years, since no certificate outlives the CA that issued it, and these live 20.",
)
rule(
    "ordering.properties",
    Basis.STATED,
    "VSC-06; the vendor's page about properties of the user",
    "VirtualSmartCardOptionUserID, ...ServerName and ...ProfileName are properties of the card, with the "
    "vendor's defaults but for the server's name. The user id is also the common name in the certificates, "
    "which is ours.",
)
rule(
    "ordering.pin-complexity",
    Basis.STATED,
    "VSC-07; the vendor's page about PIN complexity",
    "Six options say what a PIN has to be like, with the vendor's names, values and defaults. Special "
    "characters are all but the letters A to Z and a to z and the digits: that is inferred.",
)
rule(
    "ordering.script",
    Basis.INFERRED,
    "VSC-09; examples in the vendor's pages",
    "The options are assignments in a Groovy script. Numbers, texts, fields of data pools, joined texts and "
    "lists are read; no line is run, and one that is no option's assignment is told by a warning.",
)
