"""The one place where prices become totals: for lines, carts, checkouts and orders alike.

Everything here is a pure function of its arguments: the same wants, offers and rates give the same ledger, whatever
the order of the lines. Amounts are minor units of one currency.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from commerce.clock import iso
from commerce.messages import Message, warning
from commerce.money import display, share
from commerce.pricing.model import Offer, PricedLine, ShippingOption, Total, WantedLine, amount_of
from commerce.settings import Settings, ShippingRate, TaxRate

_EURO_COUNTRIES = "AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK"
_CURRENCY_OF = {
    **dict.fromkeys(_EURO_COUNTRIES.split(), "EUR"),
    **{"US": "USD", "GB": "GBP", "CA": "CAD", "CH": "CHF", "JP": "JPY", "AU": "AUD", "SE": "SEK", "DK": "DKK"},
}


def currency_for(wanted: str | None, country: str | None, settings: Settings) -> str:
    """What a new cart is priced in: the wanted currency, else the country's, if the shop sells in it; else its own."""
    local = _CURRENCY_OF.get(country or "")
    return next((code for code in (wanted, local) if code in settings.currencies), settings.currencies[0])


def price_lines(wanted: Iterable[WantedLine], offers: Mapping[str, Offer], currency: str) -> tuple[PricedLine, ...]:
    """Every wanted line with its price. What cannot be sold keeps its place and costs nothing.

    A line that cannot be sold tells nothing of the offer, which may be one that is not announced yet.
    """
    return tuple(_priced(line, offers.get(line.sku), currency) for line in wanted)


def _priced(line: WantedLine, offer: Offer | None, currency: str) -> PricedLine:
    price = offer.price_in(currency) if offer else None
    if offer is None or price is None:
        return PricedLine(
            id=line.id,
            sku=line.sku,
            product_id="",
            title=line.sku,
            quantity=line.quantity,
            unit_price=0,
            totals=line_totals(0, line.quantity),
        )
    return PricedLine(
        id=line.id,
        sku=line.sku,
        product_id=offer.product_id,
        title=offer.title,
        quantity=line.quantity,
        unit_price=price,
        image_url=offer.image_url,
        weight_grams=offer.weight_grams,
        totals=line_totals(price, line.quantity),
    )


def line_totals(price: int, quantity: int) -> tuple[Total, ...]:
    """The ledger of `quantity` pieces at `price` each."""
    return _summed((Total(type="subtotal", amount=price * quantity, display_text="Subtotal"),))


def reduced(line: PricedLine, rest: int) -> PricedLine:
    """The line, of whose subtotal only `rest` is to be paid."""
    subtotal = amount_of(line.totals, "subtotal")
    if rest == subtotal:
        return line
    discount = Total(type="items_discount", amount=rest - subtotal, display_text="Discount")
    return line.model_copy(update={"totals": _summed((*line.totals[:-1], discount))})


def ledger(lines: Iterable[PricedLine], shipping: Total | None = None, tax: Total | None = None) -> tuple[Total, ...]:
    """The totals of a whole cart, checkout or order: what the lines sum to, then shipping, then tax, then the total."""
    kept = tuple(lines)
    reduction = sum(amount_of(line.totals, "items_discount") for line in kept)
    subtotal = sum(amount_of(line.totals, "subtotal") for line in kept)
    entries = (
        Total(type="subtotal", amount=subtotal, display_text="Subtotal"),
        Total(type="items_discount", amount=reduction, display_text="Discount") if reduction else None,
        shipping,
        tax,
    )
    return _summed(tuple(entry for entry in entries if entry))


def _summed(entries: tuple[Total, ...]) -> tuple[Total, ...]:
    total = sum(entry.amount for entry in entries)
    return (*entries, Total(type="total", amount=total, display_text="Total"))


def goods_amount(lines: Iterable[PricedLine]) -> int:
    """What the goods alone cost, after discounts on items: what free shipping is measured by."""
    return sum(amount_of(line.totals, "total") for line in lines)


def shipping_options(
    settings: Settings, *, country: str | None, currency: str, goods: int, since: datetime
) -> tuple[ShippingOption, ...]:
    """The ways to ship goods worth `goods` to `country`, in the merchant's order; none where the shop does not ship."""
    if country not in settings.countries:
        return ()
    return tuple(
        ShippingOption(
            id=rate.id,
            title=rate.title,
            carrier=rate.carrier,
            amount=_shipping_price(rate, currency, goods),
            earliest=iso(since + timedelta(days=rate.earliest_days)),
            latest=iso(since + timedelta(days=rate.latest_days)),
        )
        for rate in settings.shipping_rates
        if currency in rate.price and (not rate.countries or country in rate.countries)
    )


def _shipping_price(rate: ShippingRate, currency: str, goods: int) -> int:
    free_from = rate.free_from.get(currency)
    return 0 if free_from is not None and goods >= free_from else rate.price[currency]


def shipping_total(option: ShippingOption) -> Total:
    """The ledger entry of the chosen shipping option."""
    return Total(type="fulfillment", amount=option.amount, display_text=option.title)


def tax_total(settings: Settings, *, country: str | None, region: str | None, taxable: int) -> Total | None:
    """The flat tax on `taxable` (goods and shipping), rounded half up once; None where the shop collects none.

    A rate for the region comes before the rate for the whole country.
    """
    rates: dict[str | None, TaxRate] = {rate.region: rate for rate in settings.tax_rates if rate.country == country}
    rate = rates.get(region) or rates.get(None)
    if rate is None:
        return None
    return Total(type="tax", amount=share(taxable, rate.basis_points), display_text=rate.title)


def price_changes(before: Iterable[PricedLine], after: Iterable[PricedLine], currency: str) -> tuple[Message, ...]:
    """A warning for every line that is still sold, at another price than the buyer was last shown."""
    shown = {line.sku: line.unit_price for line in before if line.product_id}
    return tuple(
        warning(
            "price_changed",
            f"{line.title} now costs {display(line.unit_price, currency)}, not {display(shown[line.sku], currency)}.",
            path=f"$.line_items[{position}].item.price",
        )
        for position, line in enumerate(after)
        if line.product_id and shown.get(line.sku, line.unit_price) != line.unit_price
    )
