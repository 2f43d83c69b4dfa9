"""p11-kit with our library as one of its modules, and its proxy."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Ckk
from support.interop import program, shared_library
from support.opinions import data_for, is_right, short_name, signing
from support.pkcs11_tool import PIN, Pkcs11Tool
from support.rig import SIGNING, Rig, opened_rig
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cardtwin.cryptoki.mechanisms import MechanismSpec

SHIM = """
#include <dlfcn.h>
#include <stdlib.h>

typedef void override(const char *, const char *, const char *, const char *, const char *);

__attribute__((constructor)) static void configure(void)
{
    void *kit = dlopen("libp11-kit.so.0", RTLD_LAZY);
    override *function = kit != NULL ? (override *)dlsym(kit, "p11_kit_override_system_files") : NULL;

    if (function == NULL)
        abort();

    function(getenv("TEST_P11_KIT_CONFIG"), "", getenv("TEST_P11_KIT_MODULES"), "", "");
}
"""
"""Lets p11-kit read a configuration of its own. By HOME it would, but for root, and beside the system's."""


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("p11-kit")
    (folder / "shim.c").write_text(SHIM)
    command = [program("cc"), "-shared", "-fPIC", "-o", "shim.so", "shim.c", "-ldl"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "shim.so"


@dataclass
class P11Kit:
    """p11-kit with a configuration that has one module."""

    rig: Rig
    shim: Path

    def __post_init__(self) -> None:
        (self.rig.folder / "pkcs11.conf").write_text("user-config: none\n")
        (self.rig.folder / "modules").mkdir()
        self.configure(f"module: {self.rig.library}")

    def configure(self, *lines: str) -> None:
        """Write what is said about the module."""
        (self.rig.folder / "modules" / "cardtwin.module").write_text("".join(f"{line}\n" for line in lines))

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its users."""
        return {
            "LD_PRELOAD": str(self.shim),
            "TEST_P11_KIT_CONFIG": str(self.rig.folder / "pkcs11.conf"),
            "TEST_P11_KIT_MODULES": str(self.rig.folder / "modules"),
        }

    def __call__(self, name: str, *arguments: str, **environment: str) -> str:
        """Run a program with it."""
        return self.rig.run(name, *arguments, succeeds=True, **self.environment, **environment)

    @property
    def proxy(self) -> Pkcs11Tool:
        """pkcs11-tool above the proxy."""
        return Pkcs11Tool(self.rig, shared_library("p11-kit-proxy.so"), environment=self.environment)


@pytest.fixture(params=MODELS)
def kit(tmp_path: Path, request: pytest.FixtureRequest, shim: Path) -> Iterator[P11Kit]:
    with opened_rig(tmp_path, request.param) as rig:
        yield P11Kit(rig, shim)


def tried(*names: str) -> pytest.MarkDecorator:
    specs = {short_name(spec): spec for spec in signing(Ckk.CKK_RSA)}
    return pytest.mark.parametrize("spec", [pytest.param(specs[name], id=name) for name in names])


def test_the_module_is_listed_with_both_tokens(kit: P11Kit) -> None:
    listed = kit("p11-kit", "list-modules")

    assert re.findall(r"^(\w[\w-]*): (.*)$", listed, re.MULTILINE) == [("cardtwin", kit.rig.library)]
    tokens = re.findall(r"^    token: (.*)$", listed, re.MULTILINE)
    assert [tokens[0][:-3], tokens[1]] == ["cardtwin CardOS ", "cardtwin CardOS  (Signature PIN)"]
    assert listed.count("user-pin-initialized") == 2


def test_the_proxy_shows_the_same_slots_and_objects(kit: P11Kit) -> None:
    own = Pkcs11Tool(kit.rig, kit.rig.library)

    def labels(tool: Pkcs11Tool) -> list[str]:
        return re.findall(r"label +: ?(.*)", tool("--list-slots") + tool.as_user("--list-objects"))

    assert "PKCS#11 Kit Proxy Module" in kit.proxy("--show-info")
    assert labels(kit.proxy) == labels(own)
    assert labels(own)


@tried("RSA_PKCS", "SHA256_RSA_PKCS", "RSA_PKCS_PSS", "SHA512_RSA_PKCS_PSS")
def test_signatures_through_the_proxy_are_right(kit: P11Kit, spec: MechanismSpec) -> None:
    data = data_for(spec)
    signature = kit.proxy.sign(spec, data)

    assert is_right(kit.proxy.public_key(), spec, data, signature)
    assert kit.proxy.verifies(spec, data, signature)


def test_the_program_s_own_test_finds_no_errors_through_the_proxy(kit: P11Kit) -> None:
    assert "No errors" in kit.proxy.as_user("--test")


def test_a_wrong_pin_comes_through_the_proxy_as_what_it_is(kit: P11Kit) -> None:
    refused = kit.proxy.as_user("--list-objects", pin="9999", succeeds=False)

    assert "C_Login failed: rv = CKR_PIN_INCORRECT" in refused


@tried("RSA_PKCS", "SHA256_RSA_PKCS")
def test_a_module_in_another_process_signs(kit: P11Kit, spec: MechanismSpec) -> None:
    kit.configure(f"remote: |p11-kit remote {kit.rig.library}")
    data = data_for(spec)
    signature = kit.proxy.sign(spec, data)

    assert is_right(kit.proxy.public_key(), spec, data, signature)
    assert kit.proxy.verifies(spec, data, signature)


def test_gnutls_finds_the_token_by_p11_kit_s_configuration(kit: P11Kit) -> None:
    urls = kit("p11tool", "--list-token-urls").split()
    assert len(urls) == 2
    key = f"{urls[0]};object={SIGNING.replace(' ', '%20')};type=private"
    tested = kit("p11tool", "--test-sign", "--login", key, GNUTLS_PIN=PIN)

    assert "Verifying against public key in the token... ok" in tested


def test_p11_kit_s_own_log_tells_of_the_calls(kit: P11Kit) -> None:
    kit.configure(f"module: {kit.rig.library}", "log-calls: yes")
    told = kit.proxy.as_user("--list-objects")

    assert re.search(r"^C_Login = CKR_OK$", told, re.MULTILINE)
    assert set(re.findall(r"^C_\w+ = (CKR_\w+)$", told, re.MULTILINE)) <= {
        "CKR_OK",
        "CKR_ATTRIBUTE_TYPE_INVALID",
        "CKR_ATTRIBUTE_SENSITIVE",
    }
