"""Tells people what became of runs, by mail, chat or webhook.

    scheduler: a run has ended (_listener), or has not in time (_late)
        │ a Happening, as a file of the volume `outbox` (_outbox)
        ▼
    notifier: what is new of it (_incidents) ──► words (_message) ──► channels (_channels), some tries each

Only the notifier knows the channels' addresses and has a way out; it has no other secret, and no way to anything of
ours but the outbox (docs/decisions/alerts-by-a-notifier.md).
"""
