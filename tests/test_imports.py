"""Holds the directions of DESIGN: who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("capture", "faces", "inference", "sinks")
ASSEMBLY = (
    "cli",
    "live",
    "live_screen",
    "main_loop",
    "offline",
    "options",
    "outputs",
    "pipeline",
    "recorder",
    "session",
    "__main__",
)
TRAINER_MAY_IMPORT = ("model", "faces", "errors", "smoothing", "offline")


def _modules(package: str) -> dict[str, ast.Module]:
    paths = sorted((ROOT / package).rglob("*.py"))
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in paths
    }


def _imports(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def _imported_parts(tree: ast.Module) -> set[str]:
    """First parts below realtime_mood that a module imports."""
    return {
        name.split(".")[1]
        for name in _imports(tree)
        if name.startswith("realtime_mood.") and name.count(".") >= 1
    }


RUNTIME = _modules("realtime_mood")
TRAINER = _modules("trainer")
EVERYTHING = {**RUNTIME, **TRAINER}


def test_there_is_something_to_check() -> None:
    assert len(RUNTIME) > 30
    assert len(TRAINER) > 5


@pytest.mark.parametrize("path", sorted(RUNTIME))
def test_stages_do_not_import_one_another(path: str) -> None:
    parts = _imported_parts(RUNTIME[path])
    own = path.split("/")[1].removesuffix(".py")
    if own in STAGES:
        assert not parts & (set(STAGES) - {own}), f"{path} imports another stage"
    if own not in ASSEMBLY:
        assert not parts & set(ASSEMBLY), f"{path} imports what assembles it"


@pytest.mark.parametrize("path", [path for path in sorted(RUNTIME) if "/model/" in path])
def test_the_contract_imports_only_errors(path: str) -> None:
    assert _imported_parts(RUNTIME[path]) <= {"model", "errors"}


@pytest.mark.parametrize("path", sorted(RUNTIME))
def test_the_runtime_never_imports_the_trainer(path: str) -> None:
    assert not any(name.split(".")[0] == "trainer" for name in _imports(RUNTIME[path]))


@pytest.mark.parametrize("path", sorted(TRAINER))
def test_the_trainer_imports_only_what_is_shared(path: str) -> None:
    assert _imported_parts(TRAINER[path]) <= set(TRAINER_MAY_IMPORT)


def test_decord_is_imported_in_the_trainer_alone() -> None:
    users = [
        path
        for path, tree in EVERYTHING.items()
        if any(name.split(".")[0] == "decord" for name in _imports(tree))
    ]
    assert users
    assert all(path.startswith("trainer/") for path in users)


@pytest.mark.parametrize(
    ("attribute", "only_in"),
    [
        ("VideoCapture", ["realtime_mood/capture/opencv_source.py"]),
        ("imshow", ["realtime_mood/sinks/display.py"]),
    ],
)
def test_an_opencv_call_stays_in_its_file(attribute: str, only_in: list[str]) -> None:
    users = [
        path
        for path, tree in EVERYTHING.items()
        if any(isinstance(n, ast.Attribute) and n.attr == attribute for n in ast.walk(tree))
    ]
    assert users == only_in


def test_only_the_command_lines_print_and_exit() -> None:
    def speaks(tree: ast.Module) -> bool:
        return any(
            (isinstance(node, ast.Name) and node.id == "print")
            or (isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.exit", "os._exit"))
            for node in ast.walk(tree)
        )

    users = [
        path
        for path, tree in EVERYTHING.items()
        if speaks(tree) and not path.endswith("__main__.py")
    ]
    assert users == ["realtime_mood/cli.py", "trainer/cli.py"]


def _loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import realtime_mood", "import realtime_mood.cli", "import trainer.cli"]
)
def test_importing_loads_nothing_heavy(statement: str) -> None:
    assert not _loaded_after(statement) & {"torch", "transformers", "cv2", "av", "decord", "numpy"}


def test_the_live_command_never_loads_decord_and_loads_cv2_before_av() -> None:
    code = "import realtime_mood.live, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    order = done.stdout.split()
    assert "decord" not in order
    assert "torch" not in order
    assert order.index("cv2") < order.index("av")
