"""The planted bugs: where, what stands there, what would stand there instead, and what it breaks.

`before` is found exactly once in the file; a test says so after every change of the shop.
"""

from dataclasses import dataclass

COMMERCE = "layers/commerce/python/commerce"


@dataclass(frozen=True)
class Mutant:
    """One bug, as a change of text in one file. Without `explained`, the campaign must find it."""

    name: str
    file: str
    before: str
    after: str
    breaks: str
    shows: tuple[str, ...] = ()
    """In which flows: they are played first."""
    explained: str | None = None
    """Why no schedule can find it."""


MUTANTS = (
    # --- stock
    Mutant(
        "stock may fall below zero",
        f"{COMMERCE}/inventory/repository.py",
        "        never_below = (at_least(name, units) for name, units in enough.items())",
        "        never_below = ()",
        "two buyers get the last unit",
    ),
    Mutant(
        "reserving takes one unit, whatever was bought",
        f"{COMMERCE}/inventory/repository.py",
        '"reserved", order_id, now, available=-part.quantity, guard=guard',
        '"reserved", order_id, now, available=-1, guard=guard',
        "stock and promises drift apart",
    ),
    Mutant(
        "the movement forgets what was promised",
        f"{COMMERCE}/inventory/repository.py",
        "            on_hand=on_hand,\n            available=available,\n            occurred_at=iso(now),",
        "            on_hand=on_hand,\n            available=on_hand,\n            occurred_at=iso(now),",
        "the ledger does not sum to the balances",
    ),
    Mutant(
        "a backorder's cap is ignored",
        f"{COMMERCE}/inventory/repository.py",
        "                cap = ahead[part.sku].cap\n",
        "                cap = 1_000_000\n",
        "more is promised to buyers than will ever come",
    ),
    Mutant(
        "lines of one SKU are not summed",
        f"{COMMERCE}/inventory/allocation.py",
        "sums[line.sku] = sums.get(line.sku, 0) + line.quantity",
        "sums[line.sku] = line.quantity",
        "two lines of one SKU promise more than there is",
    ),
    Mutant(
        "parts of one shelf are not summed",
        f"{COMMERCE}/inventory/model.py",
        "sums[place] = sums[place].with_more(part.quantity, part.backordered) if place in sums else part",
        "sums[place] = part",
        "a reservation holds less than the order says",
    ),
    Mutant(
        "canceling releases nothing",
        f"{COMMERCE}/orders/service.py",
        "                    *stores.inventory.release_actions(order.id, parts_of(order), now=now),\n",
        "",
        "units are promised to canceled orders for ever",
    ),
    Mutant(
        "shipping leaves the units on the shelf",
        f"{COMMERCE}/fulfilment/shipping.py",
        "actions=shelves.ship_actions(order.id, parts_of(order), now=now)",
        "actions=()",
        "units that left are still counted",
    ),
    Mutant(
        "a short pick is not written off",
        f"{COMMERCE}/fulfilment/warehouse.py",
        "    _write_off(stock, stores.audit, order, shipment.location, missing_stock(order.lines, missing), actor, now)\n",
        "",
        "units that nobody finds are sold again",
    ),
    Mutant(
        "a short pick is written off anew by every retry",
        f"{COMMERCE}/fulfilment/warehouse.py",
        'adjustment_id=f"{order.id}#short_pick#{sku}#{location}"',
        'adjustment_id=f"{order.id}#short_pick#{sku}#{location}#{now}"',
        "a repeated request takes units off the shelf twice",
    ),
    Mutant(
        "goods that come back are not counted",
        f"{COMMERCE}/returns/service.py",
        "actions=[*shelves.return_actions(return_id, restocked_parts(order, lines), now=now), recorded]",
        "actions=[recorded]",
        "returned goods are never sold again",
    ),
    Mutant(
        "a return is taken in anew by every retry",
        f"{COMMERCE}/returns/service.py",
        'return_id = derived_id("return", order_id, key)',
        'return_id = derived_id("return", order_id, key, str(now))',
        "a repeated request puts goods onto the shelf twice",
    ),
    # --- transactions
    Mutant(
        "a conflict is swallowed",
        f"{COMMERCE}/adapters/dynamodb.py",
        '    raise Contended("many buyers want the same thing at this moment; send the request again")',
        "    return",
        "work that never happened is answered as done",
    ),
    Mutant(
        "a failed condition is swallowed",
        f"{COMMERCE}/adapters/dynamodb.py",
        "                raise ConditionFailed(failed) from error\n",
        "                return\n",
        "work that was refused is answered as done",
    ),
    Mutant(
        "transactions carry no token",
        f"{COMMERCE}/adapters/dynamodb.py",
        "client.transact_write_items(TransactItems=actions, ClientRequestToken=token)",
        "client.transact_write_items(TransactItems=actions)",
        "a retry after a lost answer finds its own guard and takes it for somebody else's",
    ),
    Mutant(
        "an order is written whatever became of it meanwhile",
        f"{COMMERCE}/orders/repository.py",
        '            ("version", "=", order.version),\n            ("status", "=", order.status),\n',
        "",
        "a cancellation and a shipment both happen",
    ),
    Mutant(
        "an attempt may have two orders",
        f"{COMMERCE}/orders/repository.py",
        'own = put(self.table.name, _item(order), ("pk", "missing"))',
        "own = put(self.table.name, _item(order))",
        "a second completion overwrites the first one's order",
    ),
    Mutant(
        "a checkout is written whatever became of it meanwhile",
        f"{COMMERCE}/checkout/repository.py",
        'return put(self.table.name, _item(replacing), ("version", "=", old.version))',
        "return put(self.table.name, _item(replacing))",
        "a checkout is completed twice",
    ),
    Mutant(
        "order ids are drawn, not derived",
        f"{COMMERCE}/orders/service.py",
        "id=order_id_for(checkout.id, checkout.attempt)",
        'id=f"order_{now.timestamp():.6f}".replace(".", "")',
        "one attempt makes several orders",
    ),
    # --- events and e-mails
    Mutant(
        "events follow the transaction",
        f"{COMMERCE}/orders/repository.py",
        "        transact(self.table.client, [own, *actions, *published], attempts=attempts)",
        "        transact(self.table.client, [own, *actions], attempts=attempts)\n"
        "        for one in published:\n            transact(self.table.client, [one])",
        "a crash between the two loses the event",
    ),
    Mutant(
        "events go ahead of the transaction",
        f"{COMMERCE}/orders/repository.py",
        "        transact(self.table.client, [own, *actions, *published], attempts=attempts)",
        "        for one in published:\n            transact(self.table.client, [one])\n"
        "        transact(self.table.client, [own, *actions], attempts=attempts)",
        "events tell of what never happened",
    ),
    Mutant(
        "the bus's refusals are not read",
        f"{COMMERCE}/adapters/relay.py",
        '        if not answer["FailedEntryCount"]:\n            return []\n',
        "        return []\n",
        "an event that the bus refused is lost",
    ),
    Mutant(
        "a silent bus is taken for success",
        f"{COMMERCE}/adapters/relay.py",
        "        except (ClientError, BotoCoreError):\n            return numbers",
        "        except (ClientError, BotoCoreError):\n            return []",
        "events are lost when the bus does not answer",
    ),
    Mutant(
        "a queue's failures are not reported",
        f"{COMMERCE}/adapters/queues.py",
        '            work(_event(record))\n        except Exception as error:\n            _left(record, error)\n'
        '            failed.append(record["messageId"])',
        "            work(_event(record))\n        except Exception as error:\n            _left(record, error)",
        "an e-mail that failed is never tried again",
    ),
    Mutant(
        "analytics forget what was refused",
        f"{COMMERCE}/adapters/queues.py",
        "        failed += [known[position][0] for position in work([event for _, event in known])]",
        "        work([event for _, event in known])",
        "rows are missing in the analysis",
    ),
    Mutant(
        "an e-mail is sent without its claim",
        f"{COMMERCE}/notifications/service.py",
        "    if not claims.take(order.id, kind, event.id, now):\n        return \"sent_before\"\n",
        "    claims.take(order.id, kind, event.id, now)\n",
        "an event that comes twice is told twice",
    ),
    Mutant(
        "an e-mail is sent before it is claimed",
        f"{COMMERCE}/notifications/service.py",
        "    if not claims.take(order.id, kind, event.id, now):\n        return \"sent_before\"\n    try:\n"
        "        message_id = mailer.send(email, kind)\n",
        "    try:\n        message_id = mailer.send(email, kind)\n"
        "        if not claims.take(order.id, kind, event.id, now):\n            return \"sent_before\"\n",
        "an event that comes twice is told twice",
    ),
    Mutant(
        "an e-mail of unknown fate is sent again",
        f"{COMMERCE}/notifications/service.py",
        '    except FateUnknown:\n        return "fate_unknown"',
        "    except FateUnknown:\n        claims.release(order.id, kind, event.id)\n        raise Refused(\"unknown\") from None",
        "a buyer is written to twice",
    ),
    # --- money
    Mutant(
        "canceling does not let go of the payment",
        f"{COMMERCE}/orders/payment.py",
        "    if order.payment_intent is None:\n        return\n    if not balance",
        "    if True:\n        return\n    if not balance",
        "the buyer's money stays held",
    ),
    Mutant(
        "money is confirmed before the order knows the intent",
        f"{COMMERCE}/checkout/complete.py",
        "    order = orders.remember_intent(till.stores, order, intent_id)\n"
        "    if order.status != \"pending_payment\" or order.payment_intent is None:\n        return\n",
        "    order = order.model_copy(update={\"payment_intent\": intent_id})\n",
        "money is held that no order knows of",
    ),
    Mutant(
        "an order that was canceled is paid all the same",
        f"{COMMERCE}/checkout/complete.py",
        "    if order.status != \"pending_payment\" or order.payment_intent is None:\n        return\n    return_url",
        "    if order.payment_intent is None:\n        return\n    return_url",
        "money is held for a canceled order",
    ),
    Mutant(
        "an order is paid under another intent than its first",
        f"{COMMERCE}/checkout/complete.py",
        "till.gateway.confirm(order.payment_intent, token",
        "till.gateway.confirm(intent_id, token",
        "money is held that no order knows of",
    ),
    Mutant(
        "money is taken at once",
        f"{COMMERCE}/payments/gateway.py",
        '"capture_method": "manual"',
        '"capture_method": "automatic"',
        "the buyer is charged before anything is sent",
    ),
    Mutant(
        "no answer is taken for a refused card",
        f"{COMMERCE}/payments/gateway.py",
        "        except stripe.StripeError:\n            return _unknown(intent_id)\n        return _authorization(intent)\n\n"
        "    def retrieve",
        "        except stripe.StripeError:\n            return Authorization(outcome=\"declined\", intent_id=intent_id)\n"
        "        return _authorization(intent)\n\n    def retrieve",
        "an order whose payment came is canceled",
    ),
    Mutant(
        "no answer to a capture is taken for a refusal",
        f"{COMMERCE}/payments/gateway.py",
        '        if now.outcome == "captured":\n            return Capture(outcome="captured", charge_id=now.charge_id',
        '        if False:\n            return Capture(outcome="captured", charge_id=now.charge_id',
        "money that was taken is not in the books",
    ),
    Mutant(
        "a silent provider is taken for a capture",
        f"{COMMERCE}/payments/gateway.py",
        '        except stripe.StripeError:\n            return Capture(outcome="unknown")',
        "        except stripe.StripeError:\n            return Capture(outcome=\"captured\", amount=amount)",
        "an order is sent that nobody paid",
    ),
    Mutant(
        "a void that was refused is taken for one",
        f"{COMMERCE}/payments/gateway.py",
        'return Void(outcome="voided" if now.outcome == "voided" else "unknown")',
        'return Void(outcome="voided")',
        "the buyer's money stays held",
    ),
    Mutant(
        "a captured payment is taken for let go",
        f"{COMMERCE}/payments/gateway.py",
        '                return Void(outcome="captured", amount_captured=now.amount_captured)',
        '                return Void(outcome="voided")',
        "a canceled order's money is kept",
    ),
    Mutant(
        "a silent provider is taken for a void",
        f"{COMMERCE}/payments/gateway.py",
        '        except stripe.StripeError:\n            return Void(outcome="unknown")',
        '        except stripe.StripeError:\n            return Void(outcome="voided")',
        "the buyer's money stays held",
    ),
    Mutant(
        "a refund is made anew by every retry",
        f"{COMMERCE}/payments/gateway.py",
        '                {"idempotency_key": key},\n            )\n        except _SETTLED as error:\n            return Refund(',
        "            )\n        except _SETTLED as error:\n            return Refund(",
        "money is given back twice",
    ),
    Mutant(
        "an older refund is not looked for",
        f"{COMMERCE}/payments/gateway.py",
        "self._made_before(intent_id, key) or self._client.v1.refunds.create(",
        "self._client.v1.refunds.create(",
        "a refund that is asked for after a day is made twice",
    ),
    Mutant(
        "refunds have no limit",
        f"{COMMERCE}/orders/payment.py",
        "        if asked.amount > left:\n",
        "        if False:\n",
        "more is promised back than was taken",
    ),
    Mutant(
        "refunds on their way do not count",
        f"{COMMERCE}/payments/model.py",
        "return max(0, self.captured - self.refunded - self.refund_pending)",
        "return max(0, self.captured - self.refunded)",
        "two refunds at once give back more than was taken",
    ),
    Mutant(
        "a refund that failed counts as made",
        f"{COMMERCE}/payments/model.py",
        'refunded=total("refunded", without=failed)',
        'refunded=total("refunded") + total("refund_failed")',
        "a buyer does not get the money back",
    ),
    Mutant(
        "a capture that the void met is not written down",
        f"{COMMERCE}/orders/payment.py",
        "        _record_capture(books, order, void.amount_captured, None, now)\n    ledger",
        "    ledger",
        "a canceled order's money is kept",
    ),
    Mutant(
        "a refund without an answer is not asked for again",
        f"{COMMERCE}/orders/payment.py",
        "for refund_id, amount in (*begun, *fresh):",
        "for refund_id, amount in (*fresh,):",
        "a canceled order's money is kept",
    ),
    Mutant(
        "the same news is written down twice",
        f"{COMMERCE}/payments/repository.py",
        '            put(self.table.name, item, ("pk", "missing"))\n',
        "            put(self.table.name, item)\n",
        "the books count one capture or refund twice",
    ),
    Mutant(
        "a capture is not written down",
        f"{COMMERCE}/fulfilment/shipping.py",
        "        return record_payment(stores, order, payment)\n    return cancel_order",
        "        return order\n    return cancel_order",
        "the books do not know the money",
    ),
    Mutant(
        "an order is sent before its money is taken",
        f"{COMMERCE}/fulfilment/shipping.py",
        "            order = _captured(stores, payments, order, now)\n",
        "",
        "goods leave that nobody paid",
    ),
    Mutant(
        "a webhook is believed",
        f"{COMMERCE}/orders/payment.py",
        '            authorization = _present_state(gateway, order.payment_intent or "")\n            order = settle',
        "            authorization = Authorization.model_validate(\n"
        "                {\"outcome\": notice.kind, \"intent_id\": notice.intent_id, \"amount_captured\": notice.amount}\n"
        "            )\n            order = settle",
        "late news undoes what happened since",
    ),
    Mutant(
        "a webhook's signature is not checked",
        f"{COMMERCE}/payments/gateway.py",
        "event = self._client.construct_event(payload, signature, self._webhook_secret, TOLERANCE_SECONDS)",
        'event = stripe.Event.construct_from(__import__("json").loads(payload), None)',
        "anybody can tell the shop that it was paid",
    ),
    # --- the course of an order
    Mutant(
        "a payment that came in the last second is not asked for",
        f"{COMMERCE}/orders/endings.py",
        "    if order.payment_intent is not None:\n        authorization = gateway.retrieve(",
        "    if False:\n        authorization = gateway.retrieve(",
        "an order whose payment came is canceled",
    ),
    Mutant(
        "a timeout cancels an order that was confirmed",
        f"{COMMERCE}/orders/service.py",
        '        if reason in REOPENING and order.status != "pending_payment":\n            return order\n',
        "",
        "an order that was paid is canceled and its checkout sold again",
    ),
    Mutant(
        "the compensation trusts the error",
        f"{COMMERCE}/orders/endings.py",
        '    if order.status not in ("canceled", "lost"):\n        return "carry_on"\n',
        "",
        "an order that is alive loses its payment",
    ),
    Mutant(
        "an order on its way can be canceled",
        f"{COMMERCE}/orders/service.py",
        "        if order.status not in CANCELABLE:\n",
        "        if False:\n",
        "a parcel is sent and its money given back",
    ),
    Mutant(
        "confirming leaves the checkout behind",
        f"{COMMERCE}/orders/service.py",
        '                    *_moved(stores, checkout, status="completed", messages=(), escalation_url=None),\n',
        "",
        "the buyer's checkout stays in progress for ever",
    ),
    Mutant(
        "canceling leaves the checkout behind",
        f"{COMMERCE}/orders/service.py",
        "                    *_moved(stores, checkout, **_after_cancellation(checkout, reason)),\n",
        "",
        "the buyer's checkout stays in progress for ever",
    ),
    Mutant(
        "a checkout that opens again keeps its attempt",
        f"{COMMERCE}/orders/service.py",
        '            "attempt": checkout.attempt + 1,\n',
        '            "attempt": checkout.attempt,\n',
        "the next attempt meets the order of the last one",
    ),
    Mutant(
        "a canceled order tells nobody",
        f"{COMMERCE}/orders/service.py",
        "                events=[\n                    OrderCanceled(",
        "                events=[][:0] and [\n                    OrderCanceled(",
        "the buyer and the analysis do not hear of it",
    ),
    Mutant(
        "the end of a parcel that is about to leave is forgotten",
        f"{COMMERCE}/fulfilment/tracking.py",
        '    if ending and order.status == "ready_to_ship":\n',
        "    if False:\n",
        "an order waits for ever for news that came",
    ),
    Mutant(
        "a hold that passed is not ended",
        f"{COMMERCE}/reconciliation/service.py",
        "        if overdue(order, now):\n",
        "        if False:\n",
        "units are promised to buyers who left",
    ),
    Mutant(
        "a missing execution is not started",
        f"{COMMERCE}/reconciliation/service.py",
        '            rounds.workflow.start(order.id)\n            yield Finding(kind="execution_missing"',
        '            yield Finding(kind="execution_missing"',
        "an order goes nowhere",
    ),
    Mutant(
        "orders ahead of their executions are not woken",
        f"{COMMERCE}/reconciliation/service.py",
        "            rounds.workflow.start(order.id)\n            wake(rounds.stores.orders, rounds.workflow, order.id)\n",
        "",
        "a lost signal costs a day, or the order",
    ),
    Mutant(
        "nobody starts the execution",
        f"{COMMERCE}/checkout/complete.py",
        "            till.workflow.start(answer.id)\n            _pay(",
        "            _pay(",
        "an order waits for the reconciler to begin",
    ),
    Mutant(
        "a workflow's refusals are swallowed",
        f"{COMMERCE}/adapters/workflow.py",
        "            if code not in already_so:\n                raise",
        "            return",
        "a signal is lost without anybody knowing",
    ),
    Mutant(
        "an idempotency key is claimed twice",
        f"{COMMERCE}/adapters/idempotency.py",
        "            self.table.put_once(item, condition)",
        "            self.table.put(item)",
        "a request that is sent twice is carried out twice",
    ),
    Mutant(
        "time to live is trusted",
        f"{COMMERCE}/adapters/idempotency.py",
        '            if known is None or known["expires_at"] <= now:\n                claim',
        "            if known is None:\n                claim",
        "a claim whose owner died is waited for until it is swept",
    ),
    Mutant(
        "answers are not kept",
        f"{COMMERCE}/adapters/idempotency.py",
        '            self.table.put(item, ("until", "=", claim.until))',
        "            return",
        "a request that is sent again does not get the same answer",
    ),
    # --- the state machine
    Mutant(
        "a timed-out payment is sent to the warehouse",
        "statemachines/checkout_to_delivery.asl.json",
        '          "Next": "CompensateOrder"\n        }\n      ],\n      "Next": "AwaitWarehouse"',
        '          "Next": "AwaitWarehouse"\n        }\n      ],\n      "Next": "AwaitWarehouse"',
        "the goods of a buyer who left stay promised",
    ),
    Mutant(
        "the payment is waited for whatever the order says",
        "statemachines/checkout_to_delivery.asl.json",
        '"ConditionExpression": "#status = :pending_payment"',
        '"ConditionExpression": "#status = :pending_payment OR attribute_exists(pk)"',
        "an order that was paid before the wait began waits for its payment until the hold passes",
    ),
    Mutant(
        "the delivery is waited for whatever the order says",
        "statemachines/checkout_to_delivery.asl.json",
        '"ConditionExpression": "#status = :shipped"',
        '"ConditionExpression": "#status = :shipped OR attribute_exists(pk)"',
        "an order that was delivered before the wait began waits for ever",
    ),
    Mutant(
        "a late delivery is settled as if it had arrived",
        "statemachines/checkout_to_delivery.asl.json",
        '"Next": "DeliveryOverdue"',
        '"Next": "SettleOrder"',
        "the execution ends while the parcel is on its way",
    ),
    Mutant(
        "a canceled order's execution carries on",
        "statemachines/checkout_to_delivery.asl.json",
        "\"{% $states.input.outcome in ['canceled', 'lost'] %}\"",
        "\"{% $states.input.outcome in ['lost'] %}\"",
        "a canceled order waits for its delivery",
    ),
    Mutant(
        "an order that is alive is left alone",
        "statemachines/checkout_to_delivery.asl.json",
        "\"{% $states.input.outcome = 'carry_on' %}\"",
        "\"{% $states.input.outcome = 'carry-on' %}\"",
        "an order whose signal was lost is forgotten",
    ),
)
