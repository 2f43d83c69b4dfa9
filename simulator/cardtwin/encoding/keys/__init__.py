"""Private keys for the encrypted PINs: engineSignEncrypt's descriptors, PKCS#12 files, system.properties."""

from cardtwin.encoding.keys.configuration import DESCRIPTOR_PROPERTY, KeyConfiguration, decryption_keys
from cardtwin.encoding.keys.descriptors import parse_key_table
from cardtwin.encoding.keys.private import RsaDecryptionKey
from cardtwin.encoding.keys.properties import (
    Properties,
    Property,
    parse_properties,
    parse_system_properties_json,
)

__all__ = [
    "DESCRIPTOR_PROPERTY",
    "KeyConfiguration",
    "Properties",
    "Property",
    "RsaDecryptionKey",
    "decryption_keys",
    "parse_key_table",
    "parse_properties",
    "parse_system_properties_json",
]
