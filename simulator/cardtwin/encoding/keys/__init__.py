"""Private keys for the encrypted PINs: engineSignEncrypt's descriptors, PKCS#12 files, system.properties."""

from cardtwin.encoding.keys.configuration import (
    DESCRIPTOR_PROPERTY,
    KeyConfiguration,
    check_names,
    decryption_keys,
)
from cardtwin.encoding.keys.container import container_properties, mounted_files
from cardtwin.encoding.keys.descriptors import parse_key_table
from cardtwin.encoding.keys.hsm import HsmKey
from cardtwin.encoding.keys.private import RsaDecryptionKey
from cardtwin.encoding.keys.properties import (
    Properties,
    Property,
    parse_properties,
    parse_system_properties_json,
)

__all__ = [
    "DESCRIPTOR_PROPERTY",
    "HsmKey",
    "KeyConfiguration",
    "Properties",
    "Property",
    "RsaDecryptionKey",
    "check_names",
    "container_properties",
    "decryption_keys",
    "mounted_files",
    "parse_key_table",
    "parse_properties",
    "parse_system_properties_json",
]
