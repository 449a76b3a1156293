import json
import socket

import pytest

from tools.local.instance import Instance
from tools.local.steps import Stop


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr("tools.local.instance.ROOT", tmp_path)
    for name in ("TRADEPOST_INSTANCE", "TRADEPOST_PORT", "TRADEPOST_TEST_PORT"):
        monkeypatch.delenv(name, raising=False)


def test_a_developers_shop_and_the_one_of_the_tests_share_no_port_and_no_folder():
    ours, theirs = Instance("main"), Instance("test")

    assert not set(ours.ports.values()) & set(theirs.ports.values())
    assert ours.folder != theirs.folder


def test_the_variable_that_an_error_names_moves_the_port(monkeypatch):
    monkeypatch.setenv(Instance().variable("front"), "5999")

    assert Instance().url == "http://127.0.0.1:5999"


def test_each_instance_has_variables_of_its_own(monkeypatch):
    monkeypatch.setenv("TRADEPOST_PORT", "5999")

    assert Instance("test").ports["front"] != 5999
    assert Instance("test").variable("front") == "TRADEPOST_TEST_PORT"


def test_later_commands_find_the_ports_that_the_shop_was_started_with(monkeypatch):
    monkeypatch.setenv("TRADEPOST_PORT", "5999")
    Instance().keep_ports()
    monkeypatch.delenv("TRADEPOST_PORT")

    assert Instance().ports["front"] == 5999


@pytest.mark.parametrize("wrong", ["http", "0", "70000", "-1"])
def test_a_port_that_is_none_is_named(monkeypatch, wrong):
    monkeypatch.setenv("TRADEPOST_PORT", wrong)

    with pytest.raises(Stop, match=f"TRADEPOST_PORT={wrong}"):
        _ = Instance().ports


@pytest.mark.parametrize("wrong", ["../main", "Main", "a b", ""])
def test_a_name_that_could_leave_its_folder_is_refused(wrong):
    with pytest.raises(Stop, match="TRADEPOST_INSTANCE"):
        Instance(wrong)


def test_outputs_of_all_stacks_are_found_by_name():
    shop = Instance()
    shop.folder.mkdir(parents=True)
    shop.outputs_file.write_text(json.dumps({"edge": {"ApiId": "abc"}, "data": {"OrdersTable": "orders"}}))

    assert shop.output("ApiId") == "abc"
    assert shop.output("OrdersTable") == "orders"


def test_a_shop_that_was_not_deployed_says_what_to_do():
    with pytest.raises(LookupError, match="TRADEPOST_INSTANCE=test make up"):
        Instance("test").output("ApiId")


def test_a_tool_reaches_the_local_shop_and_never_the_account_of_the_developer():
    theirs = {"PATH": "/bin", "AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "t", "CDK_DEFAULT_ACCOUNT": "123456789012"}

    seen = Instance().environment(theirs)

    assert seen["PATH"] == "/bin"
    assert seen["AWS_ENDPOINT_URL"] == Instance().aws_url
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "CDK_DEFAULT_ACCOUNT"} & seen.keys()


def test_a_shop_that_does_not_run_says_how_to_start_it(monkeypatch):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("TRADEPOST_AWS_PORT", str(nobody.getsockname()[1]))

        with pytest.raises(LookupError, match="does not run; start it: make up"):
            Instance().running()
