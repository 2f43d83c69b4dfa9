"""The library in programs of their own: fork, threads, and many at once."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from cardtwin.middleware import Ckr
from support.cryptoki import BOUND
from support.native_programs import finished, line, ran, start, tell

if TYPE_CHECKING:
    from pathlib import Path

    from support.cryptoki import Served


def test_a_forked_child_is_not_initialised_and_its_parent_goes_on(library: Path, token: Served) -> None:
    output = ran(
        library,
        """
        module.C_Initialize(None)
        sign()

        if not os.fork():
            print(hex(module.C_GetInfo(room(88))), hex(module.C_Finalize(None)))
            print(module.C_Initialize(None), sign(), module.C_Finalize(None), flush=True)
            os._exit(0)

        os.wait()
        print(sign(), module.C_Finalize(None))
        """,
    )
    assert output.split() == ["0x190", "0x190", "0", "True", "0", "True", "0"]
    assert len({program.client.pid for program in token.programs}) == 2


def test_a_forked_child_does_not_keep_its_parents_application_open(library: Path, token: Served) -> None:
    child = start(
        library,
        """
        module.C_Initialize(None)
        sign()

        if os.fork():
            os._exit(0)

        print("there", flush=True)
        sys.stdin.readline()
        """,
    )
    assert line(child) == "there"
    assert token.program.closed.wait(BOUND)
    tell(child)
    finished(child)


def test_fork_while_other_threads_call_leaves_both_sides_well(library: Path, token: Served) -> None:
    output = ran(
        library,
        """
        module.C_Initialize(None)
        going = True

        def call():
            while going:
                assert sign() is True

        threads = [threading.Thread(target=call) for _ in range(3)]
        [thread.start() for thread in threads]
        states = []

        for _ in range(20):
            child = os.fork()

            if not child:
                results = module.C_GetInfo(room(88)), module.C_Initialize(None), sign()
                os._exit(0 if results == (0x190, 0, True) else 1)

            states.append(os.waitpid(child, 0)[1])

        going = False
        [thread.join() for thread in threads]
        print(set(states), module.C_Finalize(None))
        """,
    )
    assert output.split() == ["{0}", "0"]


def test_the_death_of_a_program_closes_its_application(library: Path, token: Served) -> None:
    process = start(library, "module.C_Initialize(None); print('there', flush=True); sys.stdin.read()")
    assert line(process) == "there"
    process.send_signal(signal.SIGKILL)

    with process:
        assert token.program.closed.wait(BOUND)


def test_threads_of_one_program_call_at_once(library: Path, token: Served) -> None:
    output = ran(
        library,
        """
        module.C_Initialize(None)
        results = []

        def call(number):
            results.extend(sign(bytes([number, at % 256]) * 100) for at in range(100))

        threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(len(results), set(results), module.C_Finalize(None))
        """,
    )
    assert output.split() == ["800", "{True}", "0"]
    assert len(token.programs) == 1


def test_threads_that_initialise_at_once_all_find_the_library_ready(library: Path, token: Served) -> None:
    output = ran(
        library,
        """
        results = []

        for _ in range(20):
            at_once = threading.Barrier(8)

            def initialize():
                at_once.wait()
                rv = module.C_Initialize(None)
                results.append((hex(rv), module.C_GetInfo(room(88))))

            threads = [threading.Thread(target=initialize) for _ in range(8)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            module.C_Finalize(None)

        print(*sorted(set(results)), results.count(("0x0", 0)))
        """,
    )
    assert output.strip() == "('0x0', 0) ('0x191', 0) 20"


def test_threads_that_initialise_at_once_in_vain_are_all_told_why(library: Path) -> None:
    output = ran(
        library,
        """
        at_once = threading.Barrier(8)
        results = set()

        def initialize():
            at_once.wait()
            results.add(hex(module.C_Initialize(None)))

        threads = [threading.Thread(target=initialize) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(*results, hex(module.C_GetInfo(room(88))))
        """,
        CARDTWIN_SOCKET="/dev/null",
    )
    assert output.split() == ["0x30", "0x190"]


def test_a_child_of_threads_that_initialise_initialises_for_itself(library: Path, token: Served) -> None:
    output = ran(
        library,
        """
        over = threading.Event()

        def come_and_go():
            while not over.is_set():
                module.C_Initialize(None)
                module.C_Finalize(None)

        threads = [threading.Thread(target=come_and_go) for _ in range(4)]
        [thread.start() for thread in threads]
        states = set()

        for _ in range(20):
            child = os.fork()

            if not child:
                os._exit(0 if module.C_Initialize(None) == 0 and sign() is True else 1)

            states.add(os.waitpid(child, 0)[1])

        over.set()
        [thread.join() for thread in threads]
        print(*states)
        """,
    )
    assert output.split() == ["0"]


def test_c_finalize_beside_calls_of_other_threads_ends_them_in_order(library: Path, token: Served) -> None:
    output = ran(
        library,
        """
        results = set()

        for _ in range(20):
            module.C_Initialize(None)
            began = threading.Barrier(5)

            def call():
                began.wait()

                while True:
                    result = sign()
                    results.add(result)

                    if result is not True:
                        return

            threads = [threading.Thread(target=call) for _ in range(4)]
            [thread.start() for thread in threads]
            began.wait()
            assert module.C_Finalize(None) == 0
            [thread.join() for thread in threads]

        print(*sorted(results))
        """,
    )
    assert set(output.split()) <= {"True", str(int(Ckr.CKR_CRYPTOKI_NOT_INITIALIZED))}


def test_many_programs_are_kept_apart(library: Path, token: Served) -> None:
    program = """
    module.C_Initialize(None)
    handles = [ulong() for _ in range(5)]
    rvs = {module.C_OpenSession(1, 4, None, None, ctypes.byref(handle)) for handle in handles}
    print(*rvs, *(handle.value for handle in handles))
    """
    processes = [start(library, program) for _ in range(16)]
    assert {finished(process)[0] for process in processes} == {"0 1 2 3 4 5\n"}
    assert len({program.client.pid for program in token.programs}) == 16


def test_a_second_copy_of_the_library_is_an_application_of_its_own(
    library: Path, token: Served, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.so"
    copy.write_bytes(library.read_bytes())
    output = ran(
        library,
        f"""
        other = Module({str(copy)!r})
        print(module.C_Initialize(None), other.C_Initialize(None), module.C_Finalize(None))
        print(other.C_GetInfo(room(88)), hex(module.C_GetInfo(room(88))))
        """,
    )
    assert output.split() == ["0", "0", "0", "0", "0x190"]
    assert len(token.programs) == 2
