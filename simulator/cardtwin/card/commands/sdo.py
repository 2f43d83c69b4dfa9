"""Security data objects of IAS-ECC: GET DATA and PUT DATA with P1-P2 3FFF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cardtwin.card.chip.iasecc import PUBLIC_CLASS, KeyOperation, SdoClass, memory_class, sdo_rules
from cardtwin.card.commands import sdo_writes
from cardtwin.card.commands.iasecc_files import change_rules
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import ObjectKey
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.card.memory import SecurityObject
    from cardtwin.iso7816 import CommandApdu

__all__ = ["get_data", "put_data"]

_HEADER: Final = 0xBF
_TEMPLATE: Final = 0x70
_EXTENDED_LIST: Final = 0x4D
_FILE: Final = 0x62
_ALL: Final = b"\x80"
_EVERYTHING: Final = b"\x5c\x00"
_FILE_REFERENCE: Final = 0x51
_PARAMETERS: Final = 0xA0
_VALUES: Final = {SdoClass.PIN: 0x7F41, SdoClass.PRIVATE_KEY: 0x7F48, SdoClass.PUBLIC_KEY: 0x7F49}
_PIN_GET: Final = 4


class _Address(NamedTuple):
    """An SDO's class and number, as the tag ``BF 80|class number`` says them."""

    class_: SdoClass
    number: int

    @property
    def tag(self) -> int:
        return _HEADER << 16 | (self.class_ | 0x80) << 8 | self.number

    def find(self, chip: Chip) -> ObjectKey | None:
        """Return the SDO's key from the current DF upwards; a security environment is never found."""
        if self.class_ is SdoClass.ENVIRONMENT:
            return None

        return chip.image.find_object(chip.session.df, memory_class(self.class_), self.number)


def _address(tag: int) -> _Address:
    header, class_, number = tag >> 16, tag >> 8 & 0xFF, tag & 0xFF

    if header != _HEADER or not class_ & 0x80 or not 1 <= number <= 0x1F:
        raise Refusal(StatusWord.WRONG_DATA)

    try:
        return _Address(SdoClass(class_ & 0x7F), number)
    except ValueError:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND) from None


def get_data(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Tell control parameters or values of an SDO: ``4D {70 {BF class number {A0 80}}}``.

    The values of a private key are asked for as others are, and answered 6A80: it has none to tell. With an
    empty tag list (``5C 00``) the files of the current DF are told, each by its reference (51).
    """
    if apdu.data == _EVERYTHING:
        files = (Tlv(_FILE_REFERENCE, path[-2:]).encode() for path in chip.image.children(chip.session.df))
        return b"".join(files), StatusWord.SUCCESS, ()

    address, asked = _request(apdu.data)
    key = address.find(chip)

    if key is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    if asked == _PARAMETERS:
        told = _parameters(chip, key)
    elif asked == _VALUES[address.class_] and address.class_ is not SdoClass.PRIVATE_KEY:
        told = _values(chip, key)
    else:
        raise Refusal(StatusWord.WRONG_DATA)

    answer = Tlv.constructed(_TEMPLATE, (Tlv.constructed(address.tag, (told,)),))
    return answer.encode(), StatusWord.SUCCESS, ()


def _request(data: bytes) -> tuple[_Address, int]:
    try:
        outer = Tlv.parse(data)
        template = Tlv.parse(outer.value)
        sdo = Tlv.parse(template.value)
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    if outer.tag != _EXTENDED_LIST or template.tag != _TEMPLATE or sdo.value[-1:] != _ALL:
        raise Refusal(StatusWord.WRONG_DATA)

    return _address(sdo.tag), int.from_bytes(sdo.value[:-1])


def _parameters(chip: Chip, key: ObjectKey) -> Tlv:
    found = chip.object(key)

    if key.class_ == memory_class(SdoClass.PIN):
        tries = (Tlv(0x9A, bytes((found.max_tries,))), Tlv(0x9B, bytes((found.tries_left,))))
        return Tlv.constructed(_PARAMETERS, (*tries, sdo_rules(key, found.access)))

    size = Tlv(0x80, _key_size(chip, key, found).to_bytes(2))
    return Tlv.constructed(_PARAMETERS, (size, sdo_rules(key, found.access)))


def _key_size(chip: Chip, key: ObjectKey, found: SecurityObject) -> int:
    """Return the length of a key's modulus; without value a public key's is that of its private half."""
    if key.class_ != PUBLIC_CLASS:
        return 2 * len(found.body)

    modulus = sdo_writes.public_values(found).get(0x81, b"")
    private = chip.image.objects.get(ObjectKey(key.df, memory_class(SdoClass.PRIVATE_KEY), key.id))
    return len(modulus) or (2 * len(private.body) if private else 0)


def _values(chip: Chip, key: ObjectKey) -> Tlv:
    found = chip.object(key)

    if key.class_ == PUBLIC_CLASS:
        chip.require(key.df, found.condition(KeyOperation.GET))
        return Tlv.parse(found.body)

    chip.require(key.df, found.condition(_PIN_GET))
    lengths = (Tlv(0x80, bytes((len(found.body),))), Tlv(0x81, bytes((found.min_length,))))
    return Tlv.constructed(_VALUES[SdoClass.PIN], lengths)


def put_data(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Create, change or delete an SDO: ``70 {BF class number {...}}``; or give the current file other rules.

    With control parameters (A0) the SDO is created in the current DF, with values alone it is changed, and
    empty it is deleted.
    """
    try:
        template = Tlv.parse(apdu.data)

        if template.tag == _FILE:
            return change_rules(chip, template)

        sdo = Tlv.parse(template.value)
        objects = {found.tag: found for found in sdo.children()}

        if template.tag != _TEMPLATE or len(objects) < len(sdo.children()):
            raise Refusal(StatusWord.WRONG_DATA)

        return _put(chip, _address(sdo.tag), objects)
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None


def _put(chip: Chip, address: _Address, objects: dict[int, Tlv]) -> Outcome:
    key = address.find(chip)

    if address.class_ is SdoClass.ENVIRONMENT or objects.keys() - {_PARAMETERS, _VALUES[address.class_]}:
        raise Refusal(StatusWord.WRONG_DATA)

    values = objects.get(_VALUES[address.class_])

    if _PARAMETERS in objects:
        at = ObjectKey(chip.session.df, memory_class(address.class_), address.number)
        return sdo_writes.create(chip, address.class_, at, objects[_PARAMETERS], values)

    if key is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    return sdo_writes.delete(chip, key) if values is None else sdo_writes.change(chip, key, values)
