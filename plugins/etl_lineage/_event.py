"""Makes the event of a fact, by the classes of OpenLineage's own library; each names the schema that it is valid by."""

from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version

from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    JobFacet,
    RunFacet,
    documentation_job,
    error_message_run,
    job_type_job,
    nominal_time_run,
    ownership_job,
    parent_run,
    processing_engine_run,
    set_producer,
    source_code_job,
    sql_job,
    tags_run,
)
from openlineage.client.serde import Serde
from openlineage.client.uuid import generate_static_uuid

from etl_contract import ExtractTask, PandasTransform, SqlSource, SqlTransform, TransformTask, steps_of
from etl_lineage._columns import DIALECT
from etl_lineage._datasets import inputs, outputs
from etl_lineage._facts import Fact, RunFact
from etl_lineage._places import Places
from etl_lineage._settings import LineageSettings

PRODUCER = "urn:etl-platform:lineage"
set_producer(PRODUCER)


def event(fact: Fact | RunFact, settings: LineageSettings) -> str:
    """Write the event of a fact as one line of JSON."""
    made = _of_try(fact, settings) if isinstance(fact, Fact) else _of_run(fact, settings)
    return Serde.to_json(made)


def _of_run(fact: RunFact, settings: LineageSettings) -> RunEvent:
    facets: dict[str, RunFacet] = {"processing_engine": _engine(), "tags": _tags(run_id=fact.run_id)}
    return RunEvent(
        eventType=RunState[fact.state.value],
        eventTime=_instant(fact.at),
        run=Run(runId=_parent_id(fact.queued, fact.pipeline, fact.run_id, settings), facets=facets),
        job=Job(settings.namespace, fact.pipeline, facets={"jobType": _kind("DAG")}),
    )


def _of_try(fact: Fact, settings: LineageSettings) -> RunEvent:
    places = Places(settings)
    return RunEvent(
        eventType=RunState[fact.state.value],
        eventTime=_instant(fact.at),
        run=Run(runId=_run_id(fact, settings), facets=_run_facets(fact, settings)),
        job=Job(settings.namespace, f"{fact.task.pipeline}.{fact.task.stage}", facets=_job_facets(fact)),
        inputs=inputs(fact, places),
        outputs=outputs(fact, places),
    )


def _parent_id(queued: datetime, pipeline: str, run_id: str, settings: LineageSettings) -> str:
    """Give a pipeline's run its id, the same whoever tells of it."""
    return str(generate_static_uuid(queued, f"{settings.namespace}/{pipeline}/{run_id}".encode()))


def _run_id(fact: Fact, settings: LineageSettings) -> str:
    """Give a try its id: the same from its beginning to its end."""
    task = fact.task
    named = f"{settings.namespace}/{task.pipeline}.{task.stage}/{task.run_id}/{fact.map_index}/{task.try_number}"
    return str(generate_static_uuid(fact.began, named.encode()))


def _run_facets(fact: Fact, settings: LineageSettings) -> dict[str, RunFacet]:
    task = fact.task
    parent = _parent_id(fact.queued, task.pipeline, task.run_id, settings)
    facets: dict[str, RunFacet] = {
        "parent": parent_run.ParentRunFacet(
            run=parent_run.Run(parent), job=parent_run.Job(settings.namespace, task.pipeline)
        ),
        "nominalTime": nominal_time_run.NominalTimeRunFacet(
            nominalStartTime=_instant(task.interval.start), nominalEndTime=_instant(task.interval.end)
        ),
        "processing_engine": _engine(),
        "tags": _tags(run_id=task.run_id, try_number=str(task.try_number), image=fact.image),
    }
    if fact.problem:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(fact.problem, programmingLanguage="Python")
    return facets


def _tags(**tags: str) -> tags_run.TagsRunFacet:
    fields = [tags_run.TagsRunFacetFields(key, value, source="AIRFLOW") for key, value in tags.items()]
    return tags_run.TagsRunFacet(tags=fields)


def _kind(of: str) -> job_type_job.JobTypeJobFacet:
    return job_type_job.JobTypeJobFacet(processingType="BATCH", integration="AIRFLOW", jobType=of)


def _instant(moment: datetime) -> str:
    """Write it in UTC: offsets of old have seconds, which RFC 3339 has not."""
    return moment.astimezone(UTC).isoformat()


@cache
def _engine() -> processing_engine_run.ProcessingEngineRunFacet:
    adapter = version("openlineage-python")
    return processing_engine_run.ProcessingEngineRunFacet(
        version=version("apache-airflow-core"), name="Airflow", openlineageAdapterVersion=adapter
    )


def _job_facets(fact: Fact) -> dict[str, JobFacet]:
    facets: dict[str, JobFacet] = {
        "jobType": _kind("TASK"),
        "ownership": ownership_job.OwnershipJobFacet(owners=[ownership_job.Owner(fact.owner)]),
    }
    if fact.description:
        facets["documentation"] = documentation_job.DocumentationJobFacet(fact.description)
    match fact.task:
        case ExtractTask() as task:
            queries = {
                name: source.query
                for name, source in task.spec.items()
                if isinstance(source, SqlSource) and source.query
            }
            facets |= _sql(queries)
        case TransformTask() as task:
            facets |= _code(task)
    return facets


def _code(task: TransformTask) -> dict[str, JobFacet]:
    """Give the author's SQL and the author's functions, as they stand in the pipeline's files."""
    sql: dict[str, str] = {}
    python: list[str] = []
    for number, step in enumerate(steps_of(task.spec), start=1):
        match step:
            case SqlTransform(sql=dict(queries)):
                sql |= queries
            case SqlTransform(sql=str(text)):
                sql[step.file or f"step {number}"] = task.files[step.file] if step.file else text
            case PandasTransform():
                python.append(step.file)
    facets = _sql(sql, DIALECT)
    if python:
        code = "\n\n".join(f"# {name}\n{task.files[name]}" for name in dict.fromkeys(python))
        facets["sourceCode"] = source_code_job.SourceCodeJobFacet("python", code)
    return facets


def _sql(queries: dict[str, str], dialect: str | None = None) -> dict[str, JobFacet]:
    if not queries:
        return {}
    text = "\n\n".join(f"-- {name}\n{query.strip().rstrip(';')};" for name, query in queries.items())
    return {"sql": sql_job.SQLJobFacet(text, dialect)}
