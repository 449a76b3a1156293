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
    meets: tuple[str, ...] = ()
    """With which faults, as patterns of `boundary=kind`: the flows are played with these before all others."""
    explained: str | None = None
    """Why no schedule can find it."""

    @property
    def wired(self) -> bool:
        """Whether it is planted where only the whole tier comes by: in adapters, and in what consumes events."""
        return self.file.startswith(_WIRES)


_WIRES = (f"{COMMERCE}/adapters/", f"{COMMERCE}/payments/gateway.py", f"{COMMERCE}/notifications/")

MUTANTS = (
    # --- stock
    Mutant(
        "stock may fall below zero",
        f"{COMMERCE}/inventory/repository.py",
        "        never_below = (at_least(name, units) for name, units in enough.items())",
        "        never_below = ()",
        "two buyers get the last unit",
        shows=("last_unit", "transfer"),
    ),
    Mutant(
        "reserving takes one unit, whatever was bought",
        f"{COMMERCE}/inventory/repository.py",
        '"reserved", order_id, now, available=-part.quantity, guard=guard',
        '"reserved", order_id, now, available=-1, guard=guard',
        "stock and promises drift apart",
        shows=("short_pick", "split"),
    ),
    Mutant(
        "the movement forgets what was promised",
        f"{COMMERCE}/inventory/repository.py",
        "            on_hand=on_hand,\n            available=available,\n            occurred_at=iso(now),",
        "            on_hand=on_hand,\n            available=on_hand,\n            occurred_at=iso(now),",
        "the ledger does not sum to the balances",
        shows=("checkout",),
    ),
    Mutant(
        "a backorder's cap is ignored",
        f"{COMMERCE}/inventory/repository.py",
        "                cap = ahead[part.sku].cap\n",
        "                cap = 1_000_000\n",
        "more is promised to buyers than will ever come",
        shows=("backorder", "purchase"),
    ),
    Mutant(
        "lines of one SKU are not summed",
        f"{COMMERCE}/inventory/allocation.py",
        "sums[line.sku] = sums.get(line.sku, 0) + line.quantity",
        "sums[line.sku] = line.quantity",
        "two lines of one SKU promise more than there is",
        shows=("last_unit",),
    ),
    Mutant(
        "parts of one shelf are not summed",
        f"{COMMERCE}/inventory/model.py",
        "sums[place] = sums[place].with_more(part.quantity, part.backordered) if place in sums else part",
        "sums[place] = part",
        "a reservation holds less than the order says",
        shows=("last_unit", "checkout"),
    ),
    Mutant(
        "canceling releases nothing",
        f"{COMMERCE}/orders/service.py",
        "                    *stores.inventory.release_actions(order.id, parts_of(order), now=now),\n",
        "",
        "units are promised to canceled orders for ever",
        shows=("cancel",),
    ),
    Mutant(
        "shipping leaves the units on the shelf",
        f"{COMMERCE}/fulfilment/shipping.py",
        "actions=shelves.ship_actions(order.id, parts_of(order), now=now)",
        "actions=()",
        "units that left are still counted",
        shows=("checkout",),
    ),
    Mutant(
        "a short pick is not written off",
        f"{COMMERCE}/fulfilment/warehouse.py",
        "    _write_off(stock, stores.audit, order, shipment.location, missing_stock(order.lines, missing), actor, now)\n",
        "",
        "units that nobody finds are sold again",
        shows=("short_pick",),
    ),
    Mutant(
        "a short pick is written off anew by every retry",
        f"{COMMERCE}/fulfilment/warehouse.py",
        'adjustment_id=f"{order.id}#short_pick#{sku}#{location}"',
        'adjustment_id=f"{order.id}#short_pick#{sku}#{location}#{now}"',
        "a repeated request takes units off the shelf twice",
        shows=("short_pick",),
    ),
    Mutant(
        "goods that come back are not counted",
        f"{COMMERCE}/returns/service.py",
        "actions=[*shelves.return_actions(return_id, restocked_parts(order, lines), now=now), recorded]",
        "actions=[recorded]",
        "returned goods are never sold again",
        shows=("return",),
    ),
    Mutant(
        "a return is taken in anew by every retry",
        f"{COMMERCE}/returns/service.py",
        'return_id = derived_id("return", order_id, key)',
        'return_id = derived_id("return", order_id, key, str(now))',
        "a repeated request puts goods onto the shelf twice",
        shows=("return",),
    ),
    Mutant(
        "a cancellation leaves a pool's units with another row",
        f"{COMMERCE}/inventory/repository.py",
        'self._moved(part, "released", order_id, now, available=part.quantity, guard=guard)',
        'self._moved(\n                part.model_copy(update={"shard": 0}), "released", order_id, now, available=part.quantity, '
        "guard=guard\n            )",
        "one row has more free than lies in it, and another one's units are promised for ever",
        shows=("hot",),
    ),
    Mutant(
        "a move between the rows of a pool is written down by half",
        f"{COMMERCE}/inventory/repository.py",
        "            for move in by_row.values()\n            if move.quantity\n",
        "            for move in by_row.values()\n            if move.quantity > 0\n",
        "the ledger does not sum to the balances",
        shows=("hot",),
    ),
    Mutant(
        "a transfer takes nothing",
        f"{COMMERCE}/inventory/repository.py",
        "return [taken[0], self._guard(transfer_id), taken[1], *given]",
        "return [given[0], self._guard(transfer_id), given[1]]",
        "units lie at two places at once",
        shows=("transfer",),
    ),
    Mutant(
        "a transfer is made anew by every retry",
        "functions/admin_inventory/handler.py",
        'transfer_id=derived_id("transfer", sku, actor, request.headers["idempotency-key"])',
        'transfer_id=derived_id("transfer", sku, actor, iso(now()))',
        "a repeated request carries units twice",
        shows=("transfer",),
    ),
    Mutant(
        "an adjustment is made anew by every retry",
        "functions/admin_inventory/handler.py",
        'adjustment_id=derived_id("adj", sku, actor, request.headers["idempotency-key"])',
        'adjustment_id=derived_id("adj", sku, actor, iso(now()))',
        "a repeated request corrects the stock twice",
        shows=("transfer", "backorder"),
    ),
    Mutant(
        "a purchase limit is only looked at",
        f"{COMMERCE}/inventory/repository.py",
        'self._counted(buyer, sku, quantity, at_most("units", limit - quantity))',
        "self._counted(buyer, sku, quantity)",
        "two orders at once give a buyer more than the limit",
        shows=("limit",),
    ),
    Mutant(
        "canceling does not give the purchase limit back",
        f"{COMMERCE}/orders/service.py",
        "                    *stores.inventory.unlimit_actions(buyer_of(order), limited_units(order)),\n",
        "",
        "a buyer who canceled may not buy again",
        shows=("limit",),
    ),
    Mutant(
        "a count sets the shelf to what was counted",
        f"{COMMERCE}/stockroom/model.py",
        "posted = max(line.variance, -max(stock.available, 0))",
        "posted = max(line.counted - stock.on_hand, -max(stock.available, 0))",
        "what was sold between counting and posting is put back into the books",
        shows=("count",),
    ),
    Mutant(
        "an adjustment leaves no trace for counts",
        f"{COMMERCE}/inventory/repository.py",
        "            adjustments=1,\n",
        "            adjustments=0,\n",
        "a unit that was written off by hand is written off again by the count",
        shows=("count",),
    ),
    Mutant(
        "a count is posted without its first line",
        f"{COMMERCE}/stockroom/service.py",
        "    for line in waiting[:POSTED_AT_ONCE]:",
        "    for line in waiting[1:POSTED_AT_ONCE]:",
        "the books stay wrong although somebody counted",
        shows=("count",),
    ),
    Mutant(
        "a table adjusts anew whenever it comes",
        f"{COMMERCE}/stockroom/bulk.py",
        'adjustment_id = derived_id("adj", sheet.id, row.sku, row.location)',
        'adjustment_id = derived_id("adj", sheet.id, row.sku, row.location, str(now))',
        "a table that is sent again corrects the stock twice",
        shows=("table",),
    ),
    Mutant(
        "a table with a mistake is carried out in part",
        f"{COMMERCE}/stockroom/bulk.py",
        "    if faults:\n",
        "    if not sheet.rows:\n",
        "a table that was refused has changed the stock",
        shows=("table",),
    ),
    Mutant(
        "a table's locations are not read",
        f"{COMMERCE}/stockroom/bulk.py",
        "            location=row.location,\n        )\n    except Conflict as refused:",
        "            location=None,\n        )\n    except Conflict as refused:",
        "units are taken from a shelf where they do not lie",
        shows=("table",),
    ),
    Mutant(
        "a delivery is taken in anew by every retry",
        f"{COMMERCE}/purchasing/service.py",
        'id=derived_id("delivery", order_id, key),',
        'id=derived_id("delivery", order_id, key, str(now)),',
        "a repeated request puts goods onto the shelf twice",
        shows=("purchase",),
    ),
    Mutant(
        "more is received than was ordered",
        f"{COMMERCE}/purchasing/model.py",
        "        if line.quantity > outstanding[line.sku]:\n",
        "        if False:\n",
        "goods are paid for that nobody ordered",
        shows=("purchase",),
    ),
    Mutant(
        "a purchase order is written whatever became of it meanwhile",
        f"{COMMERCE}/purchasing/repository.py",
        'own = put(self.table.name, _order_item(now), ("version", "=", order.version))',
        "own = put(self.table.name, _order_item(now))",
        "of two deliveries at once the order forgets one",
        shows=("purchase",),
    ),
    Mutant(
        "units that were moved at that moment are taken for gone",
        f"{COMMERCE}/inventory/service.py",
        '                _expect_free(inventory, sku, place, -quantity, "taken away", owed=cap)\n                continue\n',
        '                raise Conflict("too few units are free", path="$.quantity") from refused\n',
        "a unit of a hot SKU that the picker did not find is sold again",
        shows=("hot",),
    ),
    # --- transactions
    Mutant(
        "a conflict is swallowed",
        f"{COMMERCE}/adapters/dynamodb.py",
        '    raise Contended("many buyers want the same thing at this moment; send the request again")',
        "    return",
        "work that never happened is answered as done",
        shows=("hot",),
        meets=("*Transact*=conflict",),
    ),
    Mutant(
        "a failed condition is swallowed",
        f"{COMMERCE}/adapters/dynamodb.py",
        "                raise ConditionFailed(failed) from error\n",
        "                return\n",
        "work that was refused is answered as done",
        shows=("last_unit", "cancel_against_ship"),
    ),
    Mutant(
        "transactions carry no token",
        f"{COMMERCE}/adapters/dynamodb.py",
        "client.transact_write_items(TransactItems=actions, ClientRequestToken=token)",
        "client.transact_write_items(TransactItems=actions)",
        "a retry after a lost answer finds its own guard and takes it for somebody else's",
        shows=("purchase",),
        meets=("*Transact*=retried",),
    ),
    Mutant(
        "an order is written whatever became of it meanwhile",
        f"{COMMERCE}/orders/repository.py",
        '            ("version", "=", order.version),\n            ("status", "=", order.status),\n',
        "",
        "a cancellation and a shipment both happen",
        shows=("cancel_against_ship", "cancel"),
    ),
    Mutant(
        "a new order is on no list",
        f"{COMMERCE}/orders/repository.py",
        'own = put(self.table.name, {**_item(order), **sealed}, ("pk", "missing"))',
        'listed = {name: part for name, part in _item(order).items() if name != "status_shard"}\n'
        '        own = put(self.table.name, {**listed, **sealed}, ("pk", "missing"))',
        "an order whose completion was interrupted is not found by the reconciler",
        shows=("once",),
        meets=("*transact orders=crash_after", "*StartExecution=crash_before"),
    ),
    Mutant(
        "a checkout is written whatever became of it meanwhile",
        f"{COMMERCE}/checkout/repository.py",
        '            ("version", "=", old.version),\n',
        "",
        "a checkout is completed twice",
        shows=("two_minds",),
    ),
    Mutant(
        "every attempt makes the same order",
        f"{COMMERCE}/orders/service.py",
        "id=order_id_for(checkout.id, checkout.attempt)",
        "id=order_id_for(checkout.id, 1)",
        "whose card was declined cannot pay with another one",
        shows=("declined",),
    ),
    # --- reads that lag
    Mutant(
        "an order is read as it was a moment ago",
        f"{COMMERCE}/orders/repository.py",
        'item = self.table.get(f"ORDER#{order_id}", "ORDER")\n'
        "        return next(self._opened([item])) if item else None",
        'item = self.table.get(f"ORDER#{order_id}", "ORDER", consistent=False)\n'
        "        return next(self._opened([item])) if item else None",
        "the shop acts on what the order no longer is",
        shows=("checkout",),
    ),
    Mutant(
        "a checkout is read as it was a moment ago",
        f"{COMMERCE}/checkout/repository.py",
        'item = self.table.get(f"CHECKOUT#{checkout_id}", "CHECKOUT")\n'
        "        return self._opened(item) if item else None",
        'item = self.table.get(f"CHECKOUT#{checkout_id}", "CHECKOUT", consistent=False)\n'
        "        return self._opened(item) if item else None",
        "an order that is there is not found",
        shows=("checkout", "declined"),
    ),
    Mutant(
        "the payments of an order are read as they were a moment ago",
        f"{COMMERCE}/payments/repository.py",
        'items = self.table.query(f"ORDER#{order_id}", prefix="PAYMENT#", consistent=True)',
        'items = self.table.query(f"ORDER#{order_id}", prefix="PAYMENT#")',
        "two refunds at once give back more than was taken",
        shows=("refund", "dispute", "lost"),
    ),
    # --- events and e-mails
    Mutant(
        "events follow the transaction",
        f"{COMMERCE}/orders/repository.py",
        "        transact(self.table.client, [own, *actions, *published], attempts=attempts)",
        "        transact(self.table.client, [own, *actions], attempts=attempts)\n"
        "        for one in published:\n            transact(self.table.client, [one])",
        "a crash between the two loses the event",
        shows=("checkout",),
    ),
    Mutant(
        "events go ahead of the transaction",
        f"{COMMERCE}/orders/repository.py",
        "        transact(self.table.client, [own, *actions, *published], attempts=attempts)",
        "        for one in published:\n            transact(self.table.client, [one])\n"
        "        transact(self.table.client, [own, *actions], attempts=attempts)",
        "events tell of what never happened",
        shows=("checkout",),
    ),
    Mutant(
        "the bus's refusals are not read",
        f"{COMMERCE}/adapters/relay.py",
        '        if not answer["FailedEntryCount"]:\n            return []\n',
        "        return []\n",
        "an event that the bus refused is lost",
        shows=("checkout",),
    ),
    Mutant(
        "a silent bus is taken for success",
        f"{COMMERCE}/adapters/relay.py",
        "        except (ClientError, BotoCoreError):\n            return numbers",
        "        except (ClientError, BotoCoreError):\n            return []",
        "events are lost when the bus does not answer",
        shows=("checkout",),
    ),
    Mutant(
        "a queue's failures are not reported",
        f"{COMMERCE}/adapters/queues.py",
        '            work(_event(record))\n        except Exception as error:\n            _left(record, error)\n'
        '            failed.append(record["messageId"])',
        "            work(_event(record))\n        except Exception as error:\n            _left(record, error)",
        "an e-mail that failed is never tried again",
        shows=("checkout",),
        meets=("ses.SendEmail=throttled",),
    ),
    Mutant(
        "analytics forget what was refused",
        f"{COMMERCE}/adapters/queues.py",
        "        failed += [known[position][0] for position in work([event for _, event in known])]",
        "        work([event for _, event in known])",
        "rows are missing in the analysis",
        shows=("checkout",),
    ),
    Mutant(
        "an e-mail is sent without its claim",
        f"{COMMERCE}/notifications/service.py",
        "    if not claims.take(order.id, kind, event.id, now):\n        return \"sent_before\"\n",
        "    claims.take(order.id, kind, event.id, now)\n",
        "an event that comes twice is told twice",
        shows=("checkout",),
    ),
    Mutant(
        "an e-mail is sent before it is claimed",
        f"{COMMERCE}/notifications/service.py",
        "    if not claims.take(order.id, kind, event.id, now):\n        return \"sent_before\"\n    try:\n"
        "        message_id = mailer.send(email, kind)\n",
        "    try:\n        message_id = mailer.send(email, kind)\n"
        "        if not claims.take(order.id, kind, event.id, now):\n            return \"sent_before\"\n",
        "an event that comes twice is told twice",
        shows=("checkout",),
    ),
    Mutant(
        "an e-mail of unknown fate is sent again",
        f"{COMMERCE}/notifications/service.py",
        '    except FateUnknown:\n        return "fate_unknown"',
        "    except FateUnknown:\n        claims.release(order.id, kind, event.id)\n        raise Refused(\"unknown\") from None",
        "a buyer is written to twice",
        shows=("checkout",),
    ),
    # --- money
    Mutant(
        "canceling does not let go of the payment",
        f"{COMMERCE}/orders/payment.py",
        "    if order.payment_intent is None:\n        return\n    if not balance",
        "    if True:\n        return\n    if not balance",
        "the buyer's money stays held",
        shows=("cancel",),
    ),
    Mutant(
        "money is confirmed before the order knows the intent",
        f"{COMMERCE}/checkout/complete.py",
        "    order = orders.remember_intent(till.stores, order, intent_id)\n"
        "    if order.status != \"pending_payment\" or order.payment_intent is None:\n        return\n",
        "    order = order.model_copy(update={\"payment_intent\": intent_id})\n",
        "money is held that no order knows of",
        shows=("checkout", "3ds"),
    ),
    Mutant(
        "a payment that was begun is not asked for again",
        f"{COMMERCE}/checkout/complete.py",
        'return None if authorization.outcome == "unconfirmed" else authorization',
        "return authorization",
        "an order whose completion was interrupted is never paid",
        shows=("checkout",),
        meets=("*confirm=crash_before",),
    ),
    Mutant(
        "an order is paid under another intent than its first",
        f"{COMMERCE}/checkout/complete.py",
        "till.gateway.confirm(order.payment_intent, token",
        "till.gateway.confirm(intent_id, token",
        "money is held that no order knows of",
        shows=("checkout",),
        meets=("*create*=outage_after then *confirm=crash_before",),
    ),
    Mutant(
        "money is taken at once",
        f"{COMMERCE}/payments/gateway.py",
        '"capture_method": "manual"',
        '"capture_method": "automatic"',
        "the buyer is charged before anything is sent",
        shows=("cancel", "checkout"),
    ),
    Mutant(
        "no answer is taken for a refused card",
        f"{COMMERCE}/payments/gateway.py",
        "        except stripe.StripeError:\n            return _unknown(intent_id)\n        return _authorization(intent)\n\n"
        "    def retrieve",
        "        except stripe.StripeError:\n            return Authorization(outcome=\"declined\", intent_id=intent_id)\n"
        "        return _authorization(intent)\n\n    def retrieve",
        "an order whose payment came is canceled",
        shows=("checkout",),
        meets=("*confirm=*",),
    ),
    Mutant(
        "no answer to a capture is taken for a refusal",
        f"{COMMERCE}/payments/gateway.py",
        '        if now.outcome == "captured":\n            return Capture(outcome="captured", charge_id=now.charge_id',
        '        if False:\n            return Capture(outcome="captured", charge_id=now.charge_id',
        "money that was taken is not in the books",
        shows=("checkout",),
        meets=("*capture=outage_after",),
    ),
    Mutant(
        "a silent provider is taken for a capture",
        f"{COMMERCE}/payments/gateway.py",
        '        except stripe.StripeError:\n            return Capture(outcome="unknown")',
        "        except stripe.StripeError:\n            return Capture(outcome=\"captured\", amount=amount)",
        "an order is sent that nobody paid",
        shows=("checkout",),
    ),
    Mutant(
        "a void that was refused is taken for one",
        f"{COMMERCE}/payments/gateway.py",
        'return Void(outcome="voided" if now.outcome == "voided" else "unknown")',
        'return Void(outcome="voided")',
        "the buyer's money stays held",
        shows=("cancel",),
        meets=("*cancel=outage_before",),
    ),
    Mutant(
        "a captured payment is taken for let go",
        f"{COMMERCE}/payments/gateway.py",
        '                return Void(outcome="captured", amount_captured=now.amount_captured)',
        '                return Void(outcome="voided")',
        "a canceled order's money is kept",
        shows=("cancel_against_ship",),
        meets=("*capture=crash_after",),
    ),
    Mutant(
        "a silent provider is taken for a void",
        f"{COMMERCE}/payments/gateway.py",
        '        except stripe.StripeError:\n            return Void(outcome="unknown")',
        '        except stripe.StripeError:\n            return Void(outcome="voided")',
        "the buyer's money stays held",
        shows=("cancel",),
        meets=("*cancel=throttled",),
    ),
    Mutant(
        "a refund is made anew by every retry",
        f"{COMMERCE}/payments/gateway.py",
        '                {"idempotency_key": key},\n            )\n        except _SETTLED as error:\n            return Refund(',
        "            )\n        except _SETTLED as error:\n            return Refund(",
        "money is given back twice",
        shows=("refund",),
        meets=("*refunds.create=late_effect",),
    ),
    Mutant(
        "an older refund is not looked for",
        f"{COMMERCE}/payments/gateway.py",
        "self._made_before(intent_id, key) or self._client.v1.refunds.create(",
        "self._client.v1.refunds.create(",
        "a refund that is asked for after a day is made twice",
        shows=("refund",),
        meets=("*refunds.create=key_expired",),
    ),
    Mutant(
        "refunds have no limit",
        f"{COMMERCE}/orders/payment.py",
        "        if asked.amount > left:\n",
        "        if False:\n",
        "more is promised back than was taken",
        shows=("refund",),
    ),
    Mutant(
        "refunds on their way do not count",
        f"{COMMERCE}/payments/model.py",
        "return max(0, self.captured - self.refunded - self.refund_pending)",
        "return max(0, self.captured - self.refunded)",
        "two refunds at once give back more than was taken",
        shows=("refund", "return"),
    ),
    Mutant(
        "a refund that failed counts as made",
        f"{COMMERCE}/payments/model.py",
        'refunded=total("refunded", without=failed)',
        'refunded=total("refunded") + total("refund_failed")',
        "a buyer does not get the money back",
        shows=("dispute", "lost"),
    ),
    Mutant(
        "a capture that the void met is written down as nothing",
        f"{COMMERCE}/orders/payment.py",
        "_record_capture(books, order, void.amount_captured, None, now)",
        "_record_capture(books, order, balance(books.payments.of(order.id)).captured, None, now)",
        "a canceled order's money is kept",
        shows=("cancel_against_ship",),
        meets=("*capture=*",),
    ),
    Mutant(
        "a refund without an answer is not asked for again",
        f"{COMMERCE}/orders/payment.py",
        "for refund_id, amount in (*begun, *fresh):",
        "for refund_id, amount in (*fresh,):",
        "a canceled order's money is kept",
        shows=("lost", "cancel_against_ship"),
    ),
    Mutant(
        "the same news is written down twice",
        f"{COMMERCE}/payments/repository.py",
        '            put(self.table.name, item, ("pk", "missing"))\n',
        "            put(self.table.name, item)\n",
        "the books count one capture or refund twice",
        shows=("checkout", "refund"),
    ),
    Mutant(
        "a capture is not written down",
        f"{COMMERCE}/fulfilment/shipping.py",
        "        return record_payment(stores, order, payment)\n    return cancel_order",
        "        return order\n    return cancel_order",
        "the books do not know the money",
        shows=("checkout",),
    ),
    Mutant(
        "an order is sent before its money is taken",
        f"{COMMERCE}/fulfilment/shipping.py",
        "            order = _captured(stores, payments, order, now)\n",
        "",
        "goods leave that nobody paid",
        shows=("checkout",),
    ),
    Mutant(
        "a webhook is believed",
        f"{COMMERCE}/orders/payment.py",
        '            authorization = _present_state(gateway, order.payment_intent or "")\n            order = settle',
        "            authorization = Authorization.model_validate(\n"
        "                {\"outcome\": notice.kind, \"intent_id\": notice.intent_id, \"amount_captured\": notice.amount}\n"
        "            )\n            order = settle",
        "late news undoes what happened since",
        shows=("3ds",),
        meets=("webhook*action_required=at_once",),
    ),
    Mutant(
        "a webhook's signature is not checked",
        f"{COMMERCE}/payments/gateway.py",
        "return self._client.construct_event(payload, signature, webhook_secret, TOLERANCE_SECONDS)",
        'return stripe.Event.construct_from(__import__("json").loads(payload), None)',
        "anybody can tell the shop that it was paid",
        shows=("checkout",),
    ),
    # --- the course of an order
    Mutant(
        "a payment that came in the last second is not asked for",
        f"{COMMERCE}/orders/endings.py",
        "    if order.payment_intent is not None:\n        authorization = gateway.retrieve(",
        "    if False:\n        authorization = gateway.retrieve(",
        "an order whose payment came is canceled",
        shows=("last_second",),
        meets=("webhook*=late",),
    ),
    Mutant(
        "a timeout cancels an order that was confirmed",
        f"{COMMERCE}/orders/service.py",
        '        if reason in REOPENING and order.status != "pending_payment":\n            return order\n',
        "",
        "an order that was paid is canceled and its checkout sold again",
        shows=("last_second",),
    ),
    Mutant(
        "the compensation trusts the error",
        f"{COMMERCE}/orders/endings.py",
        '    if order.status not in ("canceled", "lost"):\n        return "carry_on"\n',
        "",
        "an order that is alive loses its payment",
        shows=("slow_warehouse", "checkout"),
    ),
    Mutant(
        "a cancellation that comes too late is answered as done",
        f"{COMMERCE}/orders/service.py",
        '            raise Conflict(f"an order that is {order.status} cannot be canceled any more")\n',
        "            return order\n",
        "a buyer is told that an order is canceled, and gets it",
        shows=("cancel_against_ship",),
    ),
    Mutant(
        "confirming leaves the checkout behind",
        f"{COMMERCE}/orders/service.py",
        '                    *_moved(stores, checkout, status="completed", messages=(), escalation_url=None),\n',
        "",
        "the buyer's checkout stays in progress for ever",
        shows=("checkout",),
    ),
    Mutant(
        "canceling leaves the checkout behind",
        f"{COMMERCE}/orders/service.py",
        "                    *_moved(stores, checkout, **_after_cancellation(checkout, reason)),\n",
        "",
        "the buyer's checkout stays in progress for ever",
        shows=("abandoned_3ds",),
    ),
    Mutant(
        "a checkout that opens again keeps its attempt",
        f"{COMMERCE}/orders/service.py",
        '            "attempt": checkout.attempt + 1,\n',
        '            "attempt": checkout.attempt,\n',
        "the next attempt meets the order of the last one",
        shows=("declined",),
    ),
    Mutant(
        "a canceled order tells nobody",
        f"{COMMERCE}/orders/service.py",
        "                events=[\n                    OrderCanceled(",
        "                events=[][:0] and [\n                    OrderCanceled(",
        "the buyer and the analysis do not hear of it",
        shows=("cancel",),
    ),
    Mutant(
        "the end of a parcel that is about to leave is forgotten",
        f"{COMMERCE}/fulfilment/tracking.py",
        '    if ending and order.status == "ready_to_ship":\n',
        "    if False:\n",
        "an order waits for ever for news that came",
        shows=("swift",),
        meets=("*=function_timeout",),
    ),
    Mutant(
        "a hold that passed is not ended",
        f"{COMMERCE}/reconciliation/service.py",
        "        if overdue(order, now):\n",
        "        if False:\n",
        "units are promised to buyers who left",
        shows=("expiry",),
        meets=("*compensate_order=fails_for_good",),
    ),
    Mutant(
        "a missing execution is not started",
        f"{COMMERCE}/reconciliation/service.py",
        '            rounds.workflow.start(order.id)\n            yield Finding(kind="execution_missing"',
        '            yield Finding(kind="execution_missing"',
        "an order goes nowhere",
        shows=("once",),
        meets=("*transact orders=crash_after",),
    ),
    Mutant(
        "orders ahead of their executions are not woken",
        f"{COMMERCE}/reconciliation/service.py",
        "            rounds.workflow.start(order.id)\n            wake(rounds.stores.orders, rounds.workflow, order.id)\n",
        "",
        "a lost signal costs a day, or the order",
        shows=("once",),
        meets=("states.SendTask*=crash_before",),
    ),
    Mutant(
        "nobody starts the execution",
        f"{COMMERCE}/checkout/complete.py",
        "            till.workflow.start(answer.id)\n            _pay(",
        "            _pay(",
        "an order waits for the reconciler to begin",
        shows=("checkout",),
    ),
    Mutant(
        "a workflow's refusals are swallowed",
        f"{COMMERCE}/adapters/workflow.py",
        "        if code not in already_so:\n            raise",
        "        return",
        "a signal is lost without anybody knowing",
        shows=("once",),
        meets=("states.StartExecution=outage_before",),
    ),
    Mutant(
        "an idempotency key is claimed twice",
        f"{COMMERCE}/adapters/idempotency.py",
        "            self.table.put_once(item, condition)",
        "            self.table.put(item)",
        "a request that is sent twice is carried out twice",
        shows=("checkout",),
    ),
    Mutant(
        "time to live is trusted",
        f"{COMMERCE}/adapters/idempotency.py",
        '            if known is None or known["expires_at"] <= now:\n                claim',
        "            if known is None:\n                claim",
        "a claim whose owner died is waited for until it is swept",
        shows=("checkout",),
    ),
    Mutant(
        "answers are not kept",
        f"{COMMERCE}/adapters/idempotency.py",
        '            self.table.put(item, ("by", "=", claim.by))',
        "            return",
        "a request that is sent again does not get the same answer",
        shows=("checkout",),
    ),
    Mutant(
        "a parcel is announced before it is handed over",
        f"{COMMERCE}/fulfilment/warehouse.py",
        '    order = _by_staff(stores, order_id, location, "packed", "ready_to_ship", {}, actor, now, expected)\n'
        '    if order.status == "ready_to_ship":\n'
        "        wake(stores.orders, workflow, order_id)\n    return order",
        "    waiting = stores.orders.get(order_id)\n"
        '    workflow.succeed(waiting.task_token, {"status": "ready_to_ship"})\n'
        '    return _by_staff(stores, order_id, location, "packed", "ready_to_ship", {}, actor, now, expected)',
        "the workflow ships what is not ready",
        shows=("split", "checkout"),
    ),
    Mutant(
        "the workflow hears of a payment before the order does",
        f"{COMMERCE}/orders/service.py",
        "    order = _confirmed(stores, order, payment, now)\n"
        '    if order.status == "confirmed":\n'
        "        wake(stores.orders, workflow, order.id)\n    return order",
        "    waiting = stores.orders.get(order.id)\n"
        '    workflow.succeed(waiting.task_token, {"status": "confirmed"})\n'
        "    return _confirmed(stores, order, payment, now)",
        "the workflow goes ahead of the order and fails",
        shows=("3ds", "checkout"),
    ),
    Mutant(
        "an unpublished event is only reported",
        f"{COMMERCE}/reconciliation/service.py",
        'yield Finding(kind="event_unpublished", subject=event_id, mended=rounds.outbox.publish(event_id))',
        'yield Finding(kind="event_unpublished", subject=event_id, mended=True)',
        "an event that the stream missed is never told",
        shows=("checkout",),
    ),
    Mutant(
        "the provider's undelivered news are not read",
        f"{COMMERCE}/reconciliation/service.py",
        "(*EVERY_MINUTE, _undelivered_notices,",
        "(*EVERY_MINUTE,",
        "a webhook that never came leaves the books behind",
        shows=("3ds", "refund"),
    ),
    Mutant(
        "parcels under way are not asked about",
        f"{COMMERCE}/reconciliation/service.py",
        "_unpublished_events, _parcels_under_way)",
        "_unpublished_events)",
        "an order waits for ever for news of the carrier that never came",
        shows=("checkout", "lost"),
    ),
    # --- the state machine
    Mutant(
        "a timed-out payment is sent to the warehouse",
        "statemachines/checkout_to_delivery.asl.json",
        '          "Next": "CompensateOrder"\n        }\n      ],\n      "Next": "AwaitWarehouse"',
        '          "Next": "AwaitWarehouse"\n        }\n      ],\n      "Next": "AwaitWarehouse"',
        "the goods of a buyer who left stay promised",
        shows=("expiry",),
    ),
    Mutant(
        "the payment is waited for whatever the order says",
        "statemachines/checkout_to_delivery.asl.json",
        '"ConditionExpression": "#status = :pending_payment"',
        '"ConditionExpression": "#status = :pending_payment OR attribute_exists(pk)"',
        "an order that was paid before the wait began waits for its payment until the hold passes",
        shows=("checkout", "3ds"),
    ),
    Mutant(
        "the delivery is waited for whatever the order says",
        "statemachines/checkout_to_delivery.asl.json",
        '"ConditionExpression": "#status = :shipped"',
        '"ConditionExpression": "#status = :shipped OR attribute_exists(pk)"',
        "an order that was delivered before the wait began waits for ever",
        shows=("checkout",),
    ),
    Mutant(
        "a late delivery is settled as if it had arrived",
        "statemachines/checkout_to_delivery.asl.json",
        '"Next": "DeliveryOverdue"',
        '"Next": "SettleOrder"',
        "the execution ends while the parcel is on its way",
        shows=("checkout",),
    ),
    Mutant(
        "a canceled order's execution carries on",
        "statemachines/checkout_to_delivery.asl.json",
        "\"{% $states.input.outcome in ['canceled', 'lost'] %}\"",
        "\"{% $states.input.outcome in ['lost'] %}\"",
        "a canceled order waits for its delivery",
        shows=("cancel_against_ship", "cancel"),
    ),
    Mutant(
        "an order that is alive is left alone",
        "statemachines/checkout_to_delivery.asl.json",
        "\"{% $states.input.outcome = 'carry_on' %}\"",
        "\"{% $states.input.outcome = 'carry-on' %}\"",
        "an order whose signal was lost is forgotten",
        shows=("slow_warehouse", "3ds"),
    ),
    Mutant(
        "shipping is not tried again",
        "statemachines/checkout_to_delivery.asl.json",
        '"Output": { "outcome": "{% $states.result.Payload.outcome %}" },\n      "Retry": [\n'
        "        {\n"
        '          "ErrorEquals": ["States.ALL"],\n          "IntervalSeconds": 2,\n          "BackoffRate": 2,\n'
        '          "MaxAttempts": 8',
        '"Output": { "outcome": "{% $states.result.Payload.outcome %}" },\n      "Retry": [\n'
        "        {\n"
        '          "ErrorEquals": ["States.ALL"],\n          "IntervalSeconds": 2,\n          "BackoffRate": 2,\n'
        '          "MaxAttempts": 0',
        "one lost call to the carrier needs a person",
        shows=("checkout",),
    ),
    Mutant(
        "settling is not tried again",
        "statemachines/checkout_to_delivery.asl.json",
        '"MaxAttempts": 8,\n          "MaxDelaySeconds": 300,\n          "JitterStrategy": "FULL"\n'
        "        }\n      ],\n"
        '      "End": true',
        '"MaxAttempts": 0,\n          "MaxDelaySeconds": 300,\n          "JitterStrategy": "FULL"\n'
        "        }\n      ],\n"
        '      "End": true',
        "one lost call needs a person",
        shows=("checkout",),
    ),
    Mutant(
        "compensating is not tried again",
        "statemachines/checkout_to_delivery.asl.json",
        '"MaxAttempts": 8,\n          "MaxDelaySeconds": 300,\n          "JitterStrategy": "FULL"\n'
        "        }\n      ],\n"
        '      "Next": "Alive"',
        '"MaxAttempts": 0,\n          "MaxDelaySeconds": 300,\n          "JitterStrategy": "FULL"\n'
        "        }\n      ],\n"
        '      "Next": "Alive"',
        "one lost call to the payment provider needs a person",
        shows=("cancel",),
    ),
)
