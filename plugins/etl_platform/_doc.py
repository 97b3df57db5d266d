"""Writes a DAG's page: what the pipeline is, in words, and its whole text.

An edit of any of that text is a new page, and so a new version of the DAG: Airflow shows which run used which code.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from etl_platform._flow import Place, flow_of
from etl_platform._pipeline import Broken, Pipeline


def page_of(pipeline: Pipeline) -> str:
    """Write the page of a pipeline."""
    return "\n".join(_lines(pipeline))


def page_of_broken(broken: Broken) -> str:
    """Write the page of a file that is no pipeline: its problems, and its text."""
    return f"# This pipeline cannot run\n\n```text\n{broken}\n```\n\n{block('yaml', broken.text)}"


def _lines(pipeline: Pipeline) -> Iterator[str]:
    flow = flow_of(pipeline)
    picture = f"dags/{quote(pipeline.name)}/plugin/data-flow"
    yield from (pipeline.description, "") if pipeline.description else ()
    yield f"- **Owner:** {pipeline.owner}"
    yield from (f"- **Tags:** {', '.join(pipeline.tags)}",) if pipeline.tags else ()
    yield f"- **Runs:** {flow.starts}"
    yield f"- **Data flow:** [the picture]({picture})"
    yield from ("", *_table("Reads", [(f"`{place.name}`", _linked(place, place.about)) for place in flow.reads]))
    written = [(_linked(place, place.name), place.about) for place in flow.writes]
    report = [(f"*{flow.report}*", "the report")] if flow.report else []
    yield from ("", *_table("Writes", [*written, *report]))
    yield from ("", "## Pipeline", "", block("yaml", pipeline.text), "")
    for name, code in pipeline.files.items():
        yield from (f"## {name}", "", block("sql" if name.endswith(".sql") else "python", code), "")


def _table(heading: str, rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Write a table: in a list, Airflow draws code in boxes that cover the line before."""
    yield from (f"| {heading} | |", "|---|---|")
    yield from (f"| {' | '.join(cell.replace('|', '\\|') for cell in row)} |" for row in rows)


def _linked(place: Place, words: str) -> str:
    """Link a table of the warehouse with Airflow's list of assets, which knows who else reads and writes it."""
    return f"[{words}](assets?name_pattern={quote(place.table)})" if place.table else f"`{words}`"


def block(language: str, text: str) -> str:
    """Fence a text with more backticks than it has itself."""
    fence = "`" * max(
        3, max((len(run) for run in text.replace("\n", " ").split(" ") if set(run) == {"`"}), default=0) + 1
    )
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
