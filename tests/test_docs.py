"""The documents say what the program does: commands run, outputs and links are current, words explained."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import estimator.formulas
from estimator import Run, ask
from estimator.cli.main import COMMANDS
from estimator.estimate import SHOWN_INPUTS, STEPS, UNITS
from estimator.formulas.capital import Ownership
from estimator.formulas.collectives import Machine
from estimator.formulas.cost import Project
from estimator.formulas.job import Coefficients, Host
from estimator.formulas.layout import Layout
from estimator.formulas.memory import Optimizer
from estimator.formulas.memory_card import Card
from estimator.formulas.memory_states import Method
from estimator.formulas.parameters import Transformer
from estimator.formulas.scaling_laws import Law
from estimator.formulas.spot import Spot
from estimator.presets import Presets, read_rows
from estimator.records import read_record

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Nothing of the place where the project was made belongs in it: no absolute path, no address.
FOREIGN = re.compile(r"(?<![\w.:/)}-])/[a-z]+/[\w.-]+|localhost|\b\d+\.\d+\.\d+\.\d+\b")
CONFIG = """{
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "num_hidden_layers": 32,
    "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8,
    "intermediate_size": 14336, "vocab_size": 128256,
    "tie_word_embeddings": false, "max_position_embeddings": 8192
}"""
QUESTION = 'params = "65e9"\ncount = 1024\n'


def make_docs() -> ModuleType:
    """The script that generates the documents."""
    return script("make_docs")


@cache
def script(name: str) -> ModuleType:
    """A script, imported by its path."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def short(value: Any) -> str:
    return value.relative_to(ROOT).as_posix() if isinstance(value, Path) else str(value)


every_page = pytest.mark.parametrize("page", PAGES, ids=short)


def own_files() -> dict[str, str]:
    """The files that the how-tos about presets and claims tell the reader to write, by their path."""
    pages = (text_of(ROOT / "docs" / f"how-to-{name}.md") for name in ("add-a-preset", "check-a-claim"))
    found = re.finditer(
        r"`(my-presets/[\w./-]+)`[^`]*:\n\n```(?:toml|csv)\n(.*?)^```$",
        "".join(pages),
        re.MULTILINE | re.DOTALL,
    )
    return {match[1]: match[2] for match in found}


def own_rows() -> str:
    """The measured rows that the how-to about validation shows."""
    page = text_of(ROOT / "docs" / "how-to-validate.md")
    return re.findall(r"`mine.csv`:\n\n```csv\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the documents' commands read."""
    made = {
        "config.json": CONFIG,
        "a.toml": QUESTION,
        "b.toml": QUESTION,
        "run.toml": QUESTION,
        "mine.csv": own_rows(),
        **own_files(),
    }
    for name, text in made.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@every_page
@pytest.mark.usefixtures("elsewhere")
def test_every_command_shown_runs(page: Path) -> None:
    for command in make_docs().shell_commands(text_of(page)):
        assert make_docs().run_command(command).strip(), command


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_in_a_help_text_runs(name: str) -> None:
    docs = make_docs()
    command = docs.find_command(name)
    assert command
    for line in docs.help_text(command).splitlines():
        if line.startswith("    estimate "):
            assert docs.run_command(line.strip()).strip(), f"{name}: {line}"


@pytest.mark.usefixtures("elsewhere")
def test_what_names_no_file_is_run_once() -> None:
    docs, ran = make_docs(), list[str]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(docs, "printed", lambda line: ran.append(line) or f"{len(ran)}")
        patch.setattr(docs, "SAID", {})
        asked = ["estimate train --params 1", "estimate train a.toml", "estimate train --params 1"]
        assert [docs.run_command(line) for line in [*asked, *asked]] == ["1", "2", "1", "1", "3", "1"]
        patch.setattr(docs, "printed", lambda line: str(Path("left").write_text(line)))
        kept = [docs.run_command("estimate x"), docs.SAID.get("estimate x")]
    assert kept == ["10", None]


def test_generated_pages_are_current() -> None:
    assert make_docs().check() == [], "run scripts/make_docs.py"


def test_the_page_on_speed_is_made_of_what_was_measured() -> None:
    made = script("make_performance")
    assert made.check() == [], "run scripts/make_performance.py"
    page = text_of(made.PAGE)
    rows = made.Rows(made.DATA)
    for line in made.LINES:
        assert page.count(f"| {line.what} | {line.aim} | ") == bool(rows.sizes(line.measure))
    assert rows.sizes(made.GROWTH) == [10**power for power in range(3, 9)]


def test_every_command_has_its_section() -> None:
    page = text_of(ROOT / "docs" / "cli.md")
    assert [name for name in make_docs().COMMANDS if f"## estimate {name}\n" not in page] == []


def code_blocks(page: str) -> Iterator[tuple[int, str]]:
    """Python blocks of a page with the line on which each begins."""
    for found in re.finditer(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        yield page[: found.start()].count("\n") + 1, found[1]


@every_page
@pytest.mark.usefixtures("elsewhere")
def test_python_examples_give_what_they_show(page: Path) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(optionflags=flags)
    names: dict[str, Any] = {}
    said: list[str] = []
    for line, code in code_blocks(text_of(page)):
        test = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line)
        assert test.examples, f"{page.name}, line {line}: a python block without an example that runs"
        runner.run(test, out=said.append, clear_globs=False)
        names = test.globs
    assert runner.failures == 0, "".join(said)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), f"{short(page)} links to {target}"
        assert not anchor or anchor in anchors(other), f"{short(page)} links to {target}"


@every_page
def test_every_page_of_docs_is_listed_in_the_index(page: Path) -> None:
    if page.parent == ROOT or page.name == "index.md":
        return
    index = ROOT / "docs" / "index.md"
    assert f"]({page.relative_to(index.parent).as_posix()})" in text_of(index)


@every_page
def test_no_page_names_the_place_where_it_was_written(page: Path) -> None:
    found = FOREIGN.search(text_of(page))
    assert found is None, f"{short(page)}: {found and found[0]}"


def formulas() -> Iterator[Any]:
    """Every public function of the formula modules."""
    for info in pkgutil.iter_modules(estimator.formulas.__path__, "estimator.formulas."):
        module = importlib.import_module(info.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                yield function


def explained() -> set[str]:
    """Names that stand in the first column of a table of the nomenclature."""
    cells = re.findall(r"^\| ([^|]+) \|", text_of(ROOT / "docs" / "nomenclature.md"), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([a-z0-9_]+)`", cell)}


def test_the_nomenclature_explains_every_parameter_of_a_formula() -> None:
    used = {
        name: function.__qualname__
        for function in formulas()
        for name, kind in function.__annotations__.items()
        if kind == "Array" and name != "return"
    }
    assert used
    assert {name: where for name, where in used.items() if name not in explained()} == {}


def test_the_nomenclature_explains_every_quantity() -> None:
    assert sorted({*UNITS, *SHOWN_INPUTS, *(step.name for step in STEPS)} - explained()) == []


@pytest.mark.parametrize(
    "record",
    [
        Transformer,
        Optimizer,
        Method,
        Card,
        Layout,
        Machine,
        Host,
        Coefficients,
        Law,
        Spot,
        Project,
        Ownership,
    ],
)
def test_the_nomenclature_explains_every_field(record: Any) -> None:
    assert sorted(set(record._fields) - explained()) == []


def test_the_nomenclature_explains_every_column() -> None:
    prefixed = re.compile("^(optimizer|method|fit)_")
    names = {prefixed.sub("", name) for name in ask(Run(params=65e9)).case.columns}
    assert sorted(names - explained()) == []


def test_the_nomenclature_shows_quantities_in_the_units_of_an_answer() -> None:
    rows = re.findall(
        r"^\| `([a-z0-9_]+)` \|[^|]*\| ([^|]+) \|", text_of(ROOT / "docs" / "nomenclature.md"), re.MULTILINE
    )
    shown = {name: unit.strip().strip("`") for name, unit in rows}
    assert {name: (shown.get(name), unit) for name, unit in UNITS.items() if shown.get(name) != unit} == {}


def test_every_formula_module_has_its_page() -> None:
    pages = {page.stem for page in (ROOT / "docs" / "formulas").glob("*.md")}
    steps = {step.formula.__module__.rsplit(".", 1)[1] for step in STEPS}
    assert steps | {"shapes"} <= pages


def test_the_records_of_the_how_to_load(elsewhere: Path) -> None:
    presets = Presets((elsewhere / "my-presets",))
    assert {path.split("/")[1] for path in own_files()} == {"accelerators", "claims", "models", "prices"}
    for name in own_files():
        _, kind, file = name.split("/", 2)
        if kind != "prices":
            assert read_record(kind, elsewhere / name).figures
            assert presets.find(kind, Path(file).stem).record.path == elsewhere / name
    assert [row.cells["price"] for row in read_rows(presets, "prices/rent/acme-x1")] == ["1.80"]


def test_the_two_commands_are_marked_and_complete() -> None:
    page = text_of(ROOT / "README.md")
    commands = dict(re.findall(r"<!-- (answer|test) -->\n```sh\n(.+)\n```", page))
    assert set(commands) == {"answer", "test"}
    for command in commands.values():
        assert command.startswith("python3 -m venv ")
    assert shlex.split(commands["answer"].split(" && ")[-1])[1:] == ["train", "--params", "65e9"]
    assert commands["test"].endswith("python -m pytest")


def test_the_tutorial_still_comes_to_its_decision() -> None:
    """Its words lean on these relations; if a calibration turns one round, the words must follow."""
    question = {"params": "70B", "tokens": "1.4T"}
    a100 = ask(Run(**question, on="a100", count=256))
    ascend = ask(Run(**question, on="ascend-910b", count=512))
    slowest = ask(Run(**question, on="huawei-ascend-910b4", count=512))
    failing = ask(Run(**question, on="ascend-910b", count=512, goodput=0.8))
    half_a_year = 182.5 * 86400.0
    assert a100.wall_clock.value < half_a_year < a100.wall_clock.high
    assert slowest.wall_clock.value < half_a_year < slowest.wall_clock.high
    assert ascend.wall_clock.high < failing.wall_clock.high < half_a_year
    assert ascend.mfu.value < a100.mfu.value < 1.5 * ascend.mfu.value
    assert a100.accelerator_hours.value < ascend.accelerator_hours.value < 1.25 * a100.accelerator_hours.value


def test_the_readme_is_right_about_the_day_on_a_thousand_cards() -> None:
    day = ask(Run(params="4.5e9", count=1000, on="a100", platform="cfff"))
    assert day.wall_clock.high < 86400.0
