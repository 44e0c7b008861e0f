"""The project's own rules, over every file that git keeps or is about to keep."""

import ast
import json
import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).parents[2]
LARGEST_FILE = 1_000_000
LONGEST_NOTEBOOK_FUNCTION = 8

FOLDER_OF_SOMEONE = re.compile(r"(?<![\w.~-])/(?:home|root|Users|work)/\w")
PACKAGE_INDEX = re.compile(
    r"pypi\.org|pythonhosted\.org|anaconda\.(?:org|com)|--(?:extra-)?index[-]url|--find[-]links|INDEX[_]URL"
)
ENGINES = {"deeplabcut", "tensorflow", "tf_slim", "timm", "torch"}
# What the folder of an engine, and the project that both leave, may import of them.
ENGINES_OF = {
    "tensorflow": {"deeplabcut", "tensorflow", "tf_slim"},
    "pytorch": {"deeplabcut", "timm", "torch"},
    "tflite": {"tensorflow"},
    "networks/project.py": {"deeplabcut"},
}
FOLDERS = ENGINES_OF.keys() - {"networks/project.py"}
# What draws, binds pages or runs notebooks, besides the engines.
UNNEEDED_FOR_TABLES = ENGINES | {"matplotlib", "seaborn", "sklearn", "imgaug", "papermill", "nbconvert"}

PACKAGE = ROOT / "src" / "monkey_transfer"
MODULES = sorted(file.relative_to(PACKAGE) for file in PACKAGE.rglob("*.py"))
# The rooms of the package and the modules beside them, from the ground up: each imports from lower layers alone.
LAYERS = (
    "__init__ errors",
    "devices environment places settings",
    "files",
    "images pool progress skeletons tables",
    "acquire metrics videos",
    "networks",
    "profiles",
    "datasets",
    "plots rendered",
    "study",
    "measure",
    "tell",
)
# Sphinx's roles in docstrings: `~` hides all but the last part of a name.
ROLE = re.compile(r":(?:mod|class|func|meth|data|attr|exc):`~?([^`]+)`")


@cache
def project_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [file for name in listed.stdout.split("\0") if name and (file := ROOT / name).is_file()]


def text_files() -> dict[Path, str]:
    texts = {}
    for file in project_files():
        content = file.read_bytes()
        if b"\0" not in content:
            texts[file] = content.decode("utf-8")
    return texts


def notebooks() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


def python_of(notebook: Path) -> str:
    """The code cells as one module, IPython's own syntax translated."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    translate = TransformerManager().transform_cell
    return "\n".join(translate("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code")


def imports(code: str, packages: set[str]) -> set[str]:
    """Those of ``packages`` that the code imports, wherever it does."""
    modules = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {package for package in packages for module in modules if f"{module}.".startswith(f"{package}.")}


def loaded_by(statement: str) -> set[str]:
    """Top-level names of all packages that a fresh interpreter holds after the statement."""
    script = f"{statement}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(ran.stdout.split())


def test_no_file_is_large():
    assert {str(f.relative_to(ROOT)) for f in project_files() if f.stat().st_size > LARGEST_FILE} == set()


@pytest.mark.parametrize(
    "rule, breach",
    [(FOLDER_OF_SOMEONE, "a folder of someone's machine"), (PACKAGE_INDEX, "the address of a package index")],
    ids=["folders", "indexes"],
)
def test_no_file_holds_what_is_true_on_one_machine_only(rule, breach):
    found = [
        f"{file.relative_to(ROOT)}:{number}: {breach}: {line.strip()[:80]}"
        for file, text in text_files().items()
        if rule.search(text)
        for number, line in enumerate(text.splitlines(), start=1)
        if rule.search(line)
    ]
    assert found == []


def test_the_rules_see_what_they_forbid():
    assert FOLDER_OF_SOMEONE.search('path = "' + "/".join(["", "home", "ann", "data"]) + '"')
    assert not FOLDER_OF_SOMEONE.search("frame/work/home.py ../work/data")
    assert PACKAGE_INDEX.search("pip install --index" + "-url somewhere")


def test_committed_chapters_are_small():
    """No code, and no figure within a page: it is a file, once."""
    pages = [file for file in project_files() if file.suffix == ".html" and file.parent.name == "chapters"]
    assert len(pages) >= 8
    for page in pages:
        assert not re.search(r'class="highlight|data:image/', page.read_text(encoding="utf-8")), page.name


@pytest.mark.parametrize("notebook", notebooks(), ids=lambda notebook: notebook.stem)
class TestNotebook:
    def test_holds_no_error(self, notebook):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        kinds = [output["output_type"] for cell in cells for output in cell.get("outputs", [])]
        assert "error" not in kinds

    def test_defines_no_class_and_no_long_function(self, notebook):
        defined = [
            node.name
            for node in ast.walk(ast.parse(python_of(notebook)))
            if isinstance(node, ast.ClassDef)
            or (isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= LONGEST_NOTEBOOK_FUNCTION)
        ]
        assert defined == []

    def test_knows_no_engine(self, notebook):
        assert imports(python_of(notebook), ENGINES) == set()


def part_of(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def test_every_module_is_in_one_layer():
    assert sorted(" ".join(LAYERS).split()) == sorted({part_of(module) for module in MODULES})


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_point_one_way(module):
    part = part_of(module)
    place = next(place for place, layer in enumerate(LAYERS) if part in layer.split())
    above = {f"monkey_transfer.{other}" for other in " ".join(LAYERS[place:]).split() if other != part}
    own = module.parts[1] if module.parts[0] == "networks" and len(module.parts) > 2 else None
    # Of an engine's folder all others know one object at most, and no engine knows another's.
    known = FOLDERS if module == Path("networks/engines.py") else {own}
    engines = {f"monkey_transfer.networks.{folder}" for folder in FOLDERS - known}
    packages = ENGINES - ENGINES_OF.get(own or "/".join(module.parts), set())
    forbidden = above | engines | packages
    assert imports((PACKAGE / module).read_text(encoding="utf-8"), forbidden) == set()


@pytest.mark.parametrize(
    "statement, unneeded",
    [
        ("import monkey_transfer.study.opening", UNNEEDED_FOR_TABLES),
        (
            "import monkey_transfer.datasets, monkey_transfer.metrics.headline, monkey_transfer.tell.departures",
            UNNEEDED_FOR_TABLES,
        ),
        (
            "import monkey_transfer.measure.scores, monkey_transfer.measure.results, monkey_transfer.tell.answer",
            UNNEEDED_FOR_TABLES,
        ),
        (
            "import monkey_transfer.plots, monkey_transfer.tell.publish, monkey_transfer.tell.closing",
            ENGINES | {"sklearn", "imgaug", "papermill"},
        ),
        ("import monkey_transfer.tell.reports", UNNEEDED_FOR_TABLES),
        ("import monkey_transfer.networks.pytorch.superanimal", UNNEEDED_FOR_TABLES),
        ("import monkey_transfer.tell.looking", UNNEEDED_FOR_TABLES),
    ],
    ids=["study", "tables", "results", "plots", "reports", "superanimal", "looking"],
)
def test_tables_and_plots_load_without_engines(statement, unneeded):
    assert loaded_by(statement) & unneeded == set()


def dotted(module: Path) -> str:
    return ".".join(("monkey_transfer", *module.with_suffix("").parts)).removesuffix(".__init__")


def defined(body: list[ast.stmt], within: str) -> set[str]:
    """Full names of what a module or class defines, members of classes included."""
    names = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names |= {f"{within}.{node.name}"}
            names |= defined(node.body, f"{within}.{node.name}") if isinstance(node, ast.ClassDef) else set()
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {f"{within}.{target.id}" for target in targets if isinstance(target, ast.Name)}
    return names


@cache
def names_of_the_package() -> set[str]:
    parsed = {dotted(module): ast.parse((PACKAGE / module).read_text(encoding="utf-8")) for module in MODULES}
    return {*parsed, *(name for module, tree in parsed.items() for name in defined(tree.body, module))}


def leads_somewhere(target: str, module: str) -> bool:
    """Whether a role names in full what the package defines, or a thing of its own module or of another package."""
    first = target.partition(".")[0]
    if first == "monkey_transfer":
        return target in names_of_the_package()
    own = [name.removeprefix(f"{module}.") for name in names_of_the_package() if name.startswith(f"{module}.")]
    of_classes = [name.partition(".")[2] for name in own]
    return target in own + of_classes if first in own + of_classes else bool(first and find_spec(first))


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_what_docstrings_refer_to_is_there(module):
    targets = ROLE.findall((PACKAGE / module).read_text(encoding="utf-8"))
    assert [target for target in targets if not leads_somewhere(target, dotted(module))] == []


@pytest.mark.parametrize(
    "target, there",
    [
        ("monkey_transfer.images.Frame", True),
        ("monkey_transfer.networks.engine.Engine.gone", False),
        ("monkey_transfer.images", True),
        ("read_picture", True),
        ("pandas.DataFrame.to_parquet", True),
        ("monkey_transfer.images.gone", False),
        ("gone", False),
        (".images.Frame", False),
    ],
)
def test_a_role_that_leads_nowhere_is_seen(target, there):
    assert leads_somewhere(target, "monkey_transfer.images") == there
