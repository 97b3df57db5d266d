"""Lists all that the web server answers to: from its own tables of routes, and from the documents that it gives."""

import json
import re
from typing import NamedTuple

from tests.etl_reports.site import Site

DOCUMENTS = ("/openapi.json", "/auth/openapi.json", "/execution/openapi.json?version={version}")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Run beside the server: the applications that Airflow mounts one in another, down to Flask's rules and our pages.
TABLES = """
import json
from airflow.api_fastapi.app import create_app
from etl_reports._pages import pages
from starlette.routing import Mount

def walk(routes, prefix):
    for route in routes:
        path = prefix + route.path
        inner = getattr(route, "app", None)
        if not isinstance(route, Mount):
            for method in route.methods:
                yield method, path
        elif route.path == "/reports":
            yield from walk(pages.routes, path)
        elif flask := getattr(inner, "app", None) if hasattr(getattr(inner, "app", None), "url_map") else None:
            for rule in flask.url_map.iter_rules():
                for method in rule.methods:
                    yield method, path + str(rule)
        elif hasattr(inner, "routes"):
            yield from walk(inner.routes, path)
        else:
            yield "GET", path + "/{file:path}"
print("ROUTES" + json.dumps(sorted(set(walk(create_app().routes, "")))))
"""
VALUES = {
    "dag_id": "orders",
    "name": "copyrole",
    "task_id": "extract",
    "file:path": "pin_32.png",
    "path:filename": "pin_32.png",
    "api_version": "2026-06-30",
}


class Route(NamedTuple):
    """A method and the pattern of a path."""

    method: str
    path: str

    def address(self, values: dict[str, str]) -> str:
        """Give an address that it answers to."""
        known = VALUES | values
        return re.sub(r"[{<](?:string:)?([^}>]+)[}>]", lambda found: known.get(found[1], "1"), self.path)


def routes(site: Site) -> list[Route]:
    """Give every route of the running server."""
    found = {Route(*pair) for pair in json.loads(site.python(TABLES).partition("ROUTES")[2])}
    with site.client(None) as client:
        version = client.get("/execution/health/ping").headers["airflow-api-version"]
        for document in DOCUMENTS:
            prefix = re.match(r"(/auth|/execution)?", document)[0]  # type: ignore[index]
            paths = client.get(document.format(version=version)).raise_for_status().json()["paths"]
            found |= {Route(method.upper(), prefix + path) for path in paths for method in paths[path]}
    return sorted(found)
