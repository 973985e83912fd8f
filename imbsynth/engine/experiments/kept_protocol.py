"""protocol.json beside the results: written once, and read again where a run is resumed."""

from __future__ import annotations

from typing import Any

from imbsynth.configs import ASKED, ExperimentConfig
from imbsynth.engine.experiments.effort import ExperimentPlan, recorded_plan
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.store.fields import Wrong
from imbsynth.store.outputs import claim, new_file
from imbsynth.store.records import read_json, settings, write_json
from imbsynth.store.sharing import wait_and_make
from imbsynth.store.trials import PROTOCOL

MADE_BY = ("protocol", "data", "on", *ASKED)  # the options that are kept


def keep_protocol(
    workspace: Workspace, config: ExperimentConfig, plan: ExperimentPlan | None = None
) -> None:
    """Put the protocol beside its results, and the plan that it was made by, if one was chosen."""
    target = workspace.out / PROTOCOL

    def keep() -> None:
        with claim(target):
            write_protocol(workspace, config, plan)

    wait_and_make(keep)


def write_protocol(
    workspace: Workspace, config: ExperimentConfig, plan: ExperimentPlan | None
) -> None:
    """The same, for the process that has claimed the file."""
    record = {**workspace.protocol.record(), "asked": _made_by(config)}
    if plan is not None:
        record["plan"] = plan.record()
    target = workspace.out / PROTOCOL
    if not target.exists() or read_json(target) != record:
        with new_file(target) as part:
            write_json(part, record)


def kept_plan(config: ExperimentConfig) -> ExperimentPlan | None:
    """The plan that was chosen for the same methods and the same time; None if none was."""
    path = config.out / PROTOCOL
    if not path.is_file():
        return None
    found, asked = read_json(path), _made_by(config)
    before = found.get("asked")
    if not isinstance(before, dict):
        return None
    if any(before.get(name) != asked.get(name) for name in ("time", "methods")):
        return None
    try:
        return recorded_plan(found)
    except Wrong:
        return None


def _made_by(config: ExperimentConfig) -> dict[str, Any]:
    return {name: value for name, value in settings(config).items() if name in MADE_BY}
