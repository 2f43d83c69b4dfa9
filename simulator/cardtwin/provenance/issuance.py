"""Decisions about Certificate Manager and what it issues."""

from __future__ import annotations

from typing import Final

from cardtwin.provenance.rules import Basis, rule

__all__ = ["KEY_USAGE"]

rule(
    "issuance.two-officers",
    Basis.STATED,
    "CM-01; the vendor's page about creating a token procedure",
    "A token procedure takes effect with the second officer's signature; both have the roles Use AWB and "
    "Policy tasks. That one officer can't sign twice, and that a change drops the signatures, is inferred.",
)
rule(
    "issuance.signature",
    Basis.OURS,
    "CM-01; how officers' signatures are formed isn't public",
    "What officers sign is the request in JSON with its number and revision, as CMS SignedData (RFC 5652) "
    "made with the key on the officer's card, for which Certificate Manager has issued a certificate.",
)
rule(
    "issuance.domains",
    Basis.INFERRED,
    "CM-02: that there is a domain, and Visible in subdomain, is stated",
    "Domains are paths below /. A procedure can be used for users of its domain, and of those below it if it "
    "is visible in subdomains. A closed one can't be used.",
)
rule(
    "issuance.serial-range",
    Basis.INFERRED,
    "CM-03: that the range is mandatory, and can be listed when in use, is stated",
    "A number is given once: the lowest free one, or one that comes from elsewhere if it is in the range. "
    "Two procedures in effect have no number in common. A range with no number left refuses.",
)
rule(
    "issuance.pin-procedure",
    Basis.OURS,
    "CM-04; what a PIN procedure holds isn't public",
    "A PIN procedure says for each secret its length, its characters, and whether it goes into a letter (and "
    "into which of several), is stored only, or is chosen by the holder.",
)
rule(
    "issuance.pin-letters",
    Basis.INFERRED,
    "CM-04; the vendor's page about PIN letters: the role, the ID of prefix and counter, the split into "
    "letters that share it, and 10,000 per request as recommended are stated",
    "A PIN procedure's layout fills PIN letters, which an officer with the role Manage PIN letters has "
    "printed as PDF. What is ours: the officer signs the order, which says which copy it is; prints are "
    "counted, further ones say so; more than 10,000 letters in an order are refused.",
)
rule(
    "issuance.recovery",
    Basis.INFERRED,
    "CM-05, CM-09; the vendor's page about soft tokens and pre-personalised cards",
    "A procedure that archives makes a key, keeps it and gives it as PKCS #12. One that recovers gives a "
    "holder's archived keys again, with their certificates or with new ones. With several that recover, none "
    "is carried out unless selected. What is ours: a holder is known by the common name, the "
    "organisation, the e-mail address and the own serial number together, in all domains; where the card's "
    "serial number stands in the subject, the own one isn't known and not compared.",
)
rule(
    "issuance.issuer-certificates",
    Basis.STATED,
    "CM-06, CM-07; the vendor's page about creating a token procedure",
    "The four policies, and CAs for recovered certificates where one that stores is selected: whether CAs of "
    "recovered certificates are stored that aren't those of the certificate procedures.",
)
rule(
    "issuance.attribute-certificates",
    Basis.INFERRED,
    "CM-08: which options are unavailable isn't said",
    "A token procedure for an attribute certificate file has a name, a state, a domain, attribute "
    "certificate procedures and an input view. The other options are refused.",
)
KEY_USAGE: Final = rule(
    "issuance.key-usage",
    Basis.OURS,
    "CM-11: what matches isn't said",
    "A certificate procedure matches a request of exactly its key usage; with `superset` also one of a part "
    "of it. The certificate has the key usage of the request, or that of the procedure where it has none.",
    choices=("exact", "superset"),
    default="exact",
)
rule(
    "issuance.input-view",
    Basis.INFERRED,
    "CM-14: that a view shows only the relevant fields is stated",
    "A field that the procedure's input view doesn't show can't be given. The fields of the default view are "
    "ours.",
)
rule(
    "issuance.revocation",
    Basis.OURS,
    "RFC 5280, RFC 6960; how the vendor's CAs publish revocation isn't modelled",
    "A certificate is revoked for good. Each CA signs its own lists and OCSP answers, which are valid for "
    "seven days; certificates carry no addresses of them.",
)
rule(
    "issuance.production",
    Basis.INFERRED,
    "ENC-14, ENC-16; what CertTempl names on Certificate Manager's side isn't said",
    "For encodings that produce by a token procedure, CertTempl names it. What is issued under one serial "
    "number is one token's, whose secrets the post-processor sets. A new number out of the procedure's range "
    "is refused, and so is that of another holder's token.",
)
