"""The shop window: lists, pages, search, and what caches may keep."""

import httpx
import pytest

from tools.demo.actors import Shopper


def test_every_product_is_found_by_paging_through_the_list_once(guest: Shopper) -> None:
    handles: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = guest.get("/products", limit=7, **cursor)
        handles += [product["handle"] for product in page["products"]]
        if not page["pagination"]["has_next_page"]:
            break
        cursor = {"cursor": page["pagination"]["cursor"]}

    assert len(handles) == len(set(handles)) >= 38


def test_sorting_by_price_sorts(guest: Shopper) -> None:
    page = guest.get("/products", sort="price", limit=50, currency="EUR")
    prices = [product["price_range"]["min"]["amount"] for product in page["products"]]

    assert prices == sorted(prices)
    assert {product["price_range"]["min"]["currency"] for product in page["products"]} == {"EUR"}


@pytest.mark.parametrize("path", ["/products", "/categories", "/.well-known/ucp"])
def test_what_may_be_cached_says_so_and_is_not_sent_twice(shop: httpx.Client, path: str) -> None:
    first = shop.get(path)
    again = shop.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert first.status_code == 200
    assert "public" in first.headers["cache-control"]
    assert again.status_code == 304
    assert not again.content


def test_a_word_of_a_title_finds_the_product(guest: Shopper) -> None:
    product = next(guest.products_in_stock())
    word = max(product["title"].split(), key=len)

    found = guest.post("/catalog/search", {"query": word})

    assert product["id"] in {one["id"] for one in found["products"]}


def test_a_picture_of_a_product_is_served(guest: Shopper, shop: httpx.Client) -> None:
    product = next(guest.products_in_stock())

    picture = shop.get(product["media"][0]["url"])

    assert picture.status_code == 200
    assert picture.headers["content-type"].startswith("image/")
