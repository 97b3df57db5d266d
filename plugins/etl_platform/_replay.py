"""Lets runs that set rows aside do their work once more, after a fix."""

from collections.abc import Callable, Sequence

import httpx

from etl_contract import StageName, StageResult
from etl_platform._airflow_api import AirflowApi
from etl_platform._follow import follow_stages, run_address, wait_for_dag_of

WAIT_SECONDS = 120  # until Airflow has read a file that was just mended
_ORDER = [stage.value for stage in StageName]


def replay(
    pipeline: str,
    runs: Sequence[str],
    quarantined: set[str],
    say: Callable[[str], None],
    login: Callable[[], AirflowApi] = AirflowApi.login,
) -> int:
    """Run again, one after the other; give 0 if all succeeded.

    A run whose sources remember what they gave starts from transform, since they would give it other rows now; and so
    does every later one, since its newer rows have to meet the older ones in their order.

    Args:
        pipeline: its name.
        runs: those that have loaded since the first that set rows aside, in the order of their intervals.
        quarantined: those of them that set rows aside.
        say: takes each line.
        login: opens Airflow's REST API.
    """
    try:
        api = login()
        if complaint := wait_for_dag_of(api, pipeline, WAIT_SECONDS):
            say(complaint)
            return 1
        remembering = False
        for run_id in runs:
            extracted = _extracted(api, pipeline, run_id)
            remembering |= run_id in quarantined and bool(extracted and (extracted.watermarks or extracted.files))
            if run_id not in quarantined and not remembering:
                continue
            if not _again(api, pipeline, run_id, StageName.transform if remembering else StageName.extract, say):
                return 1
    except httpx.HTTPStatusError as error:
        say(f"Airflow answered {error.response.status_code} to {error.request.url}: {error.response.text[:500]}")
        return 1
    except httpx.TransportError as error:
        say(f"Airflow does not answer: {error}. Is it up? make status")
        return 1
    return 0


def _extracted(api: AirflowApi, pipeline: str, run_id: str) -> StageResult | None:
    """Give what extract left, if the run is still known and it left something."""
    try:
        return StageResult.model_validate(api.result(pipeline, run_id, StageName.extract.value))
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise
        return None


def _again(api: AirflowApi, pipeline: str, run_id: str, first: StageName, say: Callable[[str], None]) -> bool:
    """Clear the run's stages from the first on, and follow them; say whether all went well."""
    if (run := api.find_run(pipeline, run_id)) is None:
        say(f"{pipeline}: Airflow has forgotten the run {run_id}; load its interval with: make run PIPELINE={pipeline}")
        return False
    if run["state"] not in {"success", "failed"}:
        say(f"{pipeline}: {run_id} is under way. Replay it when it is over: {run_address(pipeline, run_id)}")
        return False
    tasks = api.tasks(pipeline, run_id)
    again = [name for name in _ORDER[_ORDER.index(first.value) :] if name in tasks]
    say(f"{pipeline}: replaying {run_id} from {first}")
    api.clear(pipeline, run_id, again)
    return follow_stages(api, pipeline, run_id, say)
