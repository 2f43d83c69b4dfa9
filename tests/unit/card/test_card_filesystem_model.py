"""The file system against a model of it in plain Python: a tree of dictionaries."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cardtwin.card import CardView
from support.cardbench import CardBench, command, tlv

IDS = st.sampled_from(["1001", "1002", "1003", "1004"])


class FileSystem(RuleBasedStateMachine):
    """Creates, selects, writes, reads and deletes; the model knows what must come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = CardBench()
        self.tree: dict[str, bytearray | None] = {"3F00": None}
        self.df = "3F00"
        self.ef: str | None = None

    @initialize()
    def begin(self) -> None:
        self.bench.ok("00A4000C")

    def _fcp(self, file_id: str, head: str) -> str:
        return command("00E00000", tlv("62", f"{head}8302{file_id}" + tlv("86", "00" * 9)))

    @rule(file_id=IDS, size=st.integers(1, 20))
    def create_ef(self, file_id: str, size: int) -> None:
        path = f"{self.df}/{file_id}"
        response = self.bench.send(self._fcp(file_id, f"8002{size:04X}820101"))
        assert response == ("6A89" if path in self.tree else "9000")

        if path not in self.tree:
            self.tree[path] = bytearray(size)
            self.ef = path

    @rule(file_id=IDS)
    def create_df(self, file_id: str) -> None:
        path = f"{self.df}/{file_id}"
        response = self.bench.send(self._fcp(file_id, "81020100820138"))
        assert response == ("6A89" if path in self.tree else "9000")

        if path not in self.tree:
            self.tree[path] = None
            self.df, self.ef = path, None

    @rule(file_id=IDS)
    def select_child(self, file_id: str) -> None:
        path = f"{self.df}/{file_id}"
        candidates = [path, *(at for at in (self.df, _parent(self.df)) if at.endswith(file_id))]
        found = next((at for at in candidates if at in self.tree), None)
        assert self.bench.send(f"00A4000C02{file_id}") == ("9000" if found else "6A82")
        self._select(found)

    @rule(steps=st.lists(IDS, min_size=1, max_size=3))
    def select_path(self, steps: list[str]) -> None:
        path = "/".join(["3F00", *steps])
        response = self.bench.send(command("00A4080C", "".join(steps)))
        assert response == ("9000" if path in self.tree else "6A82")
        self._select(path if path in self.tree else None)

    @rule()
    def select_parent(self) -> None:
        self.bench.ok("00A4030C")
        self._select(_parent(self.df))

    def _select(self, path: str | None) -> None:
        if path is not None:
            is_df = self.tree[path] is None
            self.df = path if is_df else _parent(path)
            self.ef = None if is_df else path

    @rule(file_id=IDS)
    def delete(self, file_id: str) -> None:
        path = f"{self.df}/{file_id}"
        assert self.bench.send(f"00E4000002{file_id}") == ("9000" if path in self.tree else "6A82")
        self.tree = {
            at: content for at, content in self.tree.items() if not (at + "/").startswith(path + "/")
        }
        self.ef = self.ef if self.ef in self.tree else None

    @precondition(lambda self: self.ef is not None)
    @rule(offset=st.integers(0, 24), data=st.binary(min_size=1, max_size=8))
    def write(self, offset: int, data: bytes) -> None:
        content = self.tree[self.ef or ""]
        assert content is not None
        response = self.bench.send(command(f"00D6{offset:04X}", data.hex()))

        if offset >= len(content):
            assert response == "6B00"
        elif offset + len(data) > len(content):
            assert response == "6A84"
        else:
            assert response == "9000"
            content[offset : offset + len(data)] = data

    @precondition(lambda self: self.ef is not None)
    @rule(offset=st.integers(0, 24), le=st.integers(1, 30))
    def read(self, offset: int, le: int) -> None:
        content = self.tree[self.ef or ""]
        assert content is not None
        expected = "6B00" if offset >= len(content) else content[offset : offset + le].hex().upper() + "9000"
        assert self.bench.send(f"00B0{offset:04X}{le:02X}") == expected

    @rule()
    def list_files(self) -> None:
        children = [at[-4:] for at in self.tree if "/" in at and _parent(at) == self.df]
        expected = "".join(f"6F048602{file_id}" for file_id in children) or "6F00"
        assert self.bench.ok("8016020000") == expected

    @invariant()
    def the_card_holds_what_the_model_holds(self) -> None:
        files = CardView(self.bench.card.image).files
        assert {at: view.content for at, view in files.items() if view.kind != "df"} == {
            at: bytes(content) for at, content in self.tree.items() if content is not None
        }
        assert list(files) == list(self.tree)
        assert self.bench.ok("00CA018700") == self.df.replace("/", "")[4:]


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or path


TestFileSystem = FileSystem.TestCase
TestFileSystem.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
