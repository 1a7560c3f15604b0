"""Completion by the shell: click's own, through an environment variable, with the ids of presets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from estimator.presets import Presets


def shell(words: str, instruction: str = "bash_complete") -> subprocess.CompletedProcess[str]:
    """Ask the program as bash does when the tab key is pressed; the last word is being typed."""
    program = Path(sys.executable).with_name("estimate")
    asked = {
        "_ESTIMATE_COMPLETE": instruction,
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    return subprocess.run(
        [str(program)], env={**os.environ, **asked}, capture_output=True, text=True, check=False, timeout=60
    )


def completed(words: str) -> list[str]:
    ran = shell(words)
    assert ran.stderr == ""
    return [line.split(",", 1)[1] for line in ran.stdout.splitlines() if line]


def test_the_script_for_the_shell_is_written() -> None:
    ran = shell("", "bash_source")
    assert ran.returncode == 0
    assert "_ESTIMATE_COMPLETE=bash_complete" in ran.stdout


def test_commands_are_completed() -> None:
    assert completed("estimate comp") == ["compare"]
    assert {"train", "presets", "sources", "claims", "compare"} <= set(completed("estimate "))


def test_options_are_completed() -> None:
    assert "--tokens-per-param" in completed("estimate train --tok")


@pytest.mark.parametrize(
    ("option", "kind", "start"),
    [
        ("--model", "models", "llama-3"),
        ("--on", "accelerators", "nvidia-h"),
        ("--node", "nodes", "aws-"),
        ("--optimizer", "optimizers", "ada"),
        ("--grid", "grids", "aws-us"),
        ("--platform", "platforms", ""),
    ],
)
def test_names_of_presets_are_completed(option: str, kind: str, start: str) -> None:
    wanted = sorted(name for name in Presets().files(kind) if name.startswith(start))
    assert wanted
    assert completed(f"estimate train {option} {start}") == wanted


def test_families_are_accelerators_too() -> None:
    assert "a100" in completed("estimate compare --on a1")


def test_own_records_are_completed_without_being_read(tmp_path: Path) -> None:
    (tmp_path / "accelerators").mkdir()
    (tmp_path / "accelerators" / "acme-one.toml").write_text("not a record", encoding="utf-8")
    assert completed(f"estimate train --presets {tmp_path} --on acme") == ["acme-one"]


def test_a_folder_that_does_not_exist_completes_nothing() -> None:
    assert completed("estimate train --presets no-such --on nv") == []


def test_kinds_records_and_claims_are_completed() -> None:
    assert completed("estimate presets acc") == ["accelerators"]
    assert completed("estimate presets accelerators nvidia-h20") == [
        "nvidia-h20",
        "nvidia-h200-nvl-141gb",
        "nvidia-h200-sxm-141gb",
    ]
    assert completed("estimate claims show c1") == ["C1", "C10", "C11", "C12", "C13"]
