"""The file system: MasterFile, CreateDf, CreateEf, File, CreateFiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.plan import Access, Operation
from cardtwin.ppa import declared, readers
from cardtwin.ppa.files import complete
from cardtwin.ppa.layout import Body, Directory, File
from cardtwin.ppa.syntax import Assignment, ByteString, String
from cardtwin.ppa.vocabulary import Place, procedure, statement
from cardtwin.source import Note

if TYPE_CHECKING:
    from cardtwin.ppa.line import Arguments, Line
    from cardtwin.ppa.run import Run
    from cardtwin.ppa.syntax import Expression, Name

_MASTER_FILE = 0x3F00


@statement("MasterFile")
def master_file(run: Run, line: Line) -> None:
    """Lay out what lies in the master file."""
    run.once("MasterFile", line.span)
    keyword = line.directive.keyword
    run.layout.root = Directory(keyword, _MASTER_FILE, line.span, None, line.span, path=(_MASTER_FILE,))
    _fill(run, run.layout.root, line)


@statement(
    "CreateDf",
    operands=("name",),
    attributes=("id", "maxsize", "update", "create", "aid"),
    place=Place.DIRECTORY,
)
def create_df(run: Run, line: Line) -> None:
    """Declare a DF and lay out what lies in it."""
    name = _new_name(run, line)

    directory = Directory(
        name,
        line.required("id", readers.file_id),
        line.span_of("id"),
        line.required("maxsize", readers.size),
        line.span_of("maxsize"),
        _access(line, Operation.UPDATE, Operation.CREATE),
        line.optional("aid", _aid, b""),
    )
    run.layout.add(directory)
    _fill(run, directory, line)


@statement(
    "CreateEf",
    operands=("name",),
    attributes=("id", "maxsize", "read", "update"),
    place=Place.DIRECTORY,
)
def create_ef(run: Run, line: Line) -> None:
    """Declare a transparent EF."""
    name = _new_name(run, line)

    file = File(
        name,
        line.required("id", readers.file_id),
        line.span_of("id"),
        line.required("maxsize", readers.size),
        line.span_of("maxsize"),
        _access(line, Operation.READ, Operation.UPDATE),
    )
    run.layout.add(file)


def _fill(run: Run, directory: Directory, line: Line) -> None:
    run.layout.open.append(directory)
    run.execute(line.body, Place.DIRECTORY)
    run.layout.open.pop()


def _new_name(run: Run, line: Line) -> Name:
    name = line.operand(0, readers.name)

    if (first := run.layout.find(name.key)) is not None:
        run.reject(
            "duplicate-name",
            f"{name.text} is declared a second time",
            name.span,
            remedy="choose another name",
            notes=(Note("the first declaration", first.name.span),),
        )

    return name


def _access(line: Line, *operations: Operation) -> dict[Operation, Access]:
    return {operation: line.required(operation.value, readers.access) for operation in operations}


def _aid(run: Run, expression: Expression) -> bytes:
    aid = readers.byte_string(run, expression)

    if not 1 <= len(aid) <= 16:
        run.reject(
            "bad-aid",
            f"a DF name of {len(aid)} bytes",
            expression.span,
            expected="1 to 16 bytes (ISO/IEC 7816-4:2020, 7.4.1)",
        )

    return aid


@statement("File", operands=("Static or Dynamic", "a file's name"))
def file(run: Run, line: Line) -> None:
    """Say what a file holds."""
    literal = line.operand(0, readers.one_of({"Static": True, "Dynamic": False}))
    found = _without_body(run, line)
    data = _data(run, line)

    if literal and not isinstance(data, (ByteString, String)):
        run.reject(
            "static-not-literal",
            "the data of File Static is written out",
            data.span,
            expected="bytes such as 0x{3F 00}, or a text",
            remedy=f"write File Dynamic {found.name.text} for contents that are worked out",
        )

    found.body = Body(line.operand(1, readers.name), data)


def _data(run: Run, line: Line) -> Expression:
    data: Assignment | None = None

    for each in line.body:
        if not isinstance(each, Assignment) or each.name.key != "data":
            run.reject(
                "misplaced",
                "only data= stands in a File",
                each.span,
                remedy="put Endfile before this line",
            )

        if data is not None:
            run.reject(
                "duplicate-data",
                "a file has one data=",
                each.name.span,
                remedy="put all bytes into one 0x{ }",
                notes=(Note("the first one", data.name.span),),
            )

        data = each

    if data is None:
        run.reject("missing-data", "this File says no data", line.span, expected="data=... before Endfile")

    return data.value


def _without_body(run: Run, line: Line) -> File:
    found = line.operand(1, declared.file)

    if found.body is not None:
        run.reject(
            "duplicate-body",
            f"{found.name.text} has its contents already",
            line.directive.operands[1].span,
            remedy="put all bytes into one File",
            notes=(Note("the first one", found.body.name.span),),
        )

    return found


@procedure("CreateFiles")
def create_files(run: Run, arguments: Arguments) -> None:
    """Make the files: what is dynamic is worked out here, and everything is checked to fit."""
    run.once("CreateFiles()", arguments.span)

    if run.layout.root is None:
        run.reject(
            "order",
            "CreateFiles() stands before MasterFile",
            arguments.span,
            remedy="lay the files out first: MasterFile, CreateDf, CreateEf, Endfile",
        )

    complete(run)
