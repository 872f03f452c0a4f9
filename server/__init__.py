"""Handraiser takes leads in and keeps them on the record.

A lead takes two hops: `api/leads.py:submit_lead` reads the request, `leads/intake.py:take_lead` decides and writes;
`leads/batch.py:take_batch` does so for many, and a replay comes in by `take_edit`.
`decide` is for leads that come in, `named` for the one lead that a path names; both are read like a list of rules.
What is managed is declared in `api/configured.py`; one engine, `api/manage.py`, serves all of it.

    serve prepare cli app demo    the start, what comes before it, the commands, the factory, the company to try it with
    docs                          the API as an OpenAPI document, made of what runs
    api                           machines: lead endpoints, reading back, managing, health
    embed                         what landing pages get: snippets, their script, its builds and variants
    outcomes                      what became of leads: calls
    leads                         from a request to a row: params, plan (pure), state (read), decide (pure), record
    lead_tokens                   the credential in `lead_token` and what it grants
    schedules contacts sources    what a lead enters, whose number it is, where it came from
    consent                       what visitors are shown before they agree to be contacted
    foreign                       payloads of other systems: one mapper for each, and the proofs of their origin
    numbers                       tracking numbers, and which of them a lead is shown
    offers companies              what a lead is for, and whose
    config errors periods         the settings, the exception tree, and how long things count
    lib                           knows nothing of leads: database, ledger, wire reader, phone, clock
    migrations                    Alembic

Imports go down this list only; `setup.cfg` has the exact order and a test keeps it.
"""
