"""The package as users get it: a wheel that answers anywhere, and a checkout that sees every edit at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import estimator
from estimator.presets import Presets, data_dir

ROOT = Path(__file__).resolve().parent.parent
QUESTION = ("train", "--params", "65e9", "--format", "json")


def python(*arguments: str, cwd: Path, path: Path | None = None) -> str:
    """What Python prints when it runs in ``cwd`` with ``path`` before everything that is installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the backend that is installed, without a network."""
    if not (ROOT / "pyproject.toml").is_file():
        pytest.skip("the tests run outside a checkout")
    target = tmp_path_factory.mktemp("wheel")
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index")
    python("-m", "pip", "wheel", *options, "--wheel-dir", str(target), str(ROOT), cwd=target)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    """The wheel's files, as an installer lays them out."""
    folder = wheel.parent / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_holds_code_records_units_types_and_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for name in ("py.typed", "units.txt", "__main__.py", "_data/accelerators/nvidia-h100-sxm-80gb.toml"):
        assert f"estimator/{name}" in names
    records = {path.relative_to(ROOT / "presets").as_posix() for path in (ROOT / "presets").rglob("*.*")}
    assert {f"estimator/_data/{name}" for name in records} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_holds_nothing_of_the_checkout_beside_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert tops == {"estimator", f"train_estimator-{estimator.__version__}.dist-info"}


def test_the_wheel_answers_outside_the_checkout(unpacked: Path, tmp_path: Path) -> None:
    where = python(
        "-c", "from estimator.presets import data_dir; print(data_dir())", cwd=tmp_path, path=unpacked
    )
    assert Path(where.strip()) == unpacked / "estimator" / "_data"
    answer = json.loads(python("-m", "estimator", *QUESTION, cwd=tmp_path, path=unpacked))
    assert answer["parameters"]["value"] == 65e9
    assert answer["cost"]["low"] < answer["cost"]["value"] < answer["cost"]["high"]


def test_the_wheel_and_the_checkout_give_the_same_answer(unpacked: Path, tmp_path: Path) -> None:
    packed = python("-m", "estimator", *QUESTION, cwd=tmp_path, path=unpacked)
    assert packed == python("-m", "estimator", *QUESTION, cwd=tmp_path, path=ROOT)


def test_a_checkout_reads_its_own_presets() -> None:
    assert Path(estimator.__file__).resolve() == ROOT / "estimator" / "__init__.py"
    assert data_dir() == ROOT / "presets"


def test_a_checkout_sees_an_edited_record_at_once(tmp_path: Path) -> None:
    """Package and records side by side, as an editable install has them; the second run follows the edit."""
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "estimator", tmp_path / "estimator", ignore=skip)
    shutil.copytree(ROOT / "presets", tmp_path / "presets", ignore=skip)
    outside = tmp_path / "outside"
    outside.mkdir()
    before = json.loads(python("-m", "estimator", *QUESTION, "--count", "512", cwd=outside, path=tmp_path))
    record = tmp_path / "presets" / "accelerators" / "nvidia-h100-sxm-80gb.toml"
    text = record.read_text(encoding="utf-8")
    old, new = 'power = { value = "700 W"', 'power = { value = "1400 W"'
    assert old in text
    record.write_text(text.replace(old, new), encoding="utf-8")
    after = json.loads(python("-m", "estimator", *QUESTION, "--count", "512", cwd=outside, path=tmp_path))
    assert after["energy"]["value"] == pytest.approx(2.0 * before["energy"]["value"])


def test_an_own_record_stands_before_the_houses(tmp_path: Path) -> None:
    (tmp_path / "accelerators").mkdir()
    house = data_dir() / "accelerators" / "nvidia-h100-sxm-80gb.toml"
    text = house.read_text(encoding="utf-8").replace('power = { value = "700 W"', 'power = { value = "600 W"')
    (tmp_path / "accelerators" / house.name).write_text(text, encoding="utf-8")
    found = Presets((tmp_path,)).find("accelerators", "nvidia-h100-sxm-80gb").record
    assert found.value("power") == 600.0
    assert Presets().load("accelerators", found.id).value("power") == 700.0
