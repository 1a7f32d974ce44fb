import logging
from collections.abc import Callable

import pytest
import typer
from typer.testing import CliRunner, Result

from pochoir import errors
from pochoir.cli.console import Command, Verbose
from support.program import error_line


def raise_in_a_command(error: BaseException, *arguments: str) -> Result:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command(cls=Command)
    def fail(verbose: Verbose = False) -> None:
        logging.getLogger("pochoir.somewhere").debug("on the way")
        raise error

    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.PochoirError, 1),
        (errors.WriteError, 1),
        (errors.MissingExtraError, 1),
        (errors.InputError, 2),
        (errors.ImageReadError, 2),
        (errors.OutputPathError, 2),
        (errors.WeightsError, 3),
        (errors.WeightsMissingError, 3),
        (errors.WeightsDownloadError, 3),
    ],
)
def test_each_kind_of_error_has_its_exit_code(kind: Callable[[str], BaseException], code: int) -> None:
    result = raise_in_a_command(kind("The file 'a [b].png' is\nnot right."))
    assert result.exit_code == code
    assert error_line(result) == "The file 'a [b].png' is not right."
    assert result.stdout == ""


def test_a_fault_of_ours_is_one_line_too() -> None:
    result = raise_in_a_command(ZeroDivisionError("division by zero"))
    assert result.exit_code == 1
    assert error_line(result) == "ZeroDivisionError: division by zero. Run with -v for the traceback."


def test_verbose_shows_traceback_and_log_and_leaves_logging_as_it_was() -> None:
    logger = logging.getLogger("pochoir")
    before = (logger.level, list(logger.handlers))
    result = raise_in_a_command(ZeroDivisionError("division by zero"), "-v")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "on the way" in result.stderr
    assert (logger.level, logger.handlers) == before
    assert "on the way" not in raise_in_a_command(ValueError()).stderr


def test_ctrl_c_is_exit_130() -> None:
    result = raise_in_a_command(KeyboardInterrupt())
    assert result.exit_code == 130
    assert error_line(result) == "Interrupted."


def test_ctrl_c_that_a_library_wraps_is_exit_130_too() -> None:
    wrapped = ValueError("Error calling function `<lambda>`: KeyboardInterrupt")
    wrapped.__cause__ = KeyboardInterrupt()
    result = raise_in_a_command(wrapped)
    assert result.exit_code == 130
    assert error_line(result) == "Interrupted."
