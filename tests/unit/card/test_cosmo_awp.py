"""An AuthentIC V2 card on Cosmo 5, command by command."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card import CardView
from cardtwin.card.crypto import RsaPrivateKey
from cardtwin.card.image.codec import decode, encode
from cardtwin.entropy import SeededEntropy
from cardtwin.pcsc import CardMuteError
from cardtwin.targets.issuing import issue_awp
from support.cardbench import OK, CardBench, command, tlv

MODEL = "authentic-2"
AID = "A000000077010303000000F100000002"
CARD_MANAGER = command("00A4040C", "A0000000030000")
OPEN = "00" * 7 + "FF"
PIN_ONLY = "21" * 7 + "FF"
CODE = "6F47D9884B6F9DC57833798F5B7DE1A5"
DIGEST = bytes(range(32))
INFO = "3031300D060960864801650304020105000420" + DIGEST.hex()
BLANK = issue_awp(SeededEntropy("awp")).image


def pin(value: str) -> str:
    return value.encode().ljust(64, b"\xff").hex()


OFFICER = command("00200004", pin("12345678"))
USER = command("00200081", pin("1234"))
PUK = command("00200084", pin("87654321"))
DEFINE_USER = command("00240101", "0540" + pin("1234") + "0501" + CODE)
DEFINE_PUK = command("00240104", "0340" + pin("87654321"))
RESET = command("002C0001", CODE + pin("4321"))


def create(kind: str, file_id: str, size: int, conditions: str = OPEN) -> str:
    return command("00E00000", tlv("62", f"8202{kind}8302{file_id}8502{size:04X}{tlv('86', conditions)}"))


def create_df(file_id: str = "5011", conditions: str = "24FF00002400 24FF".replace(" ", "")) -> str:
    return create("3800", file_id, 0x28, conditions)


@pytest.fixture
def bench() -> CardBench:
    """An empty card."""
    return CardBench(MODEL, image=BLANK)


@pytest.fixture
def used(bench: CardBench) -> CardBench:
    """A card with DF 5011 and its user's PIN, and in it DF 9002, which is current; the PIN is verified."""
    bench.ok(OFFICER)
    bench.ok(create_df())
    bench.ok(DEFINE_USER)
    bench.ok(create("3800", "9002", 0x28, "21210000FFFFFFFF"))
    bench.ok(CARD_MANAGER)
    enter(bench)
    bench.ok(USER)
    return bench


def enter(bench: CardBench, *names: str) -> None:
    for name in ("3F00", "5011", "9002", *names):
        bench.ok(f"00A4000C02{name}")


def component(kind: str, value: bytes) -> str:
    return kind + f"{len(value):02X}" + value.hex() + "00"


def imported(bench: CardBench, key: RsaPrivateKey, file_id: str = "3001") -> None:
    bench.ok(create("1400", file_id, key.bits, PIN_ONLY))

    for number, value in enumerate((key.p, key.q, key.qinv, key.dp, key.dq), 1):
        bench.ok(command(f"80D8{number:02X}04", component("A3", value.to_bytes(key.size // 2))))


def verified(key: rsa.RSAPublicKey, signature: str) -> None:
    key.verify(bytes.fromhex(signature), DIGEST, padding.PKCS1v15(), Prehashed(SHA256()))


def own_key(bits: int = 1024) -> RsaPrivateKey:
    return RsaPrivateKey.generate(SeededEntropy(f"own {bits}"), bits)


def test_the_card_manager_is_left_for_the_application_with_no_pin_verified(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(CARD_MANAGER)
    assert bench.ok("80CA9F7F2D")[30:38] == bench.card.image.serial.hex().upper()
    bench.ok(command("00A4040C", AID))
    assert bench.send("00200004") == "63C3"
    assert bench.send(command("00A4040C", "A0000000030001")) == "6A82"


def test_files_are_created_by_the_officer_and_tell_what_they_were_given(bench: CardBench) -> None:
    assert bench.send(create_df()) == "6982"
    bench.ok(OFFICER)
    bench.ok(create_df())
    assert bench.ok("00A40000023F0000") == "6F168202380083023F0085020000860824FF0024FFFFFFFF"
    assert bench.ok("00A4000002501100") == "6F1682023800830250118502002886" + "08" + "24FF0000240024FF"
    bench.ok(create("0101", "1000", 36, "242400FFFFFFFFFF"))
    assert bench.ok("00A4000002100000") == "6F16820201018302100080020024" + "8608" + "242400FFFFFFFFFF"
    assert bench.send(create("0101", "1000", 36)) == "6A89"


@pytest.mark.parametrize("conditions", ["25" + "00" * 7, "60" + "00" * 7, "23" + "00" * 7, "00" * 7])
def test_conditions_that_the_card_can_t_follow_are_refused(bench: CardBench, conditions: str) -> None:
    bench.ok(OFFICER)
    assert bench.send(create("0101", "1000", 36, conditions)) == "6A80"


@pytest.mark.parametrize(
    ("kind", "size"), [("0101", 0), ("0201", 4), ("1100", 64), ("1400", 768), ("0401", 0), ("01", 4)]
)
def test_files_of_other_kinds_and_sizes_are_refused(bench: CardBench, kind: str, size: int) -> None:
    bench.ok(OFFICER)
    text = f"82{len(kind) // 2:02X}{kind}830210008502{size:04X}{tlv('86', OPEN)}"
    assert bench.send(command("00E00000", tlv("62", text))) == "6A80"


def test_records_are_appended_told_updated_and_deleted(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df(conditions="00" * 8))
    bench.ok(create("0401", "3000", 2))
    bench.ok(command("00E20000", "11" * 9))
    bench.ok(command("00E20000", "22" * 5))
    assert bench.send(command("00E20000", "33")) == "6A84"
    assert bench.ok("00A4000002300000").startswith("6F19820504010009028302300085020002")
    assert bench.ok("00B2020400") == "22" * 5
    bench.ok(command("00DC0204", "44" * 5))
    bench.ok("80320104")
    assert bench.ok("00B2010400") == "44" * 5
    assert bench.send("80320204") == "6A83"


def test_a_file_is_deleted_under_its_df_s_condition_and_a_df_when_it_is_empty(used: CardBench) -> None:
    used.ok(create("0101", "3100", 4, "21" * 4 + "FF" * 4))
    assert used.ok("8034000040") == "3100"
    used.ok("00A4030C")
    assert used.send("00E40100029002") == "6985"
    assert used.send("00E40200029002") == "6A82"
    enter(used)
    used.ok("00E40200023100")
    assert used.ok("8034000040") == ""
    used.ok("00A4030C")
    used.ok("00E40100029002")


def test_the_user_s_pin_is_defined_by_the_officer_alone(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df())
    bench.ok("802E0024")
    assert bench.send(DEFINE_USER) == "6982"
    bench.ok(OFFICER)
    bench.ok(DEFINE_USER)
    assert bench.send("00200081") == "63C5"


@pytest.mark.parametrize(
    ("reference", "data"),
    [("01", "0540" + "31" * 63), ("01", "0040" + "31" * 64), ("01", "053F" + "31" * 64),
     ("01", "0540" + "31" * 64 + "0502" + "00" * 32), ("01", "0540" + "31" * 64 + "0501" + "00" * 15),
     ("04", "0540" + "31" * 64 + "0501" + "00" * 16)],
)  # fmt: skip
def test_a_pin_of_another_form_is_not_defined(bench: CardBench, reference: str, data: str) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df())
    assert bench.send(command(f"002401{reference}", data)) == "6A80"
    assert bench.send(command("00240102", data)) == "6A88"


def test_a_pin_is_defined_anew_on_a_card_that_is_full(used: CardBench) -> None:
    image = used.card.image
    bench = CardBench(replace(used.card.model, memory=image.used), image=image)
    bench.ok(OFFICER)
    bench.ok("00A4000C025011")
    bench.ok(DEFINE_USER)
    assert bench.send(DEFINE_PUK) == "6A84"


def test_the_user_s_pin_is_found_from_below_and_changed_by_whoever_knows_it(used: CardBench) -> None:
    assert used.send("00200081") == OK
    used.ok(command("00240001", pin("1234") + pin("5678")))
    assert used.send(USER) == "63C4"
    used.ok(command("00200081", pin("5678")))
    assert used.send("00200001") == "6A88"


def test_a_blocked_pin_is_reset_by_the_officer_and_the_code(used: CardBench) -> None:
    wrong = command("00200081", pin("0000"))
    assert [used.send(wrong) for _ in range(6)] == ["63C4", "63C3", "63C2", "63C1", "63C0", "6983"]
    assert used.send(RESET) == "6982"
    used.ok(command("00200084", pin("12345678")))
    assert used.send(command("002C0001", "00" * 16 + pin("4321"))) == "63C4"
    used.ok(RESET)
    used.ok(command("00200081", pin("4321")))


@pytest.mark.parametrize("order", [[DEFINE_PUK, DEFINE_USER], [DEFINE_USER, DEFINE_PUK]])
def test_a_puk_of_the_df_takes_the_officer_s_place(bench: CardBench, order: list[str]) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df())

    for text in order:
        bench.ok(text)

    assert bench.send(RESET) == "6982"
    assert bench.send(command("00200084", pin("12345678"))) == "63C2"
    bench.ok(PUK)
    bench.ok(RESET)
    assert bench.send("00200004") == OK


def test_logging_out_forgets_one_pin(used: CardBench) -> None:
    used.ok(OFFICER)
    used.ok("802E0021")
    assert used.send("00200081") == "63C5"
    assert used.send("00200004") == OK
    used.ok("802E0024")
    assert used.send("00200004") == "63C3"
    assert used.send("802E0004") == used.send("802E0023") == "6A88"


@pytest.mark.parametrize("bits", [512, 1024, 2048])
def test_a_pair_is_generated_and_its_public_half_told(used: CardBench, bits: int) -> None:
    used.ok(create("1400", "3000", bits, PIN_ONLY))
    used.ok(create("1200", "1012", bits, PIN_ONLY))
    assert used.send("80B4010000") == "6A88"
    used.ok(command("00460000", "10123000", "00"))
    used.ok("00A4000C021012")
    told = used.send("80B4010000")
    modulus, exponent = int(told[:-4], 16), int(used.ok("80B4020000"), 16)
    assert (modulus.bit_length(), exponent) == (bits, 65537)
    used.ok("00A4000C023000")
    used.ok("002241B603800111")
    verified(rsa.RSAPublicNumbers(exponent, modulus).public_key(), used.ok(command("002A9E9A", INFO, "00")))


def test_generation_needs_the_pin_and_two_files_of_one_size(used: CardBench) -> None:
    used.ok(create("1400", "3000", 1024, PIN_ONLY))
    used.ok(create("1200", "1012", 512, PIN_ONLY))
    used.ok(create("1200", "1013", 1024, PIN_ONLY))
    assert used.send(command("00460000", "10123000")) == "6A80"
    assert used.send(command("00460000", "30001013")) == "6981"
    assert used.send(command("00460000", "10133001")) == "6A82"
    used.ok("802E0021")
    assert used.send(command("00460000", "10133000")) == "6982"


def test_an_imported_key_signs_and_deciphers_under_the_pin(used: CardBench) -> None:
    key = own_key()
    imported(used, key)
    public = key.public.to_cryptography()
    used.ok("002241B603800111")
    used.ok("002241B803800111")
    verified(public, used.ok(command("002A9E9A", INFO, "80")))
    secret = public.encrypt(b"for the card alone", padding.PKCS1v15()).hex()
    assert used.ok(command("002A8086", secret, "80")) == b"for the card alone".hex().upper()
    used.ok("802E0021")
    assert used.send(command("002A9E9A", INFO, "80")) == "6982"
    assert used.send(command("002A8086", secret, "80")) == "6982"


def test_a_long_cryptogram_comes_in_two_pieces(used: CardBench) -> None:
    key = own_key(2048)
    imported(used, key)
    used.ok("002241B803800111")
    secret = key.public.to_cryptography().encrypt(b"for the card alone", padding.PKCS1v15()).hex()
    used.ok(command("102A8086", secret[:16], "00"))
    assert used.ok(command("002A8086", secret[16:], "F8")) == b"for the card alone".hex().upper()


def test_a_long_modulus_comes_in_two_pieces(used: CardBench) -> None:
    modulus = own_key(2048).n.to_bytes(256)
    used.ok(create("1200", "1001", 2048, PIN_ONLY))
    used.ok(command("90D80104", component("A1", modulus[:0x20])))
    used.ok(command("80D80104", component("A1", modulus[0x20:])))
    used.ok(command("80D80204", component("A1", b"\x01\x00\x01")))
    assert used.ok("80B4010000") == modulus.hex().upper()
    assert used.ok("80B4020000") == "010001"
    used.ok(command("90D80104", component("A1", modulus[:0x20])))
    used.ok(command("80D80204", component("A1", b"\x03")))
    assert used.ok("80B4020000") == "03"


@pytest.mark.parametrize(
    ("header", "data", "status"),
    [("80D80104", "A301FF00", "6981"), ("80D80304", "A101FF00", "6A86"), ("80D80104", "A102FF00", "6A80"),
     ("80D80104", "A101FF01", "6A80"), ("80D80104", "A541" + "FF" * 65 + "00", "6A80"),
     ("80D80104", "A141" + "FF" * 65 + "00", "6A80")],
)  # fmt: skip
def test_components_of_another_form_are_refused(used: CardBench, header: str, data: str, status: str) -> None:
    used.ok(create("1200", "1001", 512, PIN_ONLY))
    assert used.send(command(header, data)) == status


def test_a_key_without_value_or_of_another_kind_is_not_used(used: CardBench) -> None:
    assert used.send("002241B603800111") == "6986"
    used.ok(create("1200", "1001", 1024, PIN_ONLY))
    assert used.send("002241B603800111") == "6981"
    used.ok(create("1400", "3001", 1024, PIN_ONLY))
    assert used.send("002241B603800112") == "6A80"
    used.ok("002241B603800111")
    assert used.send(command("002A9E9A", INFO, "80")) == "6984"
    assert used.send(command("002A9E9A", "11" * 97, "80")) == "6700"
    assert used.send("00B0000004") == used.send("00D600000100") == "6981"


def test_a_key_goes_with_its_file(used: CardBench) -> None:
    imported(used, own_key())
    assert CardView(used.card.image).keys["3F00/5011/9002", 0x3001].kind == "RSA-1024"
    used.ok("00E40200023001")
    assert not CardView(used.card.image).keys
    used.ok(create("1400", "3001", 1024, PIN_ONLY))
    used.ok("002241B603800111")
    assert used.send(command("002A9E9A", INFO, "80")) == "6984"


def test_keys_are_made_only_where_the_df_lets_them_be(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df())
    assert bench.send(create("1400", "3001", 1024)) == "6982"


NAMES = st.sampled_from(["3F00", "5011", "9002", "1000", "3001", "1012", "FFFF"])
KINDS = st.sampled_from(["3800", "0101", "0401", "1200", "1400"])
LIKELY = st.one_of(
    st.sampled_from([OFFICER, USER, DEFINE_USER, DEFINE_PUK, RESET, CARD_MANAGER, "8034000040", "00A4030C"]),
    NAMES.map(lambda name: f"00A4000C02{name}"),
    st.builds(create, KINDS, NAMES, st.sampled_from([4, 512])),
    st.builds(lambda p1, name: f"00E4{p1}0002{name}", st.sampled_from(["01", "02"]), NAMES),
    st.sampled_from(["80B4010000", "002241B603800111", command("00460000", "10123001"), "80320104"]),
    st.sampled_from([command("80D80104", "A301FF00"), command("90D80104", "A101FF00"), "00E2000002CAFE"]),
    st.binary(max_size=20).map(lambda data: "00" + data.hex()),
)  # fmt: skip


@given(st.lists(LIKELY, max_size=25))
def test_any_sequence_of_commands_is_answered_and_leaves_a_memory_that_can_be(commands: list[str]) -> None:
    bench = CardBench(MODEL, image=BLANK)

    for text in commands:
        assert len(bench.send(text)) >= 4

    image = bench.card.image
    assert decode(encode(image)) == image
    assert 0 <= image.used <= bench.card.model.memory


def test_each_condition_of_a_df_is_for_its_own_operation(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df("6000", "000024240000" + "00FF"))
    bench.ok("802E0024")
    bench.ok(create("0101", "6001", 4))
    assert bench.send("8034000040") == bench.send("00E40200026001") == "6982"
    bench.ok(OFFICER)
    assert bench.ok("8034000040") == "6001"
    bench.ok("00E40200026001")


def test_a_df_that_says_never_is_not_deleted_by_whom_its_parent_lets(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df("6000", "000000FF000000FF"))
    bench.ok("00A4030C")
    assert bench.send("00E40100026000") == "6982"


def test_a_record_is_deleted_where_its_file_lets_it(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df(conditions="00" * 8))
    bench.ok(create("0401", "3000", 2, "000000FFFFFFFFFF"))
    bench.ok("00E2000001CA")
    assert bench.send("80320104") == "6982"
    assert bench.ok("00B2010400") == "CA"


def test_each_condition_of_a_key_is_for_its_own_operation(used: CardBench) -> None:
    key = own_key()
    used.ok(create("1400", "3001", 1024, "21FFFF00FFFFFFFF"))
    bare = command("80D80104", component("A3", key.p.to_bytes(64)))
    used.ok(bare)

    for number, value in enumerate((key.q, key.qinv, key.dp, key.dq), 2):
        used.ok(command(f"80D8{number:02X}04", component("A3", value.to_bytes(64))))

    used.ok("802E0021")
    assert used.send(bare) == "6982"
    used.ok("002241B603800111")
    used.ok("002241B803800111")
    verified(key.public.to_cryptography(), used.ok(command("002A9E9A", INFO, "80")))
    assert used.send(command("002A8086", "00" * 128, "80")) == "6982"


@pytest.mark.parametrize(("df", "key"), [("24", "00"), ("00", "24")])
def test_generation_needs_the_condition_of_the_df_and_those_of_the_keys(
    bench: CardBench, df: str, key: str
) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df("6000", f"00{df}0000000000FF"))
    bench.ok(create("1400", "3000", 512, key + "00" * 7))
    bench.ok(create("1200", "1012", 512, "00" * 8))
    bench.ok("802E0024")
    assert bench.send(command("00460000", "10123000")) == "6982"
    bench.ok(OFFICER)
    bench.ok(command("00460000", "10123000"))


def test_the_beginning_of_a_component_serves_once(used: CardBench) -> None:
    used.ok(create("1200", "1001", 512, PIN_ONLY))
    used.ok(command("90D80104", component("A1", b"\xaa" * 32)))
    used.ok(command("80D80104", component("A1", b"\xbb" * 32)))
    assert used.ok("80B4010000") == "AA" * 32 + "BB" * 32
    used.ok(command("80D80104", component("A1", b"\xcc" * 32)))
    assert used.ok("80B4010000") == "CC" * 32


def test_the_beginning_of_a_private_key_s_component_is_no_public_one_s(used: CardBench) -> None:
    used.ok(create("1200", "1001", 512, PIN_ONLY))
    used.ok(command("90D80104", component("A3", b"\xaa" * 32)))
    used.ok(command("80D80104", component("A1", b"\xbb" * 32)))
    assert used.ok("80B4010000") == "BB" * 32


def test_a_file_that_was_not_created_is_not_current(bench: CardBench) -> None:
    bench.ok(OFFICER)
    assert bench.send(create("1200", "1001", 512)) == "6982"
    assert bench.send("80B4010000") == "6986"


@pytest.mark.parametrize("file_id", ["3001", "0A01", "0001", "00FF"])
def test_a_key_is_kept_under_its_file_s_identifier(used: CardBench, file_id: str) -> None:
    key = own_key()
    imported(used, key, file_id)
    again = CardBench(MODEL, image=decode(encode(used.card.image)))
    assert again.card.image == used.card.image
    enter(again, file_id)
    again.ok(USER)
    again.ok("002241B603800111")
    verified(key.public.to_cryptography(), again.ok(command("002A9E9A", INFO, "80")))


BEGINNINGS = {"1400": command("80D80104", "A3010300"), "1200": command("80D80104", "A1010300")}


@pytest.mark.parametrize("kind", BEGINNINGS)
@pytest.mark.parametrize("written", range(7))
def test_wherever_the_power_goes_a_key_s_file_has_its_key(used: CardBench, kind: str, written: int) -> None:
    text = create(kind, "3001", 1024, "00" * 8)
    torn(used, text, written)
    enter(used)
    used.ok(USER)
    assert used.send(text) in {OK, "6A89"}
    enter(used, "3001")
    used.ok(BEGINNINGS[kind])


@pytest.mark.parametrize("kind", BEGINNINGS)
@pytest.mark.parametrize("written", range(7))
def test_wherever_the_power_goes_a_key_is_not_gone_before_its_file(
    used: CardBench, kind: str, written: int
) -> None:
    used.ok(create(kind, "3001", 1024, "00" * 8))
    torn(used, "00E40200023001", written)
    enter(used)
    there = used.send("00A4000C023001") == OK
    assert there == (not written)
    assert used.send(BEGINNINGS[kind]) == (OK if there else "6986")


def torn(bench: CardBench, text: str, written: int) -> None:
    bench.card.cut_power_after(written)

    with suppress(CardMuteError):
        bench.send(text)

    bench.card.cut_power_after(None)
    bench.reset()
