"""The structures of ISO/IEC 7816-15 (PKCS#15), both ways: DER, and a lenient reader of card files."""

from cardtwin.pkcs15.directory import (
    AID,
    Application,
    DirectoryKind,
    DirectoryPath,
    encode_ef_dir,
    encode_odf,
    parse_ef_dir,
    parse_odf,
)
from cardtwin.pkcs15.editing import relabelled, renamed_id, renamed_subject, renumbered
from cardtwin.pkcs15.encoding import encode_directory, encode_object
from cardtwin.pkcs15.errors import Pkcs15Error
from cardtwin.pkcs15.flags import CommonFlags, KeyAccess, KeyUsage, PinFlags, PinType, TokenFlags
from cardtwin.pkcs15.objects import (
    AnyObject,
    Certificate,
    DataObject,
    KeyAlgorithm,
    OtherObject,
    Pin,
    PrivateKey,
    PublicKey,
)
from cardtwin.pkcs15.parsing import elements, parse_aodf, parse_cdf, parse_dodf, parse_prkdf, parse_pukdf
from cardtwin.pkcs15.paths import Path
from cardtwin.pkcs15.tokeninfo import Algorithm, TokenInfo

__all__ = [
    "AID",
    "Algorithm",
    "AnyObject",
    "Application",
    "Certificate",
    "CommonFlags",
    "DataObject",
    "DirectoryKind",
    "DirectoryPath",
    "KeyAccess",
    "KeyAlgorithm",
    "KeyUsage",
    "OtherObject",
    "Path",
    "Pin",
    "PinFlags",
    "PinType",
    "Pkcs15Error",
    "PrivateKey",
    "PublicKey",
    "TokenFlags",
    "TokenInfo",
    "elements",
    "encode_directory",
    "encode_ef_dir",
    "encode_object",
    "encode_odf",
    "parse_aodf",
    "parse_cdf",
    "parse_dodf",
    "parse_ef_dir",
    "parse_odf",
    "parse_prkdf",
    "parse_pukdf",
    "relabelled",
    "renamed_id",
    "renamed_subject",
    "renumbered",
]
