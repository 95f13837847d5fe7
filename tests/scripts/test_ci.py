"""The workflow for a code host: it can be read, runs scripts that are there, on Pythons we name."""

import os
import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
JOBS = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]


def test_every_job_runs_scripts_that_are_there():
    ran = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]
    assert sorted(ran) == ["scripts/docs", "scripts/test"]
    assert all(os.access(ROOT / script, os.X_OK) for script in ran)


def test_what_continuous_integration_runs_here_runs_there():
    here = set(re.findall(r"scripts/\w+", (ROOT / ".ci/run").read_text("utf-8")))
    assert here == {step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step}


def test_the_pythons_that_must_pass_are_those_of_the_package():
    matrix = JOBS["tests"]["strategy"]["matrix"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    versions = [
        each.rpartition(" ")[2] for each in project["classifiers"] if "Python :: 3." in each
    ]
    assert matrix["python"] == versions
    assert project["requires-python"] == f">={versions[0]}"
    assert matrix["tried"] == [True]
    assert not any(other["tried"] for other in matrix["include"])
