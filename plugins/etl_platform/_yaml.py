"""Reads YAML into plain values, and remembers the line of each."""

from typing import Any

import yaml

from etl_platform._problems import Path, Problem

Lines = dict[Path, int]


class NotYaml(Exception):
    """The text is no YAML mapping; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def read_yaml(text: str) -> tuple[dict[str, Any], Lines, list[Problem]]:
    """Give the mapping, the line of each of its values by path, and a problem for each key that stands twice.

    Raises:
        NotYaml: it cannot be read at all.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise NotYaml(Problem(line, (), f"this is no YAML: {error.problem or error.context}")) from error
    except yaml.YAMLError as error:
        raise NotYaml(Problem(1, (), f"this is no YAML: {error}")) from error
    if not isinstance(node, yaml.MappingNode):
        message = "a pipeline is a mapping such as 'extract:', but this file is " + (
            "empty" if node is None else "none"
        )
        raise NotYaml(Problem(1, (), message))
    reader = _Reader(loader)
    return reader.value(node, ()), reader.lines, reader.problems


def text_lines(text: str) -> dict[str, int]:
    """Give the line on which each text of a file begins, by its path with dots, the items of a list counted from 1."""
    lines: dict[str, int] = {}

    def walk(node: yaml.Node, path: str) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                walk(value, f"{path}.{key.value}" if path else str(key.value))
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value, start=1):
                walk(item, f"{path}.{number}")
        elif isinstance(node, yaml.ScalarNode):  # a block begins on the line after its | or >
            lines[path] = node.start_mark.line + 1 + (node.style in {"|", ">"})

    if node := yaml.SafeLoader(text).get_single_node():
        walk(node, "")
    return lines


class _Reader:
    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader = loader
        self.lines: Lines = {}
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: Path) -> Any:  # noqa: ANN401 - any YAML value
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        try:
            return self._loader.construct_object(node)
        except (ValueError, yaml.YAMLError) as error:  # such as the date 2026-13-40
            self.problems.append(Problem(node.start_mark.line + 1, path, f"'{node.value}' cannot be read: {error}"))
            return None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            inner = (*path, key)
            line = key_node.start_mark.line + 1
            if key in values:
                self.problems.append(Problem(line, inner, f"stands twice; first in line {self.lines[inner]}"))
                continue
            self.lines[inner] = line
            values[key] = self.value(value_node, inner)
        return values
