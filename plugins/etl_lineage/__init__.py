"""Tells by OpenLineage (https://openlineage.io) which data each try of a stage read and made.

    StageOperator (_telling): a try has begun, or ended        scheduler (_listener): so has a run
        │ a Fact, as a file of the volume `outbox` (_facts)
        ▼
    notifier (_sender): Fact ──► RunEvent (_event)  ──► events.ndjson, or an HTTP endpoint, until it takes it
                                   ├── names of datasets (_places), and what each is (_datasets)
                                   └── columns by columns (_columns), rules by rules (_assertions)

It is off where config/lineage/settings.yaml does not switch it on (_settings); no run waits for it or fails by it
(docs/decisions/lineage-by-the-notifier.md).
"""
