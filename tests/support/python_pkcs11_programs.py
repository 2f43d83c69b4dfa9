"""Small programs above python-pkcs11, run as ``python python_pkcs11_programs.py NAME LIBRARY ARGUMENTS``.

They run in processes of their own: the package keeps a library loaded, and holds the GIL while it calls. What
they have to say they print as JSON, bytes in hex.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from typing import Any

import pkcs11
from pkcs11 import KDF, MGF, Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import decode_ec_public_key, encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import encode_rsa_public_key

MAIN, SIGNATURE = 0, 1
DIGESTS = {
    "SHA1": Mechanism.SHA_1,
    "SHA224": Mechanism.SHA224,
    "SHA256": Mechanism.SHA256,
    "SHA384": Mechanism.SHA384,
    "SHA512": Mechanism.SHA512,
}


def token(library: str, place: int = MAIN) -> Any:
    return pkcs11.lib(library).get_slots(token_present=True)[place].get_token()


def name_of(error: pkcs11.PKCS11Error) -> str:
    """Return CKR_*, from the name of the class."""
    return "CKR_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).upper()


def tell(what: object) -> None:
    sys.stdout.write(json.dumps(what, default=lambda value: bytes(value).hex()) + "\n")
    sys.stdout.flush()


def parameter(name: str) -> Any:
    """Return what goes with a mechanism: PSS with a salt as long as the hash."""
    if not name.endswith("PSS"):
        return None

    hash_name = "SHA256" if name.startswith("RSA") else name.partition("_")[0]
    sizes = {"SHA1": 20, "SHA224": 28, "SHA256": 32, "SHA384": 48, "SHA512": 64}
    return DIGESTS[hash_name], MGF[hash_name], sizes[hash_name]


def tokens(library: str) -> None:
    module = pkcs11.lib(library)
    found = [slot.get_token() for slot in module.get_slots(token_present=True)]
    tell(
        [
            {
                "label": each.label,
                "manufacturer": each.manufacturer_id,
                "model": each.model,
                "serial": each.serial.decode(),
                "mechanisms": [int(mechanism) for mechanism in each.slot.get_mechanisms()],
            }
            for each in found
        ]
    )


def objects(library: str, pin: str) -> None:
    """List all objects before and after the login, and what is in the certificate."""
    with token(library).open() as session:
        before = [each[Attribute.CLASS].name for each in session.get_objects()]

    with token(library).open(user_pin=pin) as session:
        after = [each[Attribute.CLASS].name for each in session.get_objects()]
        (certificate,) = session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE})
        key = session.get_key(object_class=ObjectClass.PRIVATE_KEY)
        tell(
            {
                "before": sorted(before),
                "after": sorted(after),
                "certificate": certificate[Attribute.VALUE],
                "subject": certificate[Attribute.SUBJECT],
                "same id": certificate[Attribute.ID] == key[Attribute.ID],
                "always sensitive": key[Attribute.ALWAYS_SENSITIVE],
            }
        )


def signatures(library: str, pin: str, wanted: str) -> None:
    """Sign data with each mechanism that is wanted, and verify it; `wanted` is JSON: name → data in hex."""
    with token(library).open(user_pin=pin) as session:
        private = session.get_key(object_class=ObjectClass.PRIVATE_KEY)
        public = session.get_key(object_class=ObjectClass.PUBLIC_KEY)
        encode = encode_rsa_public_key if public.key_type is KeyType.RSA else encode_ec_public_key
        made: dict[str, Any] = {}

        for name, text in json.loads(wanted).items():
            data = bytes.fromhex(text)
            how = {"mechanism": Mechanism[name], "mechanism_param": parameter(name)}
            signature = private.sign(data, **how)
            right = public.verify(data, signature, **how)
            wrong = public.verify(data[:-1] + bytes([data[-1] ^ 1]), signature, **how)
            made[name] = {"signature": signature, "right": right, "wrong": wrong}

        tell({"key": encode(public), "signatures": made})


def parts(library: str, pin: str) -> None:
    """Sign and digest data that come in parts, and get random bytes."""
    pieces = [bytes([number]) * 1000 for number in range(10)]

    with token(library).open(user_pin=pin) as session:
        private = session.get_key(object_class=ObjectClass.PRIVATE_KEY)
        public = session.get_key(object_class=ObjectClass.PUBLIC_KEY)
        signature = private.sign(iter(pieces), mechanism=Mechanism.SHA256_RSA_PKCS)
        digests = {name: session.digest(pieces[1], mechanism=kind) for name, kind in DIGESTS.items()}
        tell(
            {
                "right": public.verify(iter(pieces), signature, mechanism=Mechanism.SHA256_RSA_PKCS),
                "digests": digests,
                "in parts": session.digest(iter(pieces), mechanism=Mechanism.SHA256),
                "random": len(session.generate_random(1000 * 8)),
            }
        )


def ciphers(library: str, pin: str) -> None:
    """Encrypt and decrypt with each mechanism."""
    text = b"for the card alone"
    mechanisms: list[tuple[Mechanism, Any]] = [(Mechanism.RSA_PKCS, None)]
    mechanisms += [
        (Mechanism.RSA_PKCS_OAEP, (kind, MGF[name], label))
        for name, kind in DIGESTS.items()
        for label in (None, b"label")
    ]

    with token(library).open(user_pin=pin) as session:
        private = session.get_key(object_class=ObjectClass.PRIVATE_KEY)
        public = session.get_key(object_class=ObjectClass.PUBLIC_KEY)
        found = []

        for mechanism, param in mechanisms:
            cryptogram = public.encrypt(text, mechanism=mechanism, mechanism_param=param)
            found.append(private.decrypt(cryptogram, mechanism=mechanism, mechanism_param=param) == text)

        raw = public.encrypt(text, mechanism=Mechanism.RSA_X_509)
        found.append(private.decrypt(raw, mechanism=Mechanism.RSA_X_509).lstrip(b"\0") == text)
        tell(found)


def derivations(library: str, pin: str, peer: str) -> None:
    """Derive secrets with a peer's public key (SubjectPublicKeyInfo in hex), by each function."""
    point = decode_ec_public_key(bytes.fromhex(peer), encode_ec_point=False)[Attribute.EC_POINT]

    with token(library).open(user_pin=pin) as session:
        private = session.get_key(object_class=ObjectClass.PRIVATE_KEY)
        public = session.get_key(object_class=ObjectClass.PUBLIC_KEY)
        made = {}

        for name in ("NULL", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"):
            shared = None if name == "NULL" else b"shared"
            key = private.derive_key(
                KeyType.GENERIC_SECRET,
                256,
                mechanism_param=(KDF[name], shared, point),
                template={Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True},
            )
            made[name] = key[Attribute.VALUE]

        tell({"key": encode_ec_public_key(public), "secrets": made})


def consent(library: str, pin: str) -> None:
    """Sign twice with the key that wants the PIN for each signature: with it, and without."""
    with token(library, SIGNATURE).open(user_pin=pin) as session:
        private = session.get_key(object_class=ObjectClass.PRIVATE_KEY)
        public = session.get_key(object_class=ObjectClass.PUBLIC_KEY)
        how = {"mechanism": Mechanism.SHA256_RSA_PKCS}
        signature = private.sign(b"data", pin=pin, **how)
        refused = ""

        try:
            private.sign(b"data", **how)
        except pkcs11.PKCS11Error as error:
            refused = name_of(error)

        tell({"right": public.verify(b"data", signature, **how), "refused": refused})


def pins(library: str) -> None:
    """Use wrong PINs, set the PIN as the SO and as the user; tell what came of each."""
    found = token(library)

    def tried(**login: str) -> str:
        try:
            found.open(rw=True, **login).close()
        except pkcs11.PKCS11Error as error:
            return name_of(error)

        return "right"

    came = [tried(user_pin="9999"), tried(user_pin="9999"), tried(user_pin="9999"), tried(user_pin="1234")]

    with found.open(rw=True, so_pin="12345678") as session:
        session.init_pin("565656")

    came.append(tried(user_pin="565656"))

    with found.open(rw=True, user_pin="565656") as session:
        session.set_pin("565656", "1234")

    tell([*came, tried(user_pin="1234"), tried(so_pin="99999999")])


def threads(library: str, pin: str) -> None:
    """Sign in several threads, in sessions of their own."""
    found = token(library)
    right: list[bool] = []

    with found.open(user_pin=pin):

        def sign(number: int) -> None:
            with found.open() as session:
                private = session.get_key(object_class=ObjectClass.PRIVATE_KEY)
                public = session.get_key(object_class=ObjectClass.PUBLIC_KEY)

                for turn in range(5):
                    data = bytes([number, turn]) * 50
                    signature = private.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS)
                    right.append(public.verify(data, signature, mechanism=Mechanism.SHA256_RSA_PKCS))

        running = [threading.Thread(target=sign, args=(number,)) for number in range(6)]

        for thread in running:
            thread.start()

        for thread in running:
            thread.join()

    tell(right)


def removal(library: str, pin: str) -> None:
    """Sign before the card is removed, while it is away, and when it is back; a line read goes on."""
    found = token(library)
    how = {"mechanism": Mechanism.SHA256_RSA_PKCS}
    session = found.open(user_pin=pin)
    private = session.get_key(object_class=ObjectClass.PRIVATE_KEY)

    def tried() -> str:
        try:
            private.sign(b"data", **how)
        except pkcs11.PKCS11Error as error:
            return name_of(error)

        return "right"

    for _ in range(3):
        tell(tried())
        input()

    with found.open(user_pin=pin) as session:
        private = session.get_key(object_class=ObjectClass.PRIVATE_KEY)
        tell(tried())


def writing(library: str, pin: str, *curves: str) -> None:
    """Make key pairs, RSA and on curves, sign with each; make a data object; take all away again."""
    with token(library).open(rw=True, user_pin=pin) as session:
        before = labels(library)
        pairs = [session.generate_keypair(KeyType.RSA, 2048, store=True, label="rsa", id=b"\x71")]

        for number, curve in enumerate(curves, 0x72):
            parameters = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
            domain = session.create_domain_parameters(KeyType.EC, parameters, local=True)
            pairs.append(domain.generate_keypair(store=True, label=curve, id=bytes([number])))

        right = []

        for public, private in pairs:
            kind = Mechanism.SHA256_RSA_PKCS if public.key_type is KeyType.RSA else Mechanism.ECDSA_SHA256
            right.append(public.verify(b"data", private.sign(b"data", mechanism=kind), mechanism=kind))

        template = {Attribute.CLASS: ObjectClass.DATA, Attribute.TOKEN: True, Attribute.LABEL: "text"}
        data = session.create_object({**template, Attribute.VALUE: b"value"})
        during, value = labels(library), data[Attribute.VALUE]

        for thing in (data, *(key for pair in pairs for key in pair)):
            thing.destroy()

        tell({"right": right, "value": value, "before": before, "during": during, "after": labels(library)})


def labels(library: str) -> list[list[str]]:
    """Return the classes and labels of the objects of the token, in order."""
    with token(library).open() as session:
        found = session.get_objects({Attribute.TOKEN: True})
        return sorted([each[Attribute.CLASS].name, each[Attribute.LABEL]] for each in found)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
