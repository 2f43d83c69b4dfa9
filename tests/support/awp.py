"""Commands to an AuthentIC V2 card on Cosmo 5."""

from __future__ import annotations

from cardtwin.entropy import SeededEntropy
from cardtwin.targets.issuing import issue_awp
from support.cardbench import CardBench, command, tlv

MODEL = "authentic-2"
CARD_MANAGER = command("00A4040C", "A0000000030000")
OPEN = "00" * 7 + "FF"
CODE = "6F47D9884B6F9DC57833798F5B7DE1A5"
BLANK = issue_awp(SeededEntropy("awp")).image


def pin(value: str) -> str:
    return value.encode().ljust(64, b"\xff").hex()


OFFICER = command("00200004", pin("12345678"))
USER = command("00200081", pin("1234"))
DEFINE_USER = command("00240101", "0540" + pin("1234") + "0501" + CODE)


def create(kind: str, file_id: str, size: int, conditions: str = OPEN) -> str:
    return command("00E00000", tlv("62", f"8202{kind}8302{file_id}8502{size:04X}{tlv('86', conditions)}"))


def create_df(file_id: str = "5011", conditions: str = "24FF00002400 24FF".replace(" ", "")) -> str:
    return create("3800", file_id, 0x28, conditions)


def enter(bench: CardBench, *names: str) -> None:
    for name in ("3F00", "5011", "9002", *names):
        bench.ok(f"00A4000C02{name}")


def taken_into_use(bench: CardBench) -> CardBench:
    """Make DF 5011 with its user's PIN, and in it DF 9002, which is current; the PIN is verified."""
    bench.ok(OFFICER)
    bench.ok(create_df())
    bench.ok(DEFINE_USER)
    bench.ok(create("3800", "9002", 0x28, "21210000FFFFFFFF"))
    bench.ok(CARD_MANAGER)
    enter(bench)
    bench.ok(USER)
    return bench
