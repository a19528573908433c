"""The three platforms' runners, as far as the pipelines in `deploy/pipelines` need them.

Which steps a job has, in which environment, and what becomes of what they print and write. Each expression of a
pipeline is looked up in a table, so that one which is not there fails the test.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import yaml

from tests.leaks import leaking_files, leaks
from tests.pipelines.tokens import Issuer
from tests.sync.harness import ROOT

PIPELINES = ROOT / "deploy" / "pipelines"
STACK = "production"
SECRETS = ("KSM_CONFIG", "PULUMI_CONFIG_PASSPHRASE", "SYSTEM_ACCESSTOKEN")
SIGN_IN = ("AWS_ROLE_ARN", "AWS_REGION", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "GCP_WORKLOAD_IDENTITY_PROVIDER")
COPIED = ["deploy/pipelines", ".ci", "uss", "pyproject.toml", "uv.lock", "README.md"]


@dataclass
class Done:
    """A job that ended: its steps' output together, and what it hands to later jobs."""

    code: int
    output: str
    approvals: str = ""
    summary: str = ""


@dataclass
class Runner(ABC):
    """A platform that runs jobs of one stack's pipeline in a checkout."""

    checkout: Path
    environment: Mapping[str, str]
    """Without `KSM_CONFIG`, which a job has only where the pipeline gives it."""
    variables: Mapping[str, str]
    """What the platform's settings hold for the pipeline, and what it sets by itself in a job."""
    temporary: Path
    issuer: Issuer
    """Who signs the jobs' tokens."""
    ran: list[str] = field(default_factory=list)
    """The names of the steps that were run."""

    name: ClassVar[str]
    file: ClassVar[str]
    issuer_url: ClassVar[str]
    unrunnable: ClassVar[dict[str, str]]
    """Steps that are programs of the platform, and what they do instead of being run."""

    @abstractmethod
    def plan(self) -> Done:
        """Run what a pull request starts."""

    @abstractmethod
    def sync(self, *, scheduled: bool) -> Done:
        """Run what a merge or the schedule starts, up to what waits for an approval."""

    @abstractmethod
    def apply(self, before: Done) -> Done:
        """Run what an approval starts."""

    def check_out(self) -> None:
        """Put what the jobs need into the checkout."""
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, self.checkout / name)
        self.environment = {
            **self.environment,
            # Packages come from uv's cache: the sandbox's own certificate authority is no registry's.
            "UV_OFFLINE": "1",
            # The language host that is built here asks pip for the packages, which the jobs' environment is without.
            "PULUMI_PYTHON_CMD": sys.executable,
        }
        if (ROOT / ".tools").exists():
            (self.checkout / ".tools").symlink_to(ROOT / ".tools")

    def _bash(self, script: str, environment: Mapping[str, str], *options: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", *options, "-c", script],
            cwd=self.checkout,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
            check=False,
        )
        assert leaks(done.stdout, *self.issuer.issued) == {}
        return done

    def assert_tokens_are_private(self) -> None:
        """What a job left of its tokens is its owner's alone."""
        for folder in (self.temporary, self.checkout):
            for file in folder.rglob("*"):
                if not file.is_file() or ".venv" in file.parts:
                    continue
                if leaking_files(file, *self.issuer.issued):
                    assert 0 in (file.stat().st_mode & 0o077, file.parent.stat().st_mode & 0o077), file


def document(file: str) -> Any:
    """A pipeline's file; the last one where it has several documents."""
    return list(yaml.safe_load_all((PIPELINES / file).read_text(encoding="utf-8")))[-1]


@dataclass
class GitHub(Runner):
    """GitHub Actions."""

    name = "github"
    issuer_url = "https://token.actions.githubusercontent.com"
    job: str = ""
    """The job that runs."""
    file = "github-actions.yml"
    unrunnable = {"actions/checkout": "clones the repository"}

    def plan(self) -> Done:
        """See `Runner`."""
        return self._job("plan", {})

    def sync(self, *, scheduled: bool) -> Done:
        """See `Runner`."""
        return self._job("sync", {"refresh": "yes" if scheduled else ""})

    def apply(self, before: Done) -> Done:
        """See `Runner`."""
        approved = self._job("approve", {"approvals": before.approvals})
        assert approved.code == 0, approved.output
        return self._job("apply", {"approvals": before.approvals})

    def _values(self, context: Mapping[str, str]) -> dict[str, str]:
        return {
            **{f"vars.{name}": self.variables.get(name, "") for name in ("PULUMI_BACKEND_URL", *SIGN_IN)},
            "secrets.PULUMI_CONFIG_PASSPHRASE": self.variables["PULUMI_CONFIG_PASSPHRASE"],
            "secrets.KSM_CONFIG": self.variables["KSM_CONFIG"],
            "github.token": self.variables["GITHUB_TOKEN"],
            "github.event_name == 'schedule' && 'yes' || ''": context.get("refresh", ""),
            "needs.sync.outputs.approvals": context.get("approvals", ""),
        }

    def _job(self, name: str, context: Mapping[str, str]) -> Done:
        self.job = name
        pipeline = document(self.file)
        assert pipeline["defaults"]["run"]["shell"] == "bash --noprofile --norc -euo pipefail {0}"
        values = self._values(context)
        files = {key: self.temporary / key.lower() for key in ("GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("", encoding="utf-8")
        done = Done(0, "")
        for step in pipeline["jobs"][name]["steps"]:
            if "uses" in step:
                assert step["uses"].partition("@")[0] in self.unrunnable
            elif done.code == 0 or step.get("if") == "${{ !cancelled() }}":
                self.ran.append(f"{name}: {step['name']}")
                given = {key: _filled(str(text), values) for key, text in self._env(pipeline, step).items()}
                more = {key: str(file) for key, file in files.items()} | {"RUNNER_TEMP": str(self.temporary)}
                path = os.pathsep.join([*files["GITHUB_PATH"].read_text().split(), self.environment["PATH"]])
                own = {key: self.variables[key] for key in self.variables if key.startswith(("GITHUB_", "ACTIONS_"))}
                own.pop("GITHUB_TOKEN")
                run = self._bash(step["run"], own | more | given | {"PATH": path}, "-euo", "pipefail")
                done = Done(done.code or run.returncode, done.output + run.stdout)
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        done.approvals, done.summary = outputs.get("approvals", ""), files["GITHUB_STEP_SUMMARY"].read_text()
        return done

    @staticmethod
    def _env(pipeline: Any, step: Any) -> dict[str, Any]:
        return {**pipeline["env"], **step.get("env", {})}

    @staticmethod
    def subject(job: str) -> str:
        """Whose a job's token says that it is."""
        return f"repo:acme/secrets:{'pull_request' if job == 'plan' else 'ref:refs/heads/main'}"


@dataclass
class GitLab(Runner):
    """GitLab CI."""

    name = "gitlab"
    issuer_url = "https://gitlab.com"
    file = "gitlab-ci.yml"
    unrunnable: ClassVar[dict[str, str]] = {}

    def plan(self) -> Done:
        """See `Runner`."""
        return self._job("plan", "")

    def sync(self, *, scheduled: bool) -> Done:
        """See `Runner`."""
        done = self._job("sync", "", {"REFRESH": "yes"} if scheduled else {})
        child = yaml.safe_load((self.checkout / "waits.yml").read_text(encoding="utf-8"))
        (include,) = child["include"]
        assert include["local"] == f"deploy/pipelines/{self.file}"
        assert include["inputs"]["stack"] == STACK
        done.approvals = include["inputs"]["approvals"]
        return done

    def apply(self, before: Done) -> Done:
        """See `Runner`."""
        return self._job("apply", before.approvals)

    def _job(self, name: str, approvals: str, variables: Mapping[str, str] = MappingProxyType({})) -> Done:
        jobs = self.jobs(approvals)
        job = jobs[f"{name} {STACK}"]
        base = jobs[job["extends"]]
        given = {key: str(text) for key, text in {**base["variables"], **job.get("variables", {}), **variables}.items()}
        script = "\n".join([*base["before_script"], *job["script"]])
        self.ran += [f"{name}: before_script", f"{name}: script"]
        run = self._bash(
            script, {**self.variables, **self._tokens(base["id_tokens"], name), **given}, "-eo", "pipefail"
        )
        return Done(run.returncode, run.stdout)

    def _tokens(self, wanted: Any, job: str) -> dict[str, str]:
        branch = "topic" if job == "plan" else "main"
        subject = f"project_path:acme/secrets:ref_type:branch:ref:{branch}"
        named = self.variables.get("GCP_WORKLOAD_IDENTITY_PROVIDER", "")
        return {
            name: self.issuer.token(token["aud"].replace("$GCP_WORKLOAD_IDENTITY_PROVIDER", named), subject)
            for name, token in wanted.items()
        }

    def jobs(self, approvals: str) -> Any:
        """The jobs, with the inputs filled in as GitLab does before it reads the file."""
        text = (PIPELINES / self.file).read_text(encoding="utf-8").partition("\n---\n")[2]
        filled = text.replace("$[[ inputs.stack ]]", STACK).replace("$[[ inputs.approvals ]]", approvals)
        assert "$[[" not in filled
        return yaml.safe_load(filled)


@dataclass
class Azure(Runner):
    """Azure Pipelines."""

    name = "azure"
    issuer_url = "https://vstoken.dev.azure.com/9c1b"
    file = "azure-pipelines.yml"
    unrunnable = {"checkout": "clones the repository", "download": "fetches artifacts, or none"}

    def plan(self) -> Done:
        """See `Runner`."""
        return self._job("plan", "plan", {})

    def sync(self, *, scheduled: bool) -> Done:
        """See `Runner`."""
        reason = {"BUILD_REASON": "Schedule" if scheduled else "IndividualCI"}
        synced = self._job("sync", "sync", reason)
        waits = self._job("sync", "waits", reason)
        return Done(synced.code or waits.code, synced.output + waits.output, waits.approvals, waits.summary)

    def apply(self, before: Done) -> Done:
        """See `Runner`."""
        given = {"APPROVALS": before.approvals}
        approved = self._job("approve", "approve", given)
        assert approved.code == 0, approved.output
        return self._job("apply", "apply", given)

    def _job(self, stage: str, name: str, context: Mapping[str, str]) -> Done:
        pipeline = self.expanded()
        (job,) = [
            entry
            for part in pipeline["stages"]
            if part["stage"] == stage
            for entry in part["jobs"]
            if name in (entry.get("job"), entry.get("deployment"))
        ]
        variables = {entry["name"]: str(entry["value"]) for entry in pipeline["variables"] if "name" in entry}
        given = {**self.variables, **variables, **context, "AGENT_TEMPDIRECTORY": str(self.temporary)}
        # Secrets are no variables of a step, unless it names them.
        hidden = {key: given.pop(key) for key in SECRETS}
        done, path = Done(0, ""), self.environment["PATH"]
        for step in self.steps(job):
            script = self._script(step)
            if script is None or done.code:
                continue
            self.ran.append(f"{name}: {step['displayName']}")
            values = hidden | {"System.AccessToken": hidden["SYSTEM_ACCESSTOKEN"], **context}
            env = {key: _filled(text, values, r"\$\(([^)]*)\)") for key, text in step.get("env", {}).items()}
            login = self._login() if "task" in step else {}
            run = self._bash(script, given | login | env | {"PATH": path})
            done = Done(run.returncode, done.output + run.stdout, done.approvals, done.summary)
            for command, rest in re.findall(r"^##vso\[task\.([^\]]+)\](.*)$", run.stdout, re.MULTILINE):
                if command == "prependpath":
                    path = f"{rest}{os.pathsep}{path}"
                elif command == "uploadsummary":
                    done.summary = Path(rest).read_text(encoding="utf-8")
                elif command == "setvariable variable=approvals;isOutput=true":
                    done.approvals = rest
                else:
                    variable = re.fullmatch(r"setvariable variable=(\w+)", command)
                    assert variable, command
                    given[variable[1]] = rest
        return done

    def _login(self) -> dict[str, str]:
        """What the service connection tells the task that asks for it."""
        token = self.issuer.token("api://AzureADTokenExchange", "sc://acme/secrets/secrets-production")
        told = {name: self.variables.get(name, name) for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID")}
        return {"idToken": token, "servicePrincipalId": told["AZURE_CLIENT_ID"], "tenantId": told["AZURE_TENANT_ID"]}

    def _script(self, step: Any) -> str | None:
        if "bash" in step:
            return str(step["bash"])
        if step.get("task") == "AzureCLI@2":
            assert step["inputs"]["addSpnToEnvironment"] is True
            return str(step["inputs"]["inlineScript"])
        assert next(iter(step)) in self.unrunnable, step
        return None

    @staticmethod
    def steps(job: Any) -> list[Any]:
        """The steps of a job, or of a deployment's only strategy here."""
        found: list[Any] = job["steps"] if "job" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
        return found

    def expanded(self) -> Any:
        """The pipeline with its template's steps in place, as Azure reads it."""
        return _expanded(document(self.file))


def _expanded(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _expanded(value) for key, value in node.items()}
    if not isinstance(node, list):
        return node
    return [entry for part in node for entry in _template(part)]


def _template(entry: Any) -> Iterator[Any]:
    if not isinstance(entry, dict) or "template" not in entry:
        yield _expanded(entry)
        return
    text = json.dumps(document(entry["template"])["steps"])
    for key, value in entry["parameters"].items():
        text = text.replace(f"${{{{ parameters.{key} }}}}", value)
    yield from json.loads(text)


def _filled(text: str, values: Mapping[str, str], pattern: str = r"\$\{\{ (.*?) \}\}") -> str:
    return re.sub(pattern, lambda match: values[match[1]], text)


RUNNERS: list[type[Runner]] = [GitHub, GitLab, Azure]
