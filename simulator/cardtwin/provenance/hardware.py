"""Decisions about physical cards: what is sent to them, how their tries are counted, what is told of them.

None of them has a switch: what protects a card isn't chosen by a scenario.
"""

from __future__ import annotations

from cardtwin.provenance.rules import Basis, rule

__all__: list[str] = []

rule(
    "hardware.effects",
    Basis.OURS,
    "what the forms of decode are known to do; caution where that is open",
    "What a command does at worst goes by its name and parameters alone. PUT DATA FCI and PUT DATA count "
    "as irreversible, since conditions may be among what they write; so do ERASE FILES, FORMAT, LOAD "
    "EXECUTABLE, CHANGE STARTKEY and terminations. Key generation counts as destroying. A piece of a "
    "chained command counts as the worst that the whole may do.",
)

rule(
    "hardware.founded-forms",
    Basis.OURS,
    "docs/card-commands.md",
    "A form counts as verified if it was recorded from a card, client code sends it, or a source states "
    "it, and decode reads it from as good a source. Where several forms of a card system fit a header, "
    "the worst counts. Of ISO/IEC 7816's own class, what only reads or selects counts also where it is "
    "inferred or isn't there. Secure messaging isn't looked into and never counts.",
)

rule(
    "hardware.last-try",
    Basis.OURS,
    "caution: not every card has a PUK, and not everybody knows it",
    "No PIN, PUK or key is presented at its last try, nor where nobody knows its tries. The first command "
    "of a chain decides for all of it.",
)

rule(
    "hardware.asked-tries",
    Basis.CLIENT,
    "what client code sends to cards of these families, OpenSC first of all",
    "CardOS 5, Cosmo, AuthentIC, eID and IDClassic cards are asked for tries by VERIFY without data, "
    "which costs none there; also IDPrime. CardOS M4 isn't asked: no source says that it costs nothing.",
)

rule(
    "hardware.tries-not-taken",
    Basis.INFERRED,
    "the meanings of status words in ISO/IEC 7816-4; PC/SC part 10, 2.5.2",
    "A try is given back after success, after 6A88, 6D00, 6E00, 6A86 and 6A81, which come before a "
    "comparison, and after 6400 to 6403 of a PIN pad. After 63Cx and 6983 the card's number counts. After "
    "anything else, and where no answer came, the try is spent.",
)

rule(
    "hardware.credential-names",
    Basis.OURS,
    "ISO/IEC 7816-4 leaves it to the card where a reference leads",
    "A PIN is known by the number in P2 without the bit that says where it lies: PINs of one number in "
    "several DFs count as one. A PUK is known by its PIN's number, and what was spent of any PIN counts "
    "against it, since it may be one, and the other way round. Keys count together, since another command "
    "may choose which one is meant.",
)

rule(
    "hardware.ledger",
    Basis.OURS,
    "caution: cards such as CardOS M4 tell nobody",
    "A try is entered before the command goes out. Tries that somebody says are left mean those at the "
    "time when the ledger knew nothing of the card. A right PIN gives back its own try alone.",
)

rule(
    "hardware.expected-card",
    Basis.OURS,
    "ISO/IEC 7816-3 leaves it to makers what an ATR tells",
    "Without other word, a card of a model has the ATR with which that model is delivered. Another ATR, "
    "another serial number or none ends the run; so the card from the first command on is the card until "
    "the end.",
)

rule(
    "hardware.same-serial",
    Basis.INFERRED,
    "client code tells cards apart by it; no source says that it is unique",
    "The chip's serial number is what the middleware's driver of the card's family reads. It tells a card "
    "from all others of that family; the ledger goes by it alone.",
)

rule(
    "hardware.pin-pad-entry",
    Basis.INFERRED,
    "PC/SC part 10, 2.5",
    "A command that a PIN is entered into at the reader counts as one that presents it, whatever stands "
    "in it before. Of control codes, those that tell features and properties pass; any other unknown one "
    "is refused.",
)

rule(
    "hardware.logout",
    Basis.OURS,
    "ISO/IEC 7816-4: a reset ends the security status",
    "A card is reset where a login may be left that nobody has a use for: after a refusal, after an "
    "interrupt, and when the last program has gone. A reset, a reconnect with one, and a removal are "
    "taken to end it.",
)

rule(
    "hardware.account",
    Basis.OURS,
    "a card may have carried out what it did not answer",
    "A command that does more than read is in a card's account from before it is sent: without an answer "
    "it may have had its effect.",
)

rule(
    "hardware.module-guard",
    Basis.INFERRED,
    "PKCS#11 2.40, C_GetTokenInfo: CKF_USER_PIN_FINAL_TRY, CKF_SO_PIN_FINAL_TRY and the flags for locked "
    "PINs",
    "Of another library, five calls are looked at: C_Login, C_SetPIN, C_InitPIN, C_InitToken, "
    "C_DestroyObject. Tries go by the token's flags alone. That other calls spend none and destroy "
    "nothing is an assumption.",
)

rule(
    "hardware.untold-access",
    Basis.INFERRED,
    "no client is known to ask such cards for it; docs/card-commands.md",
    "What a card tells nobody isn't looked for: CardOS V4 the tries, CardOS V5 who may erase it, all "
    "cards which keys they hold. Scenarios that ask for it aren't run on such cards.",
)

rule(
    "hardware.locks",
    Basis.OURS,
    "PC/SC part 5: transactions, which Windows ends after some idle seconds",
    "A reader has one scenario at a time on a machine, by a file in /run/lock. Transactions span one "
    "step's own commands: other programs reach the card in between, and may change it.",
)

rule(
    "hardware.looks",
    Basis.OURS,
    "docs/physical-cards.md",
    "Cards are looked at by SELECT, READ BINARY, READ RECORD, GET DATA and DIRECTORY, and where that "
    "costs none, VERIFY without data. For evidence, a command of these that the guard would refuse is "
    "left out, and the card is taken not to tell what it asks for.",
)

rule(
    "hardware.evidence",
    Basis.OURS,
    "docs/physical-cards.md",
    "Evidence compares what is read without a login of the run. It holds hashes of whole contents only, "
    "and none of a content that holds a secret of the run of four bytes or more.",
)
