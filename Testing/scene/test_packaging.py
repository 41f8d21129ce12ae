"""What the extension's package, its entry in the index and its translation need; nothing here needs Slicer."""

from __future__ import annotations

import ast
import json
import re
import struct
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "SlicerPseudoNormal"
MODULES = sorted(file.parent for file in EXTENSION.glob("*/CMakeLists.txt"))
LIBRARY = EXTENSION / "PseudoNormal" / "PseudoNormalLib"
CATEGORIES = {"Image Synthesis"}  # of those that the extensions index takes, ours
SHIPPED = {"PseudoNormalLib", "ctk", "numpy", "qt", "requests", "scipy", "SimpleITK", "slicer", "vtk"}
# Calls whose first words a user reads, as PythonQt and our forms spell them.
TEXT_CALLS = {"QPushButton", "QLabel", "QCheckBox", "QRadioButton", "QGroupBox", "section", "button", "note", "addRow"}
TEXT_ATTRIBUTES = {"text", "toolTip", "placeholderText", "title", "windowTitle", "noneDisplay"}

modules = pytest.mark.parametrize("module", MODULES, ids=lambda folder: folder.name)
# What Slicer loads; the workbench in a browser never runs there.
SOURCES = sorted(source for module in MODULES for source in module.rglob("*.py"))
sources = pytest.mark.parametrize("source", SOURCES, ids=lambda file: str(file.relative_to(EXTENSION)))
panels = pytest.mark.parametrize("source", sorted((LIBRARY / "panels").glob("*.py")), ids=lambda file: file.name)


def listed(module, name):
    """The entries of a list in a module's CMakeLists.txt."""
    text = (module / "CMakeLists.txt").read_text(encoding="utf-8")
    body = re.search(rf"set\({name}\s+(.*?)\)", text, re.DOTALL).group(1)
    return [line.strip().replace("${MODULE_NAME}", module.name) for line in body.splitlines() if line.strip()]


def cmake_value(name):
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.search(rf'set\({name} "([^"]*)"\)', text).group(1)


def test_there_are_the_modules_that_the_top_level_adds():
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    added = re.findall(r"add_subdirectory\(SlicerPseudoNormal/(\w+)\)", text)
    ours = ["PseudoNormal", "PseudoNormalReview", "PseudoNormalTraining"]
    assert sorted(added) == [module.name for module in MODULES] == ours


@modules
def test_every_python_file_is_packaged_and_nothing_else_is_listed(module):
    in_tree = {file.relative_to(module).as_posix() for file in module.rglob("*.py") if "__pycache__" not in file.parts}
    in_list = listed(module, "MODULE_PYTHON_SCRIPTS")
    assert len(in_list) == len(set(in_list))
    assert set(in_list) == in_tree


@modules
def test_every_resource_is_packaged_and_nothing_else_is_listed(module):
    in_tree = {file.relative_to(module).as_posix() for file in (module / "Resources").rglob("*") if file.is_file()}
    assert set(listed(module, "MODULE_PYTHON_RESOURCES")) == in_tree


@modules
def test_a_modules_main_file_is_a_shell_named_like_its_folder(module):
    text = (module / f"{module.name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    names = {node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
    assert names == {module.name + suffix for suffix in ("", "Widget", "Logic", "Test")}


@modules
def test_a_module_has_its_icon_of_128_by_128(module):
    assert png_size(module / "Resources" / "Icons" / f"{module.name}.png") == (128, 128)


def png_size(path):
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    return struct.unpack(">II", content[16:24])


def test_the_index_entry_has_the_fields_of_the_schema_and_no_others():
    entry = json.loads((ROOT / "PseudoNormal.json").read_text(encoding="utf-8"))
    known = {"$schema", "build_dependencies", "build_subdirectory", "category", "scm_revision", "scm_url", "tier"}
    assert set(entry) == known
    assert entry["category"] in CATEGORIES and entry["category"] == cmake_value("EXTENSION_CATEGORY")
    assert entry["tier"] in {1, 3, 5}
    assert all(isinstance(each, str) for each in entry["build_dependencies"])
    assert b"\r" not in (ROOT / "PseudoNormal.json").read_bytes()


def test_index_entry_and_build_name_the_same_project_and_home():
    entry = json.loads((ROOT / "PseudoNormal.json").read_text(encoding="utf-8"))
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert re.search(r"^project\((\w+)\)$", text, re.MULTILINE).group(1) == "PseudoNormal"
    assert cmake_value("EXTENSION_HOMEPAGE") == entry["scm_url"]
    assert cmake_value("EXTENSION_DEPENDS") == "NA" and entry["build_dependencies"] == []


def test_the_pictures_that_the_index_shows_are_in_the_repository():
    start = f"{cmake_value('EXTENSION_HOMEPAGE')}/raw/main/"
    addresses = [cmake_value("EXTENSION_ICONURL"), *cmake_value("EXTENSION_SCREENSHOTURLS").split()]
    for address in addresses:
        assert address.startswith(start)
        assert (ROOT / address.removeprefix(start)).is_file(), address
    assert png_size(ROOT / addresses[0].removeprefix(start)) == (128, 128)


def test_requirements_pin_nothing_and_bring_no_torch():
    lines = (EXTENSION / "PseudoNormal/Resources/requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert wanted and all(re.fullmatch(r"[a-z][\w-]*>=[\d.]+", line) for line in wanted)
    assert not {"torch", "monai", "simpleitk", "itk", "vtk"} & {line.partition(">=")[0].lower() for line in wanted}


@sources
def test_a_file_imports_only_what_slicer_ships_when_it_is_loaded(source):
    allowed = SHIPPED | set(sys.stdlib_module_names)
    foreign = {name for name in imported_on_load(source) if name.partition(".")[0] not in allowed}
    assert not foreign


@sources
def test_qt_stays_in_panels_and_hosts(source):
    inside = {name.partition(".")[0] for name in imported(source)}
    if source.parent.name != "panels" and source.name != "hosts.py":
        assert not inside & {"qt", "ctk"}


@sources
def test_a_file_is_at_most_400_lines(source):
    assert len(source.read_text(encoding="utf-8").splitlines()) <= 400


def imported_on_load(source):
    """What is imported before anything is called; for type checkers only does not count."""
    body = ast.parse(source.read_text(encoding="utf-8")).body
    guarded = [inner for node in body if isinstance(node, ast.Try) for inner in node.body]
    return names_of([*body, *guarded])


def imported(source):
    return names_of(ast.walk(ast.parse(source.read_text(encoding="utf-8"))))


def names_of(nodes):
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return names


@panels
def test_every_text_of_a_panel_is_translatable(source):
    assert not untranslated(ast.parse(source.read_text(encoding="utf-8")))


def test_a_text_that_is_not_translatable_is_found():
    tree = ast.parse('a = qt.QLabel("Seen by all")\nb.toolTip = "So is this"\nb.text = _("But this is fine")')
    assert sorted(untranslated(tree)) == ["Seen by all", "So is this"]


def untranslated(tree):
    """Texts with letters that reach a widget without ``_()``."""
    shown = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            shown += node.args[:1] if name in TEXT_CALLS else []
        elif isinstance(node, ast.Assign):
            targets = {target.attr for target in node.targets if isinstance(target, ast.Attribute)}
            shown += [node.value] if targets & TEXT_ATTRIBUTES else []
    return [text for value in shown for text in plain_texts(value) if re.search(r"[A-Za-z]{2}", text)]


def plain_texts(node):
    """Texts in an expression, but for those that a call has turned into others."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif not isinstance(node, ast.Call):
        for part in ast.iter_child_nodes(node):
            yield from plain_texts(part)


@sources
def test_a_translated_text_is_looked_up_before_it_is_filled_in(source):
    tree = ast.parse(source.read_text(encoding="utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    looked_up = [
        call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "_" and call.args
    ]
    assert all(isinstance(text, ast.Constant) for text in looked_up)
