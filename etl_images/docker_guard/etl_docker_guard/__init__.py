"""Stands between Airflow and the Docker Engine, and lets through what a stage needs and nothing else.

    Airflow ── HTTP ──► Guard ─► Call        method, path and query, exactly one of a short list
                          │    ─► Container  the body of a create call, parsed into a model
                          │    ─► Policy     config/docker_guard.yaml: images, networks, mounts, limits
                          │    ─► Images     which image each name meant when the platform was started
                          │
                          └─── a new request, written from the models ──► Engine, on its Unix socket

Nothing of what arrives is passed on: headers are dropped, path, query and body are written anew from what was
understood. What is not understood is refused with 403, its reason, and a line in the log.
"""
