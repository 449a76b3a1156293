# What each of our own semgrep rules must find: the line after its name. `make audit` fails where one finds nothing.
# ruff: noqa
# mypy: ignore-errors
import pickle
import random
from contextlib import suppress
from datetime import datetime

# the-domain-knows-no-aws
import boto3

# only-adapters-and-gateways-go-out
import requests


def wrong(logger, order, client, price):
    # money-is-never-a-float
    price / 3
    # functions-do-not-print
    print(order)
    # logs-hold-no-personal-data
    logger.info("paid", email=order.email)
    # the-clock-is-asked-in-one-place
    datetime.now()
    # nothing-is-guessable
    random.choice("abc")
    # no-code-from-data
    pickle.loads(order)
    # no-table-is-scanned
    client.scan(TableName="orders")
    # errors-are-not-swallowed
    with suppress(Exception):
        order.pay()
