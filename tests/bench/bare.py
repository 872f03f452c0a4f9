"""The least that can take a lead on PostgreSQL: no framework, no validation, the product's rows in one statement."""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import psycopg
from sqlalchemy import make_url

from server.lib.secrets import new_id

URL = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql").render_as_string(hide_password=False)

# As long as what the product writes for the same lead.
WHY = """[{"step":"token","read":{"kind":"server"},"decided":"schedule","record":1},{"step":"powers","read":\
{"kind":"server","exposed":false,"browser":false},"decided":"server","rule":"a server token"},{"step":"number","read":\
{"region":"US"},"decided":"+17192221234","rule":"normalised to E.164"},{"step":"wishes","read":{"powers":"server",\
"lifts":false},"decided":{"left_undone":[]},"rule":"all wishes are within the token's powers"},{"step":"attribute",\
"read":{"traffic_source_id":"google_ads","sub_id":"campaign-7","token_default":null},"decided":"google_ads","rule":\
"a known source was named","record":1},{"step":"contact","read":{"blocked":false,"opt_out":false},"decided":\
"new contact","rule":"the number is new to this company","record":"01a20888-93ae-7568-9a28-6a4423fa961b"},\
{"step":"match","read":{"candidates":[]},"decided":"new lead","rule":"no live lead of this owner and number: a new \
one is made","record":null},{"step":"plan","read":{"first_action":1,"next_action_at":null},"decided":\
"2026-11-24T13:11:38.123000+00:00","rule":"the schedule's first action","record":1}]"""

CONSENT = """{"attached":[],"caller_id":"+17192221234","company_id":1,"default":null,"disclosure":null,\
"disclosure_claimed":null,"evidence":"none","gpc":false,"granted":null,"granted_at":null,"language":null,\
"lead_id":"01a20888-93ae-7568-9a28-6a4423fa961b","lead_token_id":1,"origin":null,"page_url":null,"received_at":\
"2026-11-24T13:11:38.123+00:00","referrer":null,"remote_ip":"127.0.0.1","said_in":null,"shown_at":null,"stamp":null,\
"submission_id":"01a20888-93ae-7568-9a28-6a4423fa961c","text":null,"text_hash":null,"text_is":null,"user_agent":\
"handraiser-bench","version":1}"""

INSERT = """
with contact as (
    insert into contact (id, company_id, caller_id, version, created_at, updated_at)
    values (%(contact)s, {company}, %(number)s, 1, now(), now())
), lead as (
    insert into lead (id, company_id, contact_id, owner_kind, owner_id, offer_id, schedule_id, lead_token_id,
        caller_id, email, status, is_live, test, contact_attempts, next_action_id, next_action_at,
        traffic_source_id, traffic_source_text, sub_id, data, remote_ip, created_at, updated_at)
    values (%(lead)s, {company}, %(contact)s, 'schedule', {schedule}, {offer}, {schedule}, {token},
        %(number)s, %(email)s, 'scheduled', true, false, 0, {action}, now() + interval '1 day',
        {source}, %(traffic_source_id)s, %(sub_id)s, %(data)s, %(ip)s, now(), now())
), submission as (
    insert into submission (id, company_id, lead_token_id, vendor_id, lead_id, endpoint, powers, action, caller_id,
        content_hash, lead_updated_at, received, why, remote_ip, user_agent, request_id, created_at)
    values (%(submission)s, {company}, {token}, {token}, %(lead)s, 'create', 'server', 'created', %(number)s,
        %(hash)s, now(), %(received)s, %(why)s, %(ip)s, %(agent)s, %(request)s, now())
), consent as (
    insert into consent_record (submission_id, company_id, evidence, record)
    values (%(submission)s, {company}, 'none', %(consent)s)
), touch as (
    insert into touch (id, company_id, lead_id, submission_id, traffic_source_id, traffic_source_text, sub_id,
        created_at)
    values (%(touch)s, {company}, %(lead)s, %(submission)s, {source}, %(traffic_source_id)s, %(sub_id)s, now())
)
insert into outbox_event (id, company_id, kind, lead_id, submission_id, created_at)
values (%(event)s, {company}, 'lead.created', %(lead)s, %(submission)s, now())"""

# The company that the benchmark made: its only one.
SURROUNDINGS = """
select token.company_id as company, schedule.id as schedule, schedule.offer_id as offer, token.id as token,
    action.id as action, source.id as source
from lead_token token
join schedule on token.owner_kind = 'schedule' and schedule.id = token.owner_id
join schedule_action action on action.schedule_id = schedule.id
join traffic_source source on source.company_id = token.company_id
order by token.id limit 1"""


def insert_statement() -> str:
    """The statement with the ids that never change in it."""
    with psycopg.connect(URL) as connection:
        cursor = connection.execute(SURROUNDINGS)
        row = cursor.fetchone()
    if row is None or cursor.description is None:
        raise RuntimeError("The benchmark's company is missing.")
    ids = {column.name: value for column, value in zip(cursor.description, row, strict=True)}
    return INSERT.format(**ids)


STATEMENT = insert_statement()
own = threading.local()


def cursor_of_thread() -> psycopg.Cursor[Any]:
    """The thread's own cursor, on a connection that commits and prepares each statement."""
    if not hasattr(own, "cursor"):
        own.cursor = psycopg.connect(URL, autocommit=True, prepare_threshold=0).cursor()
    cursor: psycopg.Cursor[Any] = own.cursor
    return cursor


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Takes one lead."""
    if environ["REQUEST_METHOD"] == "GET":
        start_response("200 OK", [])
        return [b""]
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    form = dict(parse_qsl(body.decode()))
    number = form["caller_id"]
    values = {name: new_id() for name in ("contact", "lead", "submission", "touch", "event", "request")} | {
        "number": f"+1{number[1:4]}{number[6:9]}{number[10:]}",
        "email": form["email"],
        "traffic_source_id": form["traffic_source_id"],
        "sub_id": form["sub_id"],
        "data": json.dumps({name: form[name] for name in ("first_name", "last_name", "zip", "loan_amount")}),
        "received": json.dumps({"query": {"lead_token": "[redacted]"}, "body": form}),
        "why": WHY,
        "consent": CONSENT,
        "hash": hashlib.sha256(body).hexdigest(),
        "ip": environ["REMOTE_ADDR"],
        "agent": environ["HTTP_USER_AGENT"],
    }
    cursor_of_thread().execute(STATEMENT.encode(), values)
    answer = json.dumps({"success": True, "action": "created", "lead_id": values["lead"]}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]
