"""Takes over what may be read of a card: by reading commands alone, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cardtwin.card import CardImage, EmulatedCard, ImageError, models
from cardtwin.card.image.codec import decode as decode_image
from cardtwin.card.image.codec import encode as encode_image
from cardtwin.card.memory import MF, LifeCycle, StartKey, path_text
from cardtwin.card.memory.lifecycle import LIVING
from cardtwin.decode import decode
from cardtwin.entropy import SystemEntropy
from cardtwin.events import because
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError
from cardtwin.middleware import MiddlewareError
from cardtwin.middleware.drivers import DataObjectDriver, driver_for
from cardtwin.pcsc import NoSmartCardError, PcscError, Protocol, UnknownReaderError, exchange
from cardtwin.targets.errors import TargetError
from cardtwin.targets.looking import READING
from cardtwin.targets.takeover.channel import ReadingChannel
from cardtwin.targets.takeover.dataobjects import models_for, told_objects
from cardtwin.targets.takeover.files import FileWalk
from cardtwin.targets.takeover.memory import credentials, file_of, key_object, keys_of
from cardtwin.targets.takeover.taken import Difference, KeyTaken, TakenCard
from cardtwin.targets.takeover.tokens import TokenObjects, token_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cardtwin import pkcs15
    from cardtwin.card import CardModel
    from cardtwin.card.memory import File, ObjectKey
    from cardtwin.iso7816 import CommandApdu, ResponseApdu
    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.pcsc import Context
    from cardtwin.targets.takeover.channel import Heard

__all__ = ["choose_reader", "take_over"]

_PRODUCT, _CHIP, _VERSION, _PHASE, _PACKAGES, _KEYS = 0x80, 0x81, 0x82, 0x83, 0x88, 0x96
_TOLD: Final = (_PRODUCT, _CHIP, _VERSION, _PHASE, 0x86, _PACKAGES, 0x89, 0x8B, 0x8D, _KEYS)
"""What GET DATA is asked. What changes by itself, such as the free heap, is left out."""

_DEFAULT_START_KEY: Final = 0xFF
_SHOWN: Final = frozenset({0xA4, 0xCA, 0x16})
"""SELECT, GET DATA and DIRECTORY: what these are answered is no content of a file."""


def choose_reader(context: Context, name: str | None, remedy: str = "say which one") -> str:
    """Return the reader of that name; without a name the only one there is.

    Args:
        context: The readers.
        name: The name, or None.
        remedy: How a caller's user names one of several, in a few words.

    Raises:
        TargetError: There is none of that name, none at all, or more than one and no name.
    """
    readers = context.readers()
    listed = ", ".join(repr(reader) for reader in readers)

    if not readers:
        raise TargetError("there are no readers")

    if name is None and len(readers) > 1:
        raise TargetError(f"there are several readers; {remedy}: {listed}")

    if name is not None and name not in readers:
        raise TargetError(f"there is no reader {name!r}, only {listed}")

    return name or readers[0]


def take_over(
    context: Context,
    reader: str,
    *,
    ask_tries: bool = False,
    may_send: Callable[[bytes], bool] = lambda _command: True,
) -> TakenCard:
    """Read the card in a reader. Nothing on it is changed, and no PIN is verified.

    Args:
        context: The readers.
        reader: The reader's name.
        ask_tries: Whether to ask PINs for their tries by VERIFY without data, where the card system has that.
        may_send: Whether a reading command may be sent. Of what isn't, the card is taken not to tell it.

    Raises:
        TargetError: There is no card in the reader, no model is like it, or it can't be spoken to.
    """
    try:
        with because(READING), context.connect(reader) as connection, connection.transaction():
            channel = ReadingChannel(connection, ask_tries=ask_tries, may_send=may_send)
            return _Reading(reader, channel, connection.protocol, asks=ask_tries).taken()
    except NoSmartCardError:
        raise TargetError(f"there is no card in the reader {reader!r}") from None
    except UnknownReaderError:
        raise TargetError(f"there is no reader {reader!r}") from None
    except PcscError as error:
        raise TargetError(f"the card in {reader!r} can't be spoken to: {error}") from error
    except MiddlewareError as error:
        raise TargetError(f"the card in {reader!r}: {error.message}") from error
    except ImageError as error:
        raise TargetError(f"what is on the card in {reader!r} makes no card image: {error}") from error


@dataclass(slots=True)
class _Reading:
    """One card, while it is read."""

    reader: str
    channel: ReadingChannel
    protocol: Protocol
    asks: bool

    def taken(self) -> TakenCard:
        driver = driver_for(self.channel)
        models_, blank = self._card_like(driver)
        walk, token = FileWalk(driver), TokenObjects()

        if blank.life_cycle in LIVING:
            walk.visit(MF)
            token = token_objects(driver, walk)

        told = dict(told_objects(driver, walk.found)) if isinstance(driver, DataObjectDriver) else {}
        tests = tuple(credentials(walk.found, token, told, lambda df, id_: self._tries(driver, df, id_)))
        keys = dict(keys_of(walk.found, token, told))
        files, omitted = _files(walk)
        objects = {test.key: test.object() for test in tests}
        objects |= {place: key_object(key, token) for place, key in keys.items()}
        image = replace(blank, files=files, objects=objects | told)
        model, image, differences = _closest(models_, image, self.channel.heard)
        return TakenCard(
            reader=self.reader,
            protocol=self.protocol,
            model=model,
            image=image,
            files=walk.found,
            omitted=omitted,
            unlisted=tuple(walk.unlisted),
            credentials=tests,
            keys=tuple(_key_taken(place, key) for place, key in keys.items()),
            differences=differences,
        )

    def _card_like(self, driver: CardDriver) -> tuple[tuple[CardModel, ...], CardImage]:
        """Return the models that the card may be of, and an image with neither files nor objects."""
        atr = self.channel.atr

        if isinstance(driver, DataObjectDriver):
            found = models_for(driver, atr)
            phase = LifeCycle.ADMINISTRATION  # there is no other, and nothing tells of one
            return found, CardImage(found[0].name, driver.chip_serial(), atr, phase)

        told = dict(self._told())
        model = _model(told, atr)
        return (model,), _blank(model, driver, told, atr)

    def _told(self) -> Iterator[tuple[int, bytes]]:
        for tag in _TOLD:
            response = self.channel.ask(f"00CA01{tag:02X}", le=256)

            if response.sw == StatusWord.SUCCESS:
                yield tag, response.data

    def _tries(self, driver: CardDriver, df: bytes, reference: int) -> int | None:
        if not self.asks:
            return None

        driver.enter(tuple(int.from_bytes(df[at : at + 2]) for at in range(0, len(df), 2)))
        return driver.tries_left(reference)


def _model(told: Mapping[int, bytes], atr: bytes) -> CardModel:
    """Return the model of the card's version; of several, the one of its product text, then of its ATR."""
    version, product = told.get(_VERSION, b""), told.get(_PRODUCT, b"").rstrip(b"\0")
    found = [model for model in map(models.get, models.names()) if model.version == version]

    if not found:
        raise TargetError(
            f"there is no card model for {product.decode('ascii', 'replace')!r}, version word "
            f"{version.hex().upper()}, only for {', '.join(models.names())}"
        )

    return max(found, key=lambda model: (model.product.encode() == product, model.atr == atr))


def _blank(model: CardModel, driver: CardDriver, told: Mapping[int, bytes], atr: bytes) -> CardImage:
    """Return an image with what GET DATA tells, and neither files nor objects."""
    try:
        life_cycle = LifeCycle(told[_PHASE][0])
        packages = tuple(package.encode() for package in Tlv.parse_all(told.get(_PACKAGES, b"")))
    except (KeyError, IndexError, ValueError, TlvFormatError):
        raise TargetError("the card tells no phase of life, or no packages, that are known here") from None

    serial = driver.chip_serial()
    return CardImage(
        model.name, serial, atr, life_cycle, start_key=_start_key(told.get(_KEYS, b"")), packages=packages
    )


def _start_key(told: bytes) -> StartKey:
    """Return the StartKey: its version and tries are told; its value is known of the public one only."""
    version, tries = (told[2], told[3]) if len(told) >= 4 else (0, 0)
    public = version == _DEFAULT_START_KEY
    return StartKey(version=version, tries_left=tries) if public else StartKey(b"", version, tries)


def _files(walk: FileWalk) -> tuple[dict[bytes, File], dict[bytes, str]]:
    """Return the files for the image, and why others aren't among them."""
    files: dict[bytes, File] = {}
    omitted = dict(walk.unreachable)

    for path, found in walk.found.items():
        file = file_of(found)

        if file is None:
            omitted[path] = (
                f"its kind is not known: {(found.control.get(0x82) or b'').hex().upper() or 'none'}"
            )
        else:
            files[path] = file

    return files, omitted


def _checked(image: CardImage) -> CardImage:
    """Return the image as it would come out of a file. Raises ImageError where it wouldn't."""
    return decode_image(encode_image(image))


def _key_taken(place: ObjectKey, key: pkcs15.PrivateKey) -> KeyTaken:
    kind = f"{key.algorithm.name} {key.size or ''}".strip()
    return KeyTaken(path_text(place.df), place.id, kind, key.label)


def _closest(
    found: Sequence[CardModel], image: CardImage, heard: Sequence[Heard]
) -> tuple[CardModel, CardImage, tuple[Difference, ...]]:
    """Return the model whose copy answers most as the card did, the image of that model, what differs."""
    images = [_checked(replace(image, model=model.name)) for model in found]
    compared = [
        (model, each, tuple(_differences(model, each, heard)))
        for model, each in zip(found, images, strict=True)
    ]
    return min(compared, key=lambda pair: len(pair[2]))


def _differences(model: CardModel, image: CardImage, heard: Sequence[Heard]) -> Iterator[Difference]:
    """Say all commands again to the copy, and yield what it answers otherwise."""
    copy = EmulatedCard(model, image=image, entropy=SystemEntropy())
    copy.power_on(Protocol.ANY)

    for command, response in heard:
        told = exchange(copy.process, command)

        if told != response:
            yield _difference(command, response, told)


def _difference(command: CommandApdu, card: ResponseApdu, copy: ResponseApdu) -> Difference:
    """Return a difference; what files contain is not told."""
    name = decode(command.encode())
    responses = (card, copy)

    if command.ins in _SHOWN:
        answers = tuple(f"{each.data.hex().upper()} {each.sw:04X}".strip() for each in responses)
    else:
        answers = tuple(f"{len(each.data)} bytes, {each.sw:04X}" for each in responses)

    return Difference(f"{name.name}, {name.parameters}", *answers)
