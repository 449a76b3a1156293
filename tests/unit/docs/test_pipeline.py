"""The pipeline goes from lint to prod in this order, and gives nobody more than they need."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8")
PIPELINE = yaml.safe_load(TEXT)
JOBS = PIPELINE["jobs"]
ORDER = ["lint", "test", "synth", "diff", "deploy-dev", "e2e", "deploy-prod"]
ON_AWS = ORDER[3:]
STEPS = [(name, step) for name, job in JOBS.items() for step in job["steps"]]


def test_every_job_waits_for_the_one_before():
    assert list(JOBS) == ORDER
    assert [job.get("needs") for job in JOBS.values()] == [None, *ORDER[:-1]]


def test_nothing_goes_on_after_a_failure():
    assert not any("continue-on-error" in one or "always()" in str(one.get("if")) for one in JOBS.values())
    assert not any("continue-on-error" in step or "if" in step for _, step in STEPS)


def test_by_default_a_job_may_only_read_the_sources():
    assert PIPELINE["permissions"] == {"contents": "read"}
    assert {name for name, job in JOBS.items() if "permissions" in job} == set(ON_AWS)
    for name in ON_AWS:
        assert JOBS[name]["permissions"] == {"contents": "read", "id-token": "write"}


def test_a_pull_request_gets_near_no_account():
    assert "pull_request_target" not in TEXT
    assert PIPELINE[True]["push"] == {"branches": ["main"]}  # YAML 1.1 reads `on` as true
    assert JOBS["diff"]["if"] == "github.event_name == 'push'"  # and all jobs on AWS wait for it


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_who_changes_an_account_does_so_under_its_environment_where_reviewers_can_be_asked(environment):
    assert JOBS[f"deploy-{environment}"]["environment"] == environment
    assert set(re.findall(r"ENV=(\w+)", str(JOBS[f"deploy-{environment}"]))) == {environment}


def test_only_deployments_get_the_role_that_may_deploy():
    assert {name for name, job in JOBS.items() if "AWS_DEPLOY_ROLE" in str(job)} == {"deploy-dev", "deploy-prod"}
    assert {name for name, job in JOBS.items() if "environment" in job} == {"deploy-dev", "deploy-prod"}


def test_there_is_no_secret():
    assert "secrets." not in TEXT
    assert not re.search(r"AKIA[0-9A-Z]{16}|aws-access-key-id|aws-secret", TEXT)


def test_actions_are_pinned_to_commits_and_name_their_release():
    used = re.findall(r"uses: (\S+)(.*)", TEXT)
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_the_checkout_leaves_no_credentials_behind():
    checkouts = [step for _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(JOBS)
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_every_job_ends_some_time_and_no_deployment_is_cut_off():
    assert all(job["timeout-minutes"] <= 60 for job in JOBS.values())
    assert PIPELINE["concurrency"]["cancel-in-progress"] is False


def test_no_text_from_outside_reaches_a_shell():
    expressions = {found for _, step in STEPS for found in re.findall(r"\$\{\{(.+?)\}\}", step.get("run", ""))}
    assert expressions == {" matrix.environment "}


def test_what_jobs_run_are_targets_of_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    run = [step["run"] for _, step in STEPS if "run" in step]
    assert {command.split()[1] for command in run} <= targets
    assert {command.split()[0] for command in run} == {"make"}
