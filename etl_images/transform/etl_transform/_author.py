"""Holds the author's function: loads its text, calls it, and points its errors into its file."""

import difflib
import inspect
import linecache
import signal
import traceback
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

import pandas as pd

from etl_contract import Interval, PandasTransform, SpecError, StageError, Value
from etl_transform._place import FOLDER

NO_PARAMS: Mapping[str, Value] = MappingProxyType({})
INTERVAL, PARAMS = "interval", "params"
TERMINATED = 128 + signal.SIGTERM  # how the contract ends a stage that is told to stop


class AuthorFunction:
    """A function of the author's file, which takes DataFrames by its parameters' names.

    A parameter called `interval` receives the run's Interval, one called `params` the pipeline's parameters by name.
    """

    def __init__(self, function: Callable[..., Any], path: str) -> None:
        self._function = function
        self._path = path
        self._name = function.__name__

    @property
    def first(self) -> str:
        """Name the first dataset that it takes."""
        return next(
            (name for name in inspect.signature(self._function).parameters if name not in {INTERVAL, PARAMS}), ""
        )

    @property
    def where(self) -> str:
        """Say where it stands."""
        return f"{self._path}, line {self._function.__code__.co_firstlineno}"

    def arguments(self, names: Iterable[str]) -> set[str]:
        """Say which of these datasets the function takes.

        Raises:
            SpecError: it takes one that is not there.
        """
        available = list(names)
        parameters = inspect.signature(self._function).parameters.values()
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return set(available)
        needed = [parameter for parameter in parameters if parameter.name not in {INTERVAL, PARAMS}]
        for parameter in needed:
            if parameter.name not in available and parameter.default is parameter.empty:
                raise SpecError(
                    f"{self._name} takes '{parameter.name}', but no source has that name",
                    where=self.where,
                    hint=f"There are: {', '.join(available)}.{_guess(parameter.name, available)}",
                )
        return {parameter.name for parameter in needed} & set(available)

    def __call__(
        self, frames: Mapping[str, pd.DataFrame], interval: Interval, params: Mapping[str, Value] = NO_PARAMS
    ) -> dict[str, pd.DataFrame]:
        """Call the function and check what it gives back."""
        parameters = inspect.signature(self._function).parameters
        extra = {name: value for name, value in ((INTERVAL, interval), (PARAMS, dict(params))) if name in parameters}
        with_place = f"{self._path}, {self._name}"
        try:
            produced = self._function(**frames, **extra)
        except (StageError, MemoryError):
            raise
        except (Exception, SystemExit) as error:
            if isinstance(error, SystemExit) and error.code == TERMINATED:
                raise
            raise _located(error, self._path) from error
        hint = 'Return a dict of DataFrames by name, such as {"flights": flights}.'
        if not isinstance(produced, dict) or not produced:
            raise SpecError(f"it returned {type(produced).__name__}", where=with_place, hint=hint)
        for name, frame in produced.items():
            if not isinstance(name, str) or not isinstance(frame, pd.DataFrame):
                raise SpecError(f"{name!r} is {type(frame).__name__}, no DataFrame", where=with_place, hint=hint)
        return produced


def load_function(spec: PandasTransform, files: Mapping[str, str]) -> AuthorFunction:
    """Run the author's file and give the function that the pipeline names.

    Raises:
        SpecError: the file does not compile or run, or has no such function.
    """
    path = f"{FOLDER}/{spec.file}"
    text = files[spec.file]
    # So that a traceback can show the author's lines, which stand in no file of this container.
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    module = ModuleType(spec.file.removesuffix(".py"))
    try:
        exec(compile(text, path, "exec"), module.__dict__)  # noqa: S102 - running the author's code is the purpose
    except SyntaxError as error:
        raise SpecError(f"{error.msg}: {(error.text or '').strip()}", where=f"{path}, line {error.lineno}") from error
    except (Exception, SystemExit) as error:
        raise _located(error, path) from error
    function = getattr(module, spec.function, None)
    if not inspect.isfunction(function):
        there = [name for name, value in vars(module).items() if inspect.isfunction(value)]
        hint = f"It has: {', '.join(there) or 'no function'}.{_guess(spec.function, there)}"
        raise SpecError(f"there is no function '{spec.function}'", where=path, hint=hint)
    return AuthorFunction(function, path)


def _located(error: BaseException, path: str) -> SpecError:
    """Point an author's exception to the author's own line, and show the way to it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    way = "".join(traceback.format_list(frames)).rstrip()
    problem = "".join(traceback.format_exception_only(error)).strip()
    where = f"{path}, line {frames[-1].lineno}, in {frames[-1].name}" if frames else path
    return SpecError(problem, where=where, hint=f"The way to it:\n{way}")


def _guess(word: str, words: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(words), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""
