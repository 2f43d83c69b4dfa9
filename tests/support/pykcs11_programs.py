"""Small programs above PyKCS11, run as ``python pykcs11_programs.py NAME LIBRARY ARGUMENTS``.

They say the same as those above python-pkcs11: JSON, with bytes in hex. The package keeps a library loaded.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import PyKCS11
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from PyKCS11 import Mechanism, PyKCS11Error, PyKCS11Lib, RSA_PSS_Mechanism, RSAOAEPMechanism

MAIN, SIGNATURE = 0, 1
SIZES = {"SHA1": 20, "SHA224": 28, "SHA256": 32, "SHA384": 48, "SHA512": 64}
PARAMETERS = {
    "secp256r1": "06082a8648ce3d030107",
    "secp384r1": "06052b81040022",
    "secp521r1": "06052b81040023",
}
CURVES = {65: ec.SECP256R1(), 97: ec.SECP384R1(), 133: ec.SECP521R1()}


def constant(name: str) -> Any:
    return getattr(PyKCS11, name)


def digest(name: str) -> Any:
    return constant("CKM_SHA_1" if name == "SHA1" else f"CKM_{name}")


def loaded(library: str) -> PyKCS11Lib:
    module = PyKCS11Lib()
    module.load(library)
    return module


def opened(module: PyKCS11Lib, pin: str | None = None, place: int = MAIN) -> Any:
    session = module.openSession(module.getSlotList(tokenPresent=True)[place], PyKCS11.CKF_RW_SESSION)

    if pin is not None:
        session.login(pin)

    return session


def tell(what: object) -> None:
    sys.stdout.write(json.dumps(what, default=lambda value: bytes(value).hex()) + "\n")
    sys.stdout.flush()


def found(session: Any, kind: int) -> Any:
    (handle,) = session.findObjects([(PyKCS11.CKA_CLASS, kind)])
    return handle


def value(session: Any, handle: Any, kind: int) -> Any:
    (content,) = session.getAttributeValue(handle, [kind])
    return bytes(content) if isinstance(content, tuple) else content


def public_key(session: Any) -> bytes:
    """Return the public key, as SubjectPublicKeyInfo."""
    handle = found(session, PyKCS11.CKO_PUBLIC_KEY)
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey

    if value(session, handle, PyKCS11.CKA_KEY_TYPE) == PyKCS11.CKK_RSA:
        exponent, modulus = (
            int.from_bytes(value(session, handle, kind))
            for kind in (PyKCS11.CKA_PUBLIC_EXPONENT, PyKCS11.CKA_MODULUS)
        )
        key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    else:
        encoded = value(session, handle, PyKCS11.CKA_EC_POINT)
        point = encoded[encoded.index(4, 1) :]
        key = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[len(point)], point)

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def mechanism_of(name: str) -> Any:
    """Return a mechanism: PSS with a salt as long as the hash."""
    kind = constant(f"CKM_{name}")

    if not name.endswith("PSS"):
        return Mechanism(kind, None)

    hash_name = "SHA256" if name.startswith("RSA") else name.partition("_")[0]
    return RSA_PSS_Mechanism(kind, digest(hash_name), constant(f"CKG_MGF1_{hash_name}"), SIZES[hash_name])


def mechanisms(module: PyKCS11Lib, slot: int) -> list[int]:
    """Return what a slot offers. The package's own method (1.5.20) adds one that no slot has named."""
    listed = PyKCS11.LowLevel.ckulonglist()
    assert module.lib.C_GetMechanismList(slot, listed) == PyKCS11.CKR_OK
    return [int(mechanism) for mechanism in listed]


def tokens(library: str) -> None:
    module = loaded(library)
    slots = module.getSlotList(tokenPresent=True)
    tell(
        [
            {
                "label": info.label.strip(),
                "manufacturer": info.manufacturerID.strip(),
                "model": info.model.strip(),
                "serial": info.serialNumber.strip(),
                "mechanisms": mechanisms(module, slot),
            }
            for slot in slots
            for info in [module.getTokenInfo(slot)]
        ]
    )


def objects(library: str, pin: str) -> None:
    """List all objects before and after the login, and what is in the certificate."""
    session = opened(loaded(library))

    def classes() -> list[str]:
        kinds = (value(session, handle, PyKCS11.CKA_CLASS) for handle in session.findObjects())
        return sorted(PyKCS11.CKO[kind].removeprefix("CKO_") for kind in kinds)

    before = classes()
    session.login(pin)
    certificate = found(session, PyKCS11.CKO_CERTIFICATE)
    key = found(session, PyKCS11.CKO_PRIVATE_KEY)
    tell(
        {
            "before": before,
            "after": classes(),
            "certificate": value(session, certificate, PyKCS11.CKA_VALUE),
            "subject": value(session, certificate, PyKCS11.CKA_SUBJECT),
            "same id": value(session, certificate, PyKCS11.CKA_ID) == value(session, key, PyKCS11.CKA_ID),
            "always sensitive": bool(value(session, key, PyKCS11.CKA_ALWAYS_SENSITIVE)),
        }
    )


def signatures(library: str, pin: str, wanted: str) -> None:
    """Sign data with each mechanism that is wanted, and verify it; `wanted` is JSON: name → data in hex."""
    session = opened(loaded(library), pin)
    private, public = found(session, PyKCS11.CKO_PRIVATE_KEY), found(session, PyKCS11.CKO_PUBLIC_KEY)
    made: dict[str, Any] = {}

    for name, text in json.loads(wanted).items():
        data, how = bytes.fromhex(text), mechanism_of(name)
        signature = session.sign(private, data, how)
        right = session.verify(public, data, signature, how)
        wrong = session.verify(public, data[:-1] + bytes([data[-1] ^ 1]), signature, how)
        made[name] = {"signature": signature, "right": right, "wrong": wrong}

    tell({"key": public_key(session), "signatures": made})


def parts(library: str, pin: str) -> None:
    """Digest data that come at once and in parts, and get random bytes. It signs whole data alone."""
    pieces = [bytes([number]) * 1000 for number in range(10)]
    session = opened(loaded(library), pin)
    digests = {name: session.digest(pieces[1], Mechanism(digest(name), None)) for name in SIZES}
    going_on = session.digestSession(Mechanism(PyKCS11.CKM_SHA256, None))

    for piece in pieces:
        going_on.update(piece)

    private, public = found(session, PyKCS11.CKO_PRIVATE_KEY), found(session, PyKCS11.CKO_PUBLIC_KEY)
    how = mechanism_of("SHA256_RSA_PKCS")
    whole = b"".join(pieces)
    tell(
        {
            "right": session.verify(public, whole, session.sign(private, whole, how), how),
            "digests": digests,
            "in parts": going_on.final(),
            "random": len(session.generateRandom(1000)),
        }
    )


def ciphers(library: str, pin: str) -> None:
    """Encrypt and decrypt with each mechanism."""
    text = b"for the card alone"
    hows: list[Any] = [mechanism_of("RSA_PKCS")]
    hows += [
        RSAOAEPMechanism(digest(name), constant(f"CKG_MGF1_{name}"), label)
        for name in SIZES
        for label in (None, b"label")
    ]
    session = opened(loaded(library), pin)
    private, public = found(session, PyKCS11.CKO_PRIVATE_KEY), found(session, PyKCS11.CKO_PUBLIC_KEY)
    right = [bytes(session.decrypt(private, session.encrypt(public, text, how), how)) == text for how in hows]
    raw = mechanism_of("RSA_X_509")
    block = bytes(session.decrypt(private, session.encrypt(public, text, raw), raw))
    tell([*right, block.lstrip(b"\0") == text])


def derivations(library: str, pin: str, peer: str) -> None:
    """Derive secrets with a peer's public key (SubjectPublicKeyInfo in hex), by each function."""
    key = load_der_public_key(bytes.fromhex(peer))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    session = opened(loaded(library), pin)
    template = [
        (PyKCS11.CKA_CLASS, PyKCS11.CKO_SECRET_KEY),
        (PyKCS11.CKA_KEY_TYPE, PyKCS11.CKK_GENERIC_SECRET),
        (PyKCS11.CKA_SENSITIVE, PyKCS11.CK_FALSE),
        (PyKCS11.CKA_EXTRACTABLE, PyKCS11.CK_TRUE),
        (PyKCS11.CKA_VALUE_LEN, 32),
    ]
    made = {}

    for name in ("NULL", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"):
        function = constant("CKD_NULL" if name == "NULL" else f"CKD_{name}_KDF")
        shared = None if name == "NULL" else b"shared"
        how = PyKCS11.ECDH1_DERIVE_Mechanism(point, function, shared)
        handle = session.deriveKey(found(session, PyKCS11.CKO_PRIVATE_KEY), template, how)
        made[name] = value(session, handle, PyKCS11.CKA_VALUE)

    tell({"key": public_key(session), "secrets": made})


def consent(library: str, pin: str) -> None:
    """Try to sign with the key that wants the PIN for each signature, which the package cannot give."""
    session = opened(loaded(library), pin, SIGNATURE)
    private = found(session, PyKCS11.CKO_PRIVATE_KEY)
    refused = ""

    try:
        session.sign(private, b"data", mechanism_of("SHA256_RSA_PKCS"))
    except PyKCS11Error as error:
        refused = PyKCS11.CKR[error.value]

    tell({"refused": refused})


def pins(library: str) -> None:
    """Use wrong PINs, set the PIN as the SO and as the user; tell what came of each."""
    module = loaded(library)
    session = opened(module)

    def tried(pin: str, user: int = PyKCS11.CKU_USER) -> str:
        try:
            session.login(pin, user)
        except PyKCS11Error as error:
            return str(PyKCS11.CKR[error.value])

        session.logout()
        return "right"

    came = [tried("9999"), tried("9999"), tried("9999"), tried("1234")]
    session.login("12345678", PyKCS11.CKU_SO)
    session.initPin("565656")
    session.logout()
    came.append(tried("565656"))
    session.login("565656")
    session.setPin("565656", "1234")
    session.logout()
    tell([*came, tried("1234"), tried("99999999", PyKCS11.CKU_SO)])


def threads(library: str, pin: str) -> None:
    """Sign in several threads, in sessions of their own."""
    module = loaded(library)
    right: list[bool] = []
    first = opened(module, pin)

    def sign(number: int) -> None:
        session = opened(module)
        private, public = found(session, PyKCS11.CKO_PRIVATE_KEY), found(session, PyKCS11.CKO_PUBLIC_KEY)
        how = mechanism_of("SHA256_RSA_PKCS")

        for turn in range(5):
            data = bytes([number, turn]) * 50
            right.append(session.verify(public, data, session.sign(private, data, how), how))

        session.closeSession()

    running = [threading.Thread(target=sign, args=(number,)) for number in range(6)]

    for thread in running:
        thread.start()

    for thread in running:
        thread.join()

    first.closeSession()
    tell(right)


def events(library: str) -> None:
    """Wait for a slot's event, and tell which slot has a token then."""
    module = loaded(library)
    tell(list(module.getSlotList(tokenPresent=True)))
    slot = module.waitForSlotEvent()
    tell([slot, list(module.getSlotList(tokenPresent=True))])


def removal(library: str, pin: str) -> None:
    """Sign before the card is removed, while it is away, and when it is back; a line read goes on."""
    module = loaded(library)
    session = opened(module, pin)
    private = found(session, PyKCS11.CKO_PRIVATE_KEY)

    def tried() -> str:
        try:
            session.sign(private, b"data", mechanism_of("SHA256_RSA_PKCS"))
        except PyKCS11Error as error:
            return str(PyKCS11.CKR[error.value])

        return "right"

    for _ in range(3):
        tell(tried())
        input()

    session = opened(module, pin)
    private = found(session, PyKCS11.CKO_PRIVATE_KEY)
    tell(tried())


def writing(library: str, pin: str, *curves: str) -> None:
    """Make key pairs, RSA and on curves, sign with each; make a data object; take all away again."""
    session = opened(loaded(library), pin)
    before = labels(session)
    right: list[bool] = []
    things: list[Any] = []

    for number, name in enumerate(("rsa", *curves), 0x71):
        mechanism, template, how = made_by(name)
        common = [(PyKCS11.CKA_TOKEN, True), (PyKCS11.CKA_LABEL, name), (PyKCS11.CKA_ID, (number,))]
        public_half = [*common, (PyKCS11.CKA_VERIFY, True), *template]
        private_half = [*common, (PyKCS11.CKA_SIGN, True), (PyKCS11.CKA_PRIVATE, True)]
        public, private = session.generateKeyPair(public_half, private_half, Mechanism(mechanism, None))
        right.append(session.verify(public, b"data", session.sign(private, b"data", how), how))
        things += [public, private]

    named = [(PyKCS11.CKA_TOKEN, True), (PyKCS11.CKA_LABEL, "text"), (PyKCS11.CKA_VALUE, b"value")]
    things.append(session.createObject([(PyKCS11.CKA_CLASS, PyKCS11.CKO_DATA), *named]))
    during, content = labels(session), value(session, things[-1], PyKCS11.CKA_VALUE)

    for thing in things:
        session.destroyObject(thing)

    tell({"right": right, "value": content, "before": before, "during": during, "after": labels(session)})


def labels(session: Any) -> list[list[str]]:
    """Return the classes and labels of the objects of the token, in order."""
    found = []

    for each in session.findObjects([(PyKCS11.CKA_TOKEN, True)]):
        kind = PyKCS11.CKO[value(session, each, PyKCS11.CKA_CLASS)].removeprefix("CKO_")
        found.append([kind, value(session, each, PyKCS11.CKA_LABEL)])

    return sorted(found)


def made_by(name: str) -> tuple[int, list[tuple[int, Any]], Any]:
    """Return the mechanism that makes a key pair, what the public key's template says, and how it signs."""
    if name == "rsa":
        template = [(PyKCS11.CKA_MODULUS_BITS, 2048), (PyKCS11.CKA_PUBLIC_EXPONENT, (1, 0, 1))]
        return PyKCS11.CKM_RSA_PKCS_KEY_PAIR_GEN, template, mechanism_of("SHA256_RSA_PKCS")

    template = [(PyKCS11.CKA_EC_PARAMS, bytes.fromhex(PARAMETERS[name]))]
    return PyKCS11.CKM_EC_KEY_PAIR_GEN, template, mechanism_of("ECDSA_SHA256")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
