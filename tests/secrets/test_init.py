"""What the secrets service leaves in its volume."""

import re
from pathlib import Path

import pytest

from etl_secrets import FILES, VOLUMES, SecretsError, init, matches
from tests.secrets.conftest import Place

PEM = r"-----BEGIN CERTIFICATE-----\n[\w+/=\n]+\n-----END CERTIFICATE-----"
PAIR = r"-----BEGIN PRIVATE KEY-----\n[\w+/=\n]+\n-----END PRIVATE KEY-----\n" + PEM


def uri(scheme: str, role: str, database: str, ca: str) -> str:
    """Give the form of a URI that makes sure of its server."""
    return rf"{scheme}://{role}:[\w-]{{43}}@postgres:5432/{database}\?sslmode=verify-full&sslrootcert=/run/secrets/{ca}"


LAYOUT = {
    "airflow/admin_password": r"[\w-]{43}",
    "airflow/api_secret_key": r"[\w-]{86}",
    "airflow/ca.pem": PEM,
    "airflow/database_url": uri(r"postgresql\+psycopg2", "airflow", "airflow", "ca.pem"),
    "airflow/database_url_async": uri(r"postgresql\+psycopg", "airflow", "airflow", "ca.pem"),
    "airflow/fernet_key": r"[\w-]{43}=",
    "airflow/installation_id": r"[0-9a-f]{16}",
    "airflow/jwt_secret": r"[\w-]{86}",
    "airflow/recorder_uri": uri("postgresql", "recorder", "warehouse", "ca.pem"),
    "analyst/ca.pem": PEM,
    "analyst/password": r"[\w-]{43}",
    "authority/pair.pem": PAIR,
    "connections/source/ca.pem": PEM,
    "connections/source/uri": uri("postgresql", "extract", "source", "connections/source/ca.pem"),
    "connections/warehouse/ca.pem": PEM,
    "connections/warehouse/uri": uri("postgresql", "extract", "warehouse", "connections/warehouse/ca.pem"),
    "installation/id": r"[0-9a-f]{16}",
    "postgres/airflow.scram": r"SCRAM-SHA-256\$4096:.+",
    "postgres/analyst.scram": r"SCRAM-SHA-256\$4096:.+",
    "postgres/extract.scram": r"SCRAM-SHA-256\$4096:.+",
    "postgres/load.scram": r"SCRAM-SHA-256\$4096:.+",
    "postgres/recorder.scram": r"SCRAM-SHA-256\$4096:.+",
    "postgres/report.scram": r"SCRAM-SHA-256\$4096:.+",
    "postgres/source_owner.scram": r"SCRAM-SHA-256\$4096:.+",
    "postgres_server/pair.pem": PAIR,
    "source_owner/ca.pem": PEM,
    "source_owner/uri": uri("postgresql", "source_owner", "source", "ca.pem"),
    "stages/load/ca.pem": PEM,
    "stages/load/uri": uri("postgresql", "load", "warehouse", "warehouse/ca.pem"),
    "stages/visualize/ca.pem": PEM,
    "stages/visualize/uri": uri("postgresql", "report", "warehouse", "warehouse/ca.pem"),
}


def password(uri: str) -> str:
    """Return the password of a URI."""
    found = re.search(r":([\w-]+)@", uri)
    assert found is not None
    return found[1]


def test_first_start_writes_the_whole_layout(place: Place) -> None:
    """The first start generates every secret in its form, without a newline."""
    outcome = place.init()
    texts = place.texts()

    assert set(texts) == set(LAYOUT) == set(outcome.created)
    assert [path for path, form in LAYOUT.items() if not re.fullmatch(form, texts[path])] == []


def test_every_form_of_a_value_agrees(place: Place) -> None:
    """A role's verifier was made from the very password that stands in its URIs."""
    place.init()
    texts = place.texts()

    assert password(texts["connections/source/uri"]) == password(texts["connections/warehouse/uri"])
    assert matches(texts["postgres/extract.scram"], password(texts["connections/source/uri"]))
    assert matches(texts["postgres/airflow.scram"], password(texts["airflow/database_url"]))
    assert matches(texts["postgres/source_owner.scram"], password(texts["source_owner/uri"]))
    assert matches(texts["postgres/load.scram"], password(texts["stages/load/uri"]))
    assert matches(texts["postgres/report.scram"], password(texts["stages/visualize/uri"]))
    assert matches(texts["postgres/analyst.scram"], texts["analyst/password"])
    assert texts["installation/id"] == texts["airflow/installation_id"]


def test_no_two_values_are_equal(place: Place) -> None:
    """Each role and each key has a value of its own, different in every installation."""
    place.init()
    texts = place.texts()
    values = [
        password(text) if "@" in text else text
        for path, text in texts.items()
        if not path.endswith((".scram", "/ca.pem"))
    ]

    # extract has two connections, Airflow two addresses, the installation id two readers
    assert len(set(values)) == len(values) - 3


def test_second_start_changes_nothing(place: Place) -> None:
    """A second start neither writes nor touches a file, but the one whose time tells the guard of it."""
    place.init()
    before = place.texts()
    times = {path: path.stat().st_mtime_ns for path in place.secrets.rglob("*")}
    started = times.pop(place.secrets / "installation/id")

    again = place.init()

    assert (again.created, again.replaced) == ([], [])
    assert place.texts() == before
    after = {path: path.stat().st_mtime_ns for path in place.secrets.rglob("*")}
    assert after.pop(place.secrets / "installation/id") > started
    assert after == times


def test_files_are_read_by_their_owner_alone(place: Place) -> None:
    """Every file has mode 0400, and belongs to its consumer, as its folder does."""
    place.init()

    files = [path for path in place.secrets.rglob("*") if path.is_file()]
    folders = [path for path in place.secrets.rglob("*") if path.is_dir()]
    assert {path.stat().st_mode & 0o7777 for path in files} == {0o400}
    # Who runs the tests as root need not give root's own to it.
    noted = {path: place.owners.get(str(path), path.stat().st_uid) for path in (*files, *folders)}
    assert {file.path: noted[place.secrets / file.path] for file in FILES} == {file.path: file.owner for file in FILES}
    assert {noted[folder] for folder in folders if folder.name not in {"authority", "next"}} <= {
        999,
        10001,
        10002,
        50000,
    }


def test_a_folder_has_one_owner() -> None:
    """No folder is shared by two owners: a consumer mounts a folder."""
    owners = {(parent, file.owner) for file in FILES for parent in Path(file.path).parents[:-1]}

    assert len(owners) == len({parent for parent, _ in owners})


def test_volumes_are_given_to_their_owners(place: Place) -> None:
    """Every other volume's root belongs to who writes there."""
    place.init()

    given = {path.removeprefix(f"{place.volumes}/"): owner for path, owner in place.owners.items()}
    assert {volume.name: given[volume.name] for volume in VOLUMES} == {
        "postgres_data": 999,
        "postgres_socket": 999,
        "runs": 10001,
        "inbox": 10001,
        "exports": 10001,
        "reports": 10001,
        "airflow_logs": 50000,
        "outbox": 50000,
    }


@pytest.mark.parametrize("killed_at", range(2 * len(FILES)))
def test_a_killed_first_start_is_completed(place: Place, killed_at: int) -> None:
    """Wherever the first start was killed, no half file is left, and the next start makes every form agree."""
    countdown = iter(range(killed_at))

    def chown(path: Path, user: int, group: int) -> None:
        if next(countdown, None) is None:
            raise KeyboardInterrupt
        place.chown(path, user, group)

    try:
        init(place.vault(chown), place.volumes)
    except KeyboardInterrupt:
        pass
    else:
        pytest.fail("was not killed")
    before = {path: text for path, text in place.texts().items() if ".unfinished-" not in path}
    place.init()

    assert set(place.texts()) == set(LAYOUT)
    kept = [path for path in before if not path.endswith(".scram")]
    assert {path: before[path] for path in kept} == {path: place.texts()[path] for path in kept}
    test_every_form_of_a_value_agrees(place)


@pytest.mark.parametrize("path", [path for path in LAYOUT if path.endswith(".scram")])
def test_a_lost_verifier_follows_the_password(place: Place, path: str) -> None:
    """A verifier that is missing is made from the password that is there."""
    place.init()
    before = place.texts()
    place.forget(path)

    outcome = place.init()

    assert outcome.created == [path]
    assert {name: text for name, text in place.texts().items() if name != path} == {
        name: text for name, text in before.items() if name != path
    }
    test_every_form_of_a_value_agrees(place)


@pytest.mark.parametrize("path", [path for path, form in LAYOUT.items() if "@" in form or path == "analyst/password"])
def test_a_lost_password_is_replaced_consistently(place: Place, path: str) -> None:
    """A password that stands nowhere any more is generated anew, with its verifier; one copy is enough to keep it."""
    place.init()
    place.forget(path)

    outcome = place.init()

    assert outcome.created == [path]
    assert len(outcome.replaced) == (0 if path.startswith(("connections/", "airflow/database_url")) else 1)
    test_every_form_of_a_value_agrees(place)


def test_an_edited_password_is_taken_over(place: Place) -> None:
    """A verifier follows the password that a person wrote."""
    place.init()
    place.put("analyst/password", "a-new-password-of-mine")

    outcome = place.init()

    assert outcome.replaced == ["postgres/analyst.scram"]
    assert place.texts()["analyst/password"] == "a-new-password-of-mine"
    test_every_form_of_a_value_agrees(place)


def test_a_connection_of_ones_own_stays(place: Place) -> None:
    """A connection that was pointed at another system is not ours to judge or to change."""
    place.init()
    place.put("connections/source/uri", "postgresql://reader:s3cret@erp.example:5432/orders")

    outcome = place.init()

    assert (outcome.created, outcome.replaced) == ([], [])
    assert place.texts()["connections/source/uri"] == "postgresql://reader:s3cret@erp.example:5432/orders"


def test_an_installation_without_certificates_gets_them(place: Place) -> None:
    """What an older version wrote keeps its passwords, and from the next start on makes sure of its server."""
    place.init()
    now = place.texts()
    for path, text in now.items():
        if "sslmode" in text:
            place.put(path, text.partition("?")[0])
        elif path.endswith(".pem") or path == "airflow/database_url_async":
            place.forget(path)
    for path in ("airflow/database_url_async", "authority/previous.pem"):
        (place.secrets / path).unlink(missing_ok=True)

    place.init()

    after = place.texts()
    assert set(after) == set(LAYOUT)
    assert {path: text for path, text in after.items() if not path.endswith(".pem")} == {
        path: text for path, text in now.items() if not path.endswith(".pem")
    }


def test_every_problem_is_reported_before_anything_is_written(place: Place) -> None:
    """An empty file, a newline and two passwords of one role are reported at once, and nothing is changed."""
    place.init()
    place.put("airflow/fernet_key", "")
    place.put("airflow/admin_password", "mine\n")
    place.put("connections/warehouse/uri", "postgresql://extract:another@postgres:5432/warehouse")
    place.forget("postgres/load.scram")
    before = place.texts()

    with pytest.raises(SecretsError) as caught:
        place.init()

    assert str(caught.value).splitlines() == [
        "the secrets have 3 problems:",
        "  airflow/fernet_key: is empty; delete it, and it is generated or derived anew",
        "  airflow/admin_password: begins or ends with white space; delete it, and it is generated or derived anew",
        (
            "  connections/warehouse/uri: has another value of 'extract' than connections/source/uri; "
            "delete the one that is wrong, and it is derived from the other"
        ),
    ]
    assert place.texts() == before


def test_a_volume_that_is_not_mounted_is_named(place: Place) -> None:
    """A volume that nobody mounted stops the start, by name."""
    (place.volumes / "runs").rmdir()

    with pytest.raises(SecretsError, match=r"volumes/runs: not mounted; mount the volume runs there"):
        place.init()

    assert place.texts() == {}
