"""Cards that the key generation system has made, and processes that make them."""

from __future__ import annotations

import csv
import gc
import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import tracemalloc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, pkcs12

import cardtwin.cli
import cardtwin.source
from cardtwin.card import CardView, EmulatedCard, models
from cardtwin.card import image as images
from cardtwin.encoding.keys.private import RsaDecryptionKey
from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.keygeneration import CardFailedError, OrderRefusedError
from cardtwin.issuance.manager import NumberRange
from cardtwin.issuance.pinform import PinForm
from cardtwin.middleware import Installation, PersonalDesktopClient
from cardtwin.plan import SecretName
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.readers import ReaderManager
from cardtwin.source import SourceText
from cardtwin.targets.keygeneration import generate, order_for
from support.batch_program import SEED
from support.batches import CERTIFICATE, KEYS, contents, order_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.issuance.keygeneration import BatchOrder
    from cardtwin.plan import Secret

ROOTS = [str(Path(module.__path__[0]).parents[1]) for module in (cardtwin.cli, cardtwin.source)]
TESTS = Path(__file__).parents[2]
OPEN_PIN = """\
CardModel 'SIEMENS50'
PERSINFO_PUT_SEC(SEC_PIN1)
PERSINFO_ENCRYPT_SEC()
X_Pin PIN1 reference=1 label='PIN' min=4 max=8
MasterFile
CreateDf DFPKCS15 id=0x5015 maxsize=9000 update=always create=always \\
   aid=0x{A0 00 00 00 63 50 4B 43 53 2D 31 35}
CreateEf EFODF       id=0x5031 maxsize=auto read=always update=always
CreateEf EFTOKENINFO id=0x5032 maxsize=128  read=always update=pin1
CreateEf EFAODF      id=0x4481 maxsize=256  read=always update=always
CreateEf EFCDF1      id=0x4441 maxsize=300  read=always update=always
CreateEf EFCERT1     id=0x4541 maxsize=2000 read=always update=always
EndDF
Endfile
X_Token label='Token'
X_Certificate EFCERT1 id=0x{11} label='Certificate'
File Dynamic EFODF
data = X_ODF()
Endfile
File Dynamic EFTOKENINFO
data = X_TOKENINFO()
Endfile
File Dynamic EFAODF
data = X_AODF()
Endfile
File Dynamic EFCDF1
data = X_CDF()
Endfile
File Dynamic EFCERT1
data = PERSINFO_SEC()
Endfile
CreateFiles()
"""


def made(order: BatchOrder, path: Path, workers: int = 1) -> list[dict[str, Any]]:
    """Make a batch, and return its list."""
    for _ in generate(order, path, workers=workers):
        pass

    text = (path / "production.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@contextmanager
def inserted(path: Path) -> Iterator[PersonalDesktopClient]:
    """Put the card of an image into a reader."""
    image = images.load(path)
    manager = ReaderManager()
    manager.add_reader("R")
    manager.insert("R", EmulatedCard(models.get(image.model), image=image, entropy=SystemEntropy()))

    with manager.context() as context:
        yield PersonalDesktopClient(context, Installation(), entropy=SystemEntropy(), codec=CmsPinBlobCodec())


def decrypted(client: PersonalDesktopClient) -> Mapping[SecretName, Secret]:
    blob = client.encrypted_pins("R")
    assert blob is not None
    key, _, _ = pkcs12.load_key_and_certificates((KEYS / "pin-a.p12").read_bytes(), b"cardtwin")
    assert isinstance(key, RSAPrivateKey)
    return dict(CmsPinBlobCodec().decrypt(blob, [RsaDecryptionKey(key)]).secrets)


@pytest.mark.parametrize("model", ["cardos-5.3", "cosmo-8.2", "idclassic-340"])
def test_the_pins_on_each_card_are_its_own_and_what_is_encrypted_on_it(tmp_path: Path, model: str) -> None:
    found = []

    for record in made(order_of(model, count=3), tmp_path / "batch"):
        with inserted(tmp_path / "batch" / record["image"]) as client:
            pins = decrypted(client)
            client.verify_pin("R", pins[SecretName.PIN1])
            client.verify_pin("R", pins[SecretName.PUK1], pin="PUK")
            found.append(pins[SecretName.PIN1].reveal() + pins[SecretName.PUK1].reveal())

    assert len(set(found)) == 3


def test_the_list_tells_of_each_card_what_is_on_it(tmp_path: Path) -> None:
    order = order_of(count=3, seed="s", public_keys=True, label="Nr {index} {serial}")

    for place, record in enumerate(made(order, tmp_path / "batch")):
        path = tmp_path / "batch" / record["image"]
        image = images.load(path)
        serial = (int.from_bytes(order.first_serial) + place).to_bytes(8)
        assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert image.serial == serial == bytes.fromhex(record["serial"])
        assert record["iccsn"] == record["serial"]
        assert record["label"] == f"Nr {place + 1} {record['serial']}"
        assert (record["state"], record["fuse"]) == ("initialised", "intact")
        (key,) = CardView(image).keys.values()
        assert record["keys"][0]["fingerprint"] == hashlib.sha256(key.public).hexdigest()
        assert record["keys"][0]["public_key"] == key.public.hex()
        load_der_public_key(bytes.fromhex(record["keys"][0]["public_key"]))


def test_no_pin_is_in_the_list_or_the_order(tmp_path: Path) -> None:
    records = made(order_of(count=4, profile="prepersonalised", public_keys=False), tmp_path / "batch")
    told = b"".join(
        (tmp_path / "batch" / name).read_bytes()
        for name in ("batch.json", "production.csv", "production.jsonl")
    )

    for record in records:
        with inserted(tmp_path / "batch" / record["image"]) as client:
            pins = decrypted(client)
            assert len(pins) == 8
            # Six digits may stand in a fingerprint by chance; eight hardly ever do.
            assert [name for name, pin in pins.items() if len(pin) >= 8 and pin.reveal() in told] == []


def test_cards_go_by_the_numbers_of_a_range(tmp_path: Path) -> None:
    order = order_of("cosmo-8.2", count=3, numbers=NumberRange("0098", "0105"), label="Card {number}")
    records = made(order, tmp_path / "batch")
    assert [(record["iccsn"], record["label"]) for record in records] == [
        ("0098", "Card 0098"),
        ("0099", "Card 0099"),
        ("0100", "Card 0100"),
    ]

    with inserted(tmp_path / "batch" / records[2]["image"]) as client:
        assert client.card_number("R") == "0100"


def test_pins_that_the_profile_leaves_open_have_the_form_that_is_given(tmp_path: Path) -> None:
    order = order_for(
        "cardos-5.3",
        CERTIFICATE.read_bytes(),
        count=2,
        profile=SourceText("open.cpf", OPEN_PIN),
        pins={SecretName.PIN1: PinForm.parse("7 digits")},
        numbers=NumberRange("10", "19"),  # only the PIN lets them be written
    )
    records = made(order, tmp_path / "batch")
    assert [record["iccsn"] for record in records] == ["10", "11"]

    with inserted(tmp_path / "batch" / records[0]["image"]) as client:
        pin = decrypted(client)[SecretName.PIN1]
        assert len(pin) == 7
        assert pin.reveal().isdigit()
        client.verify_pin("R", pin)


def test_a_seed_makes_the_same_batch_again_and_no_seed_another(tmp_path: Path) -> None:
    for name, seed in (("one", "s"), ("two", "s"), ("three", None), ("four", None)):
        (tmp_path / name).mkdir()
        made(order_of(count=2, seed=seed), tmp_path / name / "batch")

    one, two, three, four = (contents(tmp_path / name / "batch") for name in ("one", "two", "three", "four"))
    assert one == two
    assert not set(three.values()) & set(four.values()) - {three["batch/batch.json"]}


def test_keys_are_of_the_pool_unless_fresh_ones_are_asked_for(tmp_path: Path) -> None:
    def fingerprints(name: str, **more: Any) -> set[str]:
        return {r["keys"][0]["fingerprint"] for r in made(order_of(count=3, **more), tmp_path / name)}

    pooled = set().union(*(fingerprints(f"pool-{seed}", seed=seed) for seed in "abcdefgh"))
    fresh = fingerprints("fresh", seed="a", fresh_keys=True)
    assert len(pooled) <= 8 < len(pooled | fresh | fingerprints("none")) == len(pooled) + 6


@pytest.mark.parametrize("name", ["batch", "batch.zip"])
def test_however_many_processes_make_it_the_batch_is_the_same(tmp_path: Path, name: str) -> None:
    for workers in (1, 3):
        (tmp_path / str(workers)).mkdir()

        for _ in generate(order_of(count=7, seed="w"), tmp_path / str(workers) / name, workers=workers):
            pass

    assert contents(tmp_path / "1" / name) == contents(tmp_path / "3" / name)


@pytest.mark.parametrize("workers", [1, 2])
def test_after_kill_9_the_batch_is_gone_on_with_to_the_same_end(tmp_path: Path, workers: int) -> None:
    count = 9
    program = subprocess.Popen(
        [sys.executable, "-m", "support.batch_program", str(tmp_path / "batch"), str(count), str(workers)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*ROOTS, str(TESTS)])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    lines = [program.stdout.readline().split() for _ in range(5)]
    ended = select.poll()

    for pid in lines[-1][1].split(",") if workers > 1 else ():
        ended.register(os.pidfd_open(int(pid)), select.POLLIN)

    program.kill()
    program.communicate()
    assert program.returncode == -signal.SIGKILL

    for _ in range(workers if workers > 1 else 0):
        ((descriptor, _),) = ended.poll(60_000)[:1]
        ended.unregister(descriptor)
        os.close(descriptor)

    assert len(list((tmp_path / "batch" / "cards").glob("*.image"))) >= 4
    assert not (tmp_path / "batch" / "production.jsonl").exists()
    steps = list(generate(order_of(count=count, seed=SEED), tmp_path / "batch", resume=True))
    assert 4 <= steps[0].done < count
    assert steps[-1].done == count
    (tmp_path / "whole").mkdir()
    made(order_of(count=count, seed=SEED), tmp_path / "whole" / "batch")
    assert contents(tmp_path / "batch") == contents(tmp_path / "whole" / "batch")


@pytest.mark.thorough
def test_the_memory_does_not_grow_with_the_batch(tmp_path: Path) -> None:
    kept = []
    tracemalloc.start()

    try:
        for step in generate(order_of(count=70, seed="m"), tmp_path / "batch"):
            if step.done in {20, 70}:
                gc.collect()
                kept.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()

    # The images of 50 cards have 1,500,000 bytes, their lines 25,000.
    assert kept[1] - kept[0] < 100_000


def test_a_profile_that_does_not_go_onto_the_card_leaves_nothing(tmp_path: Path) -> None:
    other = order_of("cosmo-8.2").profile
    order = order_for("cardos-5.3", CERTIFICATE.read_bytes(), count=2, profile=other)

    with pytest.raises(CardFailedError, match=r"card 1 of 2 \(serial [0-9A-F]+\): CKR_TOKEN_NOT_RECOGNIZED"):
        made(order, tmp_path / "batch")

    assert list(tmp_path.iterdir()) == []


def test_a_pin_that_the_profile_draws_itself_cannot_be_given_a_form(tmp_path: Path) -> None:
    order = order_of(count=1, pins={SecretName.PIN1: PinForm.parse("6 digits")})

    with pytest.raises(CardFailedError, match="SEC_PIN1"):
        made(order, tmp_path / "batch")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"count": 0}, "1 to 1000000 cards"),
        ({"fresh_keys": True}, "without a seed all keys are new"),
        ({"count": 3, "numbers": NumberRange("10", "11")}, "2 numbers in 10-11, too few for 3"),
        ({"numbers": NumberRange("11", "10")}, "From is more than To"),
        ({"label": "{name}"}, "not {name}"),
        ({"label": "x" * 17 + "{serial}"}, "33 bytes"),
        ({"first_serial": b"\xff" * 8, "count": 2}, "no 2 serial numbers of 8 bytes"),
        ({"first_serial": b"\1"}, "8 bytes, not 1"),
        ({"switches": {"nix": "x"}}, "no switch 'nix'"),
    ],
)
def test_an_order_that_contradicts_itself_is_refused(more: dict[str, Any], told: str) -> None:
    profile = order_of().profile

    with pytest.raises(OrderRefusedError, match=told):
        order_for("cardos-5.3", CERTIFICATE.read_bytes(), **{"profile": profile, "count": 1, **more})


def test_a_model_and_a_certificate_that_there_are_not_are_refused() -> None:
    profile = order_of().profile

    with pytest.raises(OrderRefusedError, match="nocard"):
        order_for("nocard", CERTIFICATE.read_bytes(), profile=profile, count=1)

    with pytest.raises(OrderRefusedError, match=r"no X\.509 certificate"):
        order_for("cardos-5.3", b"x", profile=profile, count=1)


def test_the_list_in_csv_says_what_the_one_in_json_says(tmp_path: Path) -> None:
    records = made(order_of(count=2, public_keys=True), tmp_path / "batch")

    with (tmp_path / "batch" / "production.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    for record, row in zip(records, rows, strict=True):
        key = record.pop("keys")[0]
        assert row.pop("keys") == f"{key['name']}={key['fingerprint']}"
        assert row.pop("public_keys") == f"{key['name']}={key['public_key']}"
        assert row == {name: str(value) for name, value in record.items()}
