"""Generates the platform's secrets once, and keeps every copy of a secret equal.

VALUES: how each secret is generated     FILES: where it is written, for whom, in which form
  │                                        │
  └───────────────► init ◄─────────────────┘
                     │ reads what is there, generates what is missing, writes it, sets owners and modes
                     │   ▲ rotate, set_value: what is to be another     connect, disconnect: what people add
                     ▼
the volume `secrets`, of which each consumer mounts its own sub-path, read-only, at /run/secrets
(why not the environment, nor Compose's secrets: docs/decisions/secrets-in-a-volume.md)
"""

from etl_secrets._certificates import certificate_of, issued, lasts, new_authority, new_server
from etl_secrets._change import channel, connect, connections, disconnect, forget, lineage, rotate, set_value
from etl_secrets._errors import SecretsError
from etl_secrets._init import Outcome, init
from etl_secrets._scram import matches, verifier
from etl_secrets._table import FILES, VALUES, VOLUMES, File, Volume
from etl_secrets._vault import Vault

__all__ = [
    "FILES",
    "VALUES",
    "VOLUMES",
    "File",
    "Outcome",
    "SecretsError",
    "Vault",
    "Volume",
    "certificate_of",
    "channel",
    "connect",
    "connections",
    "disconnect",
    "forget",
    "init",
    "issued",
    "lasts",
    "lineage",
    "matches",
    "new_authority",
    "new_server",
    "rotate",
    "set_value",
    "verifier",
]
