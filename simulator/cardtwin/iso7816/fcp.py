"""File control parameters (ISO/IEC 7816-4:2020, 7.4.3)."""

from __future__ import annotations

from dataclasses import dataclass

from cardtwin.iso7816.tlv import Tlv, TlvFormatError

__all__ = ["FileControl"]

_TEMPLATES = {0x62, 0x64, 0x6F}


@dataclass(frozen=True, slots=True)
class FileControl:
    """A template of control parameters: 62 (FCP), 64 (FMD) or 6F (FCI), and its data objects in order.

    A card system gives further objects a meaning; here are only the ones that the standard fixes.
    """

    template: int
    objects: tuple[Tlv, ...]

    @classmethod
    def parse(cls, data: bytes) -> FileControl:
        """Read a template.

        Raises:
            TlvFormatError: It is none, or its objects are broken.
        """
        outer = Tlv.parse(data)

        if outer.tag not in _TEMPLATES:
            raise TlvFormatError(f"tag {outer.tag:02X} is no template of control parameters (62, 64, 6F)")

        return cls(outer.tag, outer.children())

    def encode(self, *, long_form: bool = False) -> bytes:
        """Return the bytes; `long_form` as in :meth:`Tlv.encode`, for the template only."""
        return Tlv.constructed(self.template, self.objects).encode(long_form=long_form)

    def get(self, tag: int) -> bytes | None:
        """Return the value of the first object of that tag, or None."""
        return next((found.value for found in self.objects if found.tag == tag), None)

    @property
    def size(self) -> int | None:
        """The number of bytes in the file: tag 80 (EF) or 81 (DF); None if neither is there."""
        value = self.get(0x80) or self.get(0x81)
        return int.from_bytes(value) if value is not None else None

    @property
    def file_id(self) -> int | None:
        """The file identifier: tag 83."""
        value = self.get(0x83)
        return int.from_bytes(value) if value is not None else None

    @property
    def descriptor(self) -> int | None:
        """The file descriptor byte: the first of tag 82."""
        value = self.get(0x82)
        return value[0] if value else None

    @property
    def df_name(self) -> bytes | None:
        """The DF name (AID): tag 84."""
        return self.get(0x84)
