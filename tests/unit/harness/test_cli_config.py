from __future__ import annotations

from typing import TYPE_CHECKING

from click.testing import CliRunner, Result

from cardtwin.cli import main

if TYPE_CHECKING:
    from pathlib import Path

SYSTEM = """[Cache]
CacheValidity=5
[Reader]
SkipReader=Microsoft Virtual Smart Card .*
SkipReader=Windows Hello .*
[CSP_PKCS11]
P11_LogoutAfterSign=1
Sections=java.exe
[java.exe]
P11_LogoutAfterSign=0
"""


def explain(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["config", "explain", *map(str, arguments)])


def rows(result: Result) -> dict[str, list[str]]:
    """Return the values and their origins by key."""
    found: dict[str, list[str]] = {}

    for line in result.stdout.splitlines()[1:]:
        key, _, rest = line.partition("  ")
        found.setdefault(key, []).append(" ".join(rest.split()))

    return found


def test_the_table_names_file_and_line_of_every_value(tmp_path: Path) -> None:
    system, user = tmp_path / "system.cfg", tmp_path / "user.cfg"
    system.write_text(SYSTEM)
    user.write_text("[Cache]\nCacheValidity=0\n")
    result = explain("--process", r"C:\Java\JAVA.EXE", "--system", system, "--user", user)

    assert result.exit_code == 0
    assert result.stderr == ""
    assert rows(result) == {
        "[Cache] CacheValidity": [f"0 {user}:2 (user file)"],
        "[Reader] SkipReader": [
            f"Microsoft Virtual Smart Card .* {system}:4 (system file)",
            f"Windows Hello .* {system}:5 (system file)",
        ],
        "[CSP_PKCS11] Sections": [f"java.exe {system}:8 (system file)"],
        "[CSP_PKCS11] P11_LogoutAfterSign": [f"0 {system}:10 (system file, program's section)"],
        "[CSP_PKCS11] P11_EnableCachePIN": ["0 default (cardtwin's own)"],
        "[CSP_PKCS11] MD_EnableCachePIN": ["0 default (cardtwin's own)"],
        "[CSP_PKCS11] CSP_EnableCachePIN": ["0 default (cardtwin's own)"],
    }


def test_another_program_has_the_general_value(tmp_path: Path) -> None:
    system = tmp_path / "system.cfg"
    system.write_text(SYSTEM)
    result = explain("--process", "browser.exe", "--system", system)

    assert rows(result)["[CSP_PKCS11] P11_LogoutAfterSign"] == [f"1 {system}:7 (system file)"]


def test_without_files_all_values_are_told_as_cardtwins_own() -> None:
    result = explain("--process", "java.exe")

    assert result.exit_code == 0
    assert result.stdout.count("default (cardtwin's own)") == len(result.stdout.splitlines()) - 1


def test_warnings_go_to_standard_error_and_do_not_fail(tmp_path: Path) -> None:
    system = tmp_path / "system.cfg"
    system.write_text("[Cache]\nCacheValdity=0\n")
    result = explain("--process", "java.exe", "--system", system)

    assert result.exit_code == 0
    assert "did you mean 'CacheValidity'?" in result.stderr
    assert "CacheValdity" not in result.stdout


def test_a_broken_value_fails_with_its_place_and_shows_no_table(tmp_path: Path) -> None:
    user = tmp_path / "user.cfg"
    user.write_text("[Reader]\nSkipReader=(\n")
    result = explain("--process", "java.exe", "--user", user)

    assert result.exit_code == 1
    assert f"{user}:2:12: error:" in result.stderr
    assert result.stdout == ""


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert explain("--process", "java.exe", "--system", tmp_path / "none.cfg").exit_code == 2
    assert explain("--system", tmp_path / "none.cfg").exit_code == 2
