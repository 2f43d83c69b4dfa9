"""Steps that log in, sign, decrypt and look around by PKCS#11."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, Hash

from cardtwin.cryptoki.constants import Ckg, Ckm
from cardtwin.cryptoki.structures import RsaPkcsOaepParams, RsaPkcsPssParams
from cardtwin.cryptoki.values import Answer, Buffer, Mechanism
from cardtwin.scenario import Verdict, load
from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.pkcs11 import publickeys
from cardtwin.source import SourceError
from support.pkcs11_steps import SIGN, carried_out, written
from support.profiles import rsa_key

if TYPE_CHECKING:
    from pathlib import Path

LOGIN = '- {login: user, pin: "1234"}\n'


def passes(folder: Path, steps: str, **keys: Any) -> None:
    result = carried_out(folder, steps, **keys)
    step = result.failed_step
    assert result.verdict is Verdict.PASSED, (result.message, step and (step.title, step.failure))


def failure(folder: Path, steps: str, **keys: Any) -> str:
    step = carried_out(folder, steps, **keys).failed_step
    assert step is not None
    assert step.failure is not None
    return step.failure.message


def test_a_login_lasts_until_the_logout(tmp_path: Path) -> None:
    passes(
        tmp_path,
        f"""
- {{login: user, pin: "9999", expect: {{rv: CKR_PIN_INCORRECT, call: C_Login}}}}
- {{login: user, pin: "1234"}}
- {{login: user, pin: "1234", expect: CKR_USER_ALREADY_LOGGED_IN}}
- {{{SIGN}}}
- {{{SIGN}, expect: {{call: C_Sign, signature: {{any: 256}}}}}}
- {{logout: main}}
- {{logout: main, expect: CKR_USER_NOT_LOGGED_IN}}
- {{{SIGN}, expect: {{rv: CKR_USER_NOT_LOGGED_IN, call: C_SignInit}}}}
- {{login: so, pin: "12345678"}}
- {{logout: main}}
- {{login: operator, pin: "87654321"}}
""",
    )


def test_each_slot_has_its_own_login_and_its_own_keys(tmp_path: Path) -> None:
    consent = "sign: Non Repudiation, slot: signature, mechanism: CKM_SHA256_RSA_PKCS, data: 68 65"
    passes(
        tmp_path,
        f"""
- {{login: user, slot: signature, pin: "4321"}}
- {{{SIGN}, expect: absent}}
- {{{consent}, expect: CKR_USER_NOT_LOGGED_IN}}
- {{{consent}, pin: "4321", bind: signature}}
- {{logout: signature}}
""",
    )


def test_each_program_has_its_own_login(tmp_path: Path) -> None:
    passes(
        tmp_path,
        f"""
- {{login: user, pin: "1234", by: a.exe}}
- {{{SIGN}, by: a.exe}}
- {{{SIGN}, by: b.exe, expect: absent}}
- {{find: {{CKA_CLASS: CKO_PRIVATE_KEY}}, by: b.exe, expect: {{count: 0}}}}
- {{card: reset}}
- {{{SIGN}, by: a.exe, expect: CKR_USER_NOT_LOGGED_IN}}
""",
        processes="{a.exe: {}, b.exe: {}}",
    )


def test_a_login_opens_a_session_that_is_gone_anew_and_nothing_else_does(tmp_path: Path) -> None:
    passes(
        tmp_path,
        LOGIN
        + f"""
- {{card: remove}}
- {{{SIGN}, expect: {{rv: {{match: CKR_DEVICE_REMOVED|CKR_SESSION_HANDLE_INVALID|CKR_TOKEN_NOT_PRESENT}}}}}}
- {{card: insert, which: C}}
- {{{SIGN}, expect: CKR_SESSION_HANDLE_INVALID}}
- {{login: user, pin: "1234"}}
- {{{SIGN}}}
""",
    )


def test_a_reset_by_another_program_loses_the_login(tmp_path: Path) -> None:
    passes(
        tmp_path,
        f"""
- {{login: user, pin: "1234", by: a.exe}}
- {{{SIGN}, by: a.exe}}
- {{pcsc: connect, by: b.exe}}
- {{pcsc: transaction, by: b.exe}}
- {{pcsc: reconnect, by: b.exe}}
- {{{SIGN}, by: a.exe}}
- {{pcsc: reconnect, disposition: reset, by: b.exe}}
- {{{SIGN}, by: a.exe, expect: CKR_USER_NOT_LOGGED_IN}}
- {{login: user, pin: "1234", by: a.exe}}
- {{{SIGN}, by: a.exe}}
- {{pcsc: transaction, disposition: reset, by: b.exe}}
- {{{SIGN}, by: a.exe, expect: CKR_USER_NOT_LOGGED_IN}}
- {{login: user, pin: "1234", by: a.exe}}
- {{{SIGN}, by: a.exe}}
- {{pcsc: disconnect, disposition: unpower, by: b.exe}}
- {{{SIGN}, by: a.exe, expect: CKR_USER_NOT_LOGGED_IN}}
- {{pcsc: reconnect, share: exclusive, by: b.exe, expect: SCARD_E_SHARING_VIOLATION}}
""",
        processes="{a.exe: {}, b.exe: {}}",
    )


@pytest.mark.parametrize(
    "step",
    [
        "{pcsc: connect, disposition: reset}",
        "{pcsc: transaction, share: exclusive}",
        "{decrypt: Key, mechanism: CKM_RSA_PKCS}",
        "{decrypt: Key, mechanism: CKM_RSA_PKCS, data: 00, plain: 00}",
        "{sign: {label: Key}, mechanism: CKM_RSA_PKCS, data: 00}",
        "{sign: Key, mechanism: CKM_RSA_PKCZ, data: 00}",
        "{find: {CKA_LABL: x}}",
    ],
)
def test_steps_that_make_no_sense_are_refused_when_the_file_is_read(tmp_path: Path, step: str) -> None:
    with pytest.raises(SourceError) as caught:
        load(written(tmp_path, f"- {step}"))

    assert len(caught.value.diagnostics) == 1


def test_a_key_is_called_by_its_label_or_its_id(tmp_path: Path) -> None:
    passes(
        tmp_path,
        LOGIN
        + """
- {pkcs11: C_OpenSession, slotID: 1, flags: CKF_SERIAL_SESSION, bind: session}
- {pkcs11: C_FindObjectsInit, hSession: $(session), pTemplate: {CKA_CLASS: CKO_PRIVATE_KEY, CKA_SIGN: yes}}
- {pkcs11: C_FindObjects, hSession: $(session), bind: {keys: phObject}}
- pkcs11: C_GetAttributeValue
  hSession: $(session)
  hObject: $(keys.0)
  pTemplate: CKA_ID
  bind: {read: pTemplate}
- {sign: {id: $(read.CKA_ID)}, mechanism: CKM_RSA_PKCS, data: {text: up to 245 bytes}}
- {sign: {id: "0102030405"}, mechanism: CKM_RSA_PKCS, data: 00, expect: absent}
""",
    )


def test_what_was_encrypted_for_the_key_is_decrypted(tmp_path: Path) -> None:
    oaep = "{hashAlg: CKM_SHA256, mgf: CKG_MGF1_SHA256, source: CKZ_DATA_SPECIFIED}"
    passes(
        tmp_path,
        LOGIN
        + f"""
- decrypt: Digital Signature
  mechanism: CKM_RSA_PKCS
  plain: {{text: hello}}
  expect: {{data: {{text: hello}}}}
- decrypt: Digital Signature
  mechanism: {{mechanism: CKM_RSA_PKCS_OAEP, pParameter: {oaep}}}
  plain: 68 65
- decrypt: Digital Signature
  mechanism: CKM_RSA_PKCS
  data: 68 65
  expect: {{rv: {{match: CKR_ENCRYPTED_DATA_.*}}, call: C_Decrypt}}
""",
    )


def test_a_signature_that_cannot_be_checked_fails_the_step(tmp_path: Path) -> None:
    step = "- {sign: Digital Signature, mechanism: CKM_MD5_RSA_PKCS, data: 68 65}"
    assert "CKR_MECHANISM_INVALID" in failure(tmp_path, LOGIN + step)

    with pytest.raises(UsageError, match="cannot be checked"):
        publickeys.is_right(rsa_key().public_key(), Mechanism(Ckm.CKM_MD5_RSA_PKCS), b"", b"")


def test_a_wrong_signature_fails_the_step_though_the_call_returns_ckr_ok(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Buffer, "answer", _last_byte_changed())
    assert "a wrong signature" in failure(tmp_path, LOGIN + f"- {{{SIGN}, expect: CKR_OK}}")


def _last_byte_changed() -> Any:
    true = Buffer.answer

    def answer(room: Buffer[Any], content: Any) -> Answer[Any]:
        if isinstance(content, bytes) and len(content) == 256:
            content = content[:-1] + bytes([content[-1] ^ 1])

        return true(room, content)

    return answer


def test_signatures_are_told_from_wrong_ones_for_every_mechanism_that_is_checked() -> None:
    key, data = rsa_key(), b"some data"
    digest = Hash(SHA256())
    digest.update(data)
    hashed = digest.finalize()
    pss = padding.PSS(padding.MGF1(SHA256()), 20)
    params = RsaPkcsPssParams(hash_alg=Ckm.CKM_SHA256, mgf=Ckg.CKG_MGF1_SHA256, salt_len=20)
    curve = ec.generate_private_key(ec.SECP256R1())
    r, s = decode_dss_signature(curve.sign(data, ec.ECDSA(SHA256())))
    raw = r.to_bytes(32) + s.to_bytes(32)
    block = b"\x00\x01" + b"\xff" * (256 - 3 - len(data)) + b"\x00" + data
    numbers = key.private_numbers()
    powered = pow(int.from_bytes(block), numbers.d, numbers.public_numbers.n).to_bytes(256)
    public: rsa.RSAPublicKey = key.public_key()

    for verifier, mechanism, signed, signature in (
        (public, Mechanism(Ckm.CKM_SHA256_RSA_PKCS), data, key.sign(data, padding.PKCS1v15(), SHA256())),
        (public, Mechanism(Ckm.CKM_SHA256_RSA_PKCS_PSS, params), data, key.sign(data, pss, SHA256())),
        (public, Mechanism(Ckm.CKM_RSA_PKCS_PSS, params), hashed, key.sign(hashed, pss, Prehashed(SHA256()))),
        (public, Mechanism(Ckm.CKM_RSA_PKCS), data, powered),
        (public, Mechanism(Ckm.CKM_RSA_X_509), block, powered),
        (curve.public_key(), Mechanism(Ckm.CKM_ECDSA_SHA256), data, raw),
        (curve.public_key(), Mechanism(Ckm.CKM_ECDSA), hashed, raw),
    ):
        assert publickeys.is_right(verifier, mechanism, signed, signature), mechanism.name
        wrong = signature[:-1] + bytes([signature[-1] ^ 1])
        assert not publickeys.is_right(verifier, mechanism, signed, wrong), mechanism.name


def test_public_keys_are_read_from_what_tokens_give() -> None:
    curve = ec.generate_private_key(ec.SECP384R1()).public_key()
    point = bytes.fromhex("04") + b"".join(
        number.to_bytes(48) for number in (curve.public_numbers().x, curve.public_numbers().y)
    )
    parameters = bytes.fromhex("06052B81040022")

    for given in (point, b"\x04\x61" + point):
        assert publickeys.from_point(parameters, given) == curve

    with pytest.raises(UsageError, match="curve"):
        publickeys.from_point(b"\x06\x01\x00", point)


def test_only_rsa_encrypts() -> None:
    key = rsa_key()
    params = RsaPkcsOaepParams(
        hash_alg=Ckm.CKM_SHA256, mgf=Ckg.CKG_MGF1_SHA256, source=1, source_data=b"label"
    )
    secret = publickeys.encrypted(key.public_key(), Mechanism(Ckm.CKM_RSA_PKCS_OAEP, params), b"plain")
    assert key.decrypt(secret, padding.OAEP(padding.MGF1(SHA256()), SHA256(), b"label")) == b"plain"

    with pytest.raises(UsageError, match="nothing can be encrypted"):
        publickeys.encrypted(key.public_key(), Mechanism(Ckm.CKM_SHA256_RSA_PKCS), b"plain")


def test_a_token_tells_about_itself_and_its_objects(tmp_path: Path) -> None:
    passes(
        tmp_path,
        """
- {token_info: main, expect: {flags: {CKF_LOGIN_REQUIRED: yes, CKF_USER_PIN_COUNT_LOW: no}, ulMinPinLen: 4}}
- {login: user, pin: "0000", expect: CKR_PIN_INCORRECT}
- {token_info: main, expect: {flags: {CKF_USER_PIN_COUNT_LOW: yes}}}
- {token_info: signature, expect: {call: C_GetTokenInfo}}
- find: {CKA_CLASS: CKO_PUBLIC_KEY, CKA_LABEL: Digital Signature}
  expect: {count: 1, labels: [Digital Signature]}
- {card: remove}
- {token_info: main, expect: CKR_TOKEN_NOT_PRESENT}
""",
    )
