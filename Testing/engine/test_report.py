"""The report: what it says, what it shows, and that it stands alone."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pseudonormal.generate.difference import difference, difference_z, robust_scale
from pseudonormal.generate.findings import find
from pseudonormal.report.model import NOTICE, FindingEntry, InputFacts, ModelFacts, Report
from pseudonormal.report.orientation import ClosestRas
from pseudonormal.report.pictures import Pictures
from pseudonormal.report.writing import millilitres, number, plain, signed, summary, write_report
from pseudonormal.scan.scan import Geometry, Scan, Storage


def a_geometry(shape: tuple[int, int, int], spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Geometry:
    """Axes along RAS: x to the right, y to the front, z up."""
    return Geometry(shape[::-1], spacing, (0.0, 0.0, 0.0), (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0))


class ACase:
    """A brain of noise with bright lesions, its report and its pictures."""

    def __init__(self, lesions: int, shape: tuple[int, int, int] = (40, 44, 48), **facts: object) -> None:
        rng = np.random.default_rng(0)
        normal = rng.normal(100, 10, shape).astype(np.float32)
        lesion = np.zeros(shape, bool)
        for at in itertools.islice(itertools.product(range(4, shape[0], 6), range(4, shape[1], 6)), lesions):
            lesion[at[0] : at[0] + 3, at[1] : at[1] + 3, 20:24] = True
        image = normal + np.float32(80) * lesion
        self.foreground = np.ones(shape, bool)
        self.scan = Scan(image, a_geometry(shape), Path("/home/somebody/secret/scan.nii.gz"), Storage(image.dtype))
        change = difference(image, normal)
        self.z_scale = robust_scale(image, self.foreground, lesion)
        z = difference_z(change, image, self.foreground, lesion)
        findings, labels = find(lesion, self.scan.geometry, z, self.foreground, modes=("void",))
        self.pictures = Pictures(image, normal, change, labels, self.foreground, self.scan.geometry)
        self.report = Report(
            **{
                "software_version": "1.2.3",
                "case": "case 7",
                "created": datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc),
                "input": InputFacts.of(self.scan),
                "model": ModelFacts(name="default", version="1", sha256="ab" * 32),
                "mode": "auto",
                "device": "cpu",
                "options": {"texture": True},
                "seed": 4,
                "timings_s": {"restore": 1.25},
                "files": ("pseudo_normal.nii.gz",),
                "findings": tuple(FindingEntry.of(finding) for finding in findings),
                **facts,
            }
        )

    def page(self, folder: Path, **options: int) -> Page:
        _, html = write_report(folder, self.report, self.pictures, z_scale=self.z_scale, **options)
        return Page(html.read_text(encoding="utf-8"))


class Page(HTMLParser):
    """A page as a browser would take it: its elements and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.elements, self.text = html, [], ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_json_says_it_all_and_reads_back(tmp_path: Path) -> None:
    case = ACase(3)
    path, _ = write_report(tmp_path, case.report, case.pictures, z_scale=case.z_scale)
    said = json.loads(path.read_text(encoding="utf-8"))
    assert said["notice"] == NOTICE
    assert (said["case"], said["seed"], said["timings_s"]) == ("case 7", 4, {"restore": 1.25})
    assert said["input"] == {"name": "scan.nii.gz", "size": [48, 44, 40], "spacing_mm": [1, 1, 1], "dtype": "float32"}
    assert [finding["index"] for finding in said["findings"]] == [1, 2, 3]
    assert said["lesion_ml"] == pytest.approx(3 * 0.036)
    assert "secret" not in path.read_text(encoding="utf-8")
    assert Report.model_validate(said) == case.report


def test_the_page_stands_alone(tmp_path: Path) -> None:
    page = ACase(2).page(tmp_path)
    assert not page.all("script") and not page.all("link") and not page.all("iframe")
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    assert not re.search(r"(?:https?:)?//\w|url\(|@import", re.sub(r"base64,[^\"]*", "", page.html))
    assert "secret" not in page.html
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_everyone_can_read_it(tmp_path: Path) -> None:
    page = ACase(2).page(tmp_path)
    assert page.all("html")[0]["lang"] == "en" and "<title>case 7" in page.html
    assert all(image["alt"].strip() for image in page.all("img"))
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(names) == len(set(names))
    links = [link["href"] for link in page.all("a")]
    assert links == ["#finding-1", "#finding-2"] and {link[1:] for link in links} <= set(names)
    assert page.text.count(NOTICE) == 1
    assert "patient's left is on the right of the picture" in page.text


def test_what_the_page_says(tmp_path: Path) -> None:
    page = ACase(3, warnings=("The scan ends inside the brain.",)).page(tmp_path)
    for words in ("3 findings, 0.11 ml in total.", "The scan ends inside the brain.", "restore 1.25 s", "texture: yes"):
        assert words in page.text
    assert len(page.all("section")) == 3 + 2


def test_names_cannot_inject(tmp_path: Path) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)> & Müller-Łódź 東京'
    facts = {
        "case": evil,
        "warnings": (evil,),
        "files": (evil,),
        "options": {evil: evil},
        "timings_s": {evil: 1.0},
        "model": ModelFacts(name=evil, version=evil, sha256=evil),
        "input": InputFacts(name=evil, size=(1, 1, 1), spacing_mm=(1, 1, 1), dtype=evil),
        "device": evil,
        "mode": evil,
    }
    page = ACase(1, **facts).page(tmp_path)
    assert not page.all("script")
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert page.text.count(evil) >= 11


def test_many_findings_keep_the_page_small(tmp_path: Path) -> None:
    case = ACase(30)
    page = case.page(tmp_path)
    assert "Pictures follow for the 12 largest of 30 findings" in page.text
    assert len([1 for attributes in page.all("a") if attributes["href"].startswith("#finding-")]) == 12
    assert len(page.all("tr")) > 30
    assert len(page.html) < 6e6
    assert "Pictures follow for the 2 largest" in case.page(tmp_path, shown=2).text


def test_no_finding_shows_an_overview(tmp_path: Path) -> None:
    page = ACase(0).page(tmp_path)
    assert "No lesion was found." in page.text
    assert len(page.all("img")) == 12 and not page.all("a")


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 30), (30, 2, 1)])
@pytest.mark.parametrize("filler", [0.0, np.nan, np.inf])
@pytest.mark.parametrize("found", [True, False])
def test_tiny_flat_and_broken_scans(tmp_path: Path, shape: tuple[int, int, int], filler: float, found: bool) -> None:
    image = np.full(shape, filler, np.float32)
    lesion = np.full(shape, found)
    findings, labels = find(lesion, a_geometry(shape), image, lesion)
    case = ACase(0, findings=tuple(FindingEntry.of(finding) for finding in findings))
    case.pictures = Pictures(image, image, image, labels, np.zeros(shape, bool), a_geometry(shape))
    page = case.page(tmp_path)
    assert not re.search(r"\bnan\b|\binf\b", page.text)
    assert "NaN" not in (tmp_path / "report.json").read_text(encoding="utf-8")


def entries_of(src: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(src.split(",")[1]))))


def marked_at(entries: np.ndarray) -> tuple[float, float]:
    """Where the brightest shade of a picture lies: rows from the top and columns from the left, each 0 to 1."""
    rows, columns = np.nonzero(entries == 250)
    return float(rows.mean() / entries.shape[0]), float(columns.mean() / entries.shape[1])


@pytest.mark.parametrize("signs", list(itertools.product([1, -1], repeat=3)))
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_radiological_view_for_every_way_to_store_a_scan(
    signs: tuple[int, int, int], order: tuple[int, int, int]
) -> None:
    # A lesion on the patient's right, in front and at the top, built in (S, A, R) order and then stored otherwise.
    upright = np.zeros((40, 50, 60), np.float32)
    upright[28:32, 38:42, 46:50] = 1.0
    spacing_sar = (3.0, 1.0, 2.0)
    stored = upright.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]
    columns = [np.eye(3)[2 - order[axis]] * signs[axis] for axis in (2, 1, 0)]
    direction = np.diag([-1.0, -1.0, 1.0]) @ np.stack(columns, axis=1)
    spacing = tuple(spacing_sar[order[axis]] for axis in (2, 1, 0))
    geometry = Geometry(stored.shape[::-1], spacing, (5.0, 6.0, 7.0), tuple(direction.ravel()))

    ras = ClosestRas.of(geometry)
    np.testing.assert_array_equal(ras.apply(stored), upright)
    assert ras.spacing == spacing_sar and ras.tilt_degrees < 1e-3

    brain = np.ones(stored.shape, bool)
    (finding,), labels = find(stored > 0, geometry, stored, brain)
    pictures = Pictures(stored, stored * 0, stored, labels, brain, geometry)
    axial, coronal, sagittal = pictures.of_finding(FindingEntry.of(finding))[:3]
    assert (axial.letters, coronal.letters, sagittal.letters) == (tuple("APRL"), tuple("SIRL"), tuple("SIAP"))
    top, front, right = 1 - 30 / 40, 1 - 40 / 50, 1 - 48 / 60
    for row, place in ((axial, (front, right)), (coronal, (top, right)), (sagittal, (top, front))):
        assert marked_at(entries_of(row.pictures[2].src)) == pytest.approx(place, abs=0.02)
    mm = {"S": 120.0, "A": 50.0, "R": 120.0}
    for row, (down, across) in ((axial, "AR"), (coronal, "SR"), (sagittal, "SA")):
        for picture in row.pictures:
            assert picture.width / picture.height == pytest.approx(mm[across] / mm[down], rel=0.03)


def test_index_goes_with_the_view() -> None:
    array = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    geometry = Geometry((5, 4, 3), (1.0,) * 3, (0.0,) * 3, (0.0, 1.0, 0.0, 0.0, 0.0, -1.0, 1.0, 0.0, 0.0))
    ras = ClosestRas.of(geometry)
    for at in np.ndindex(array.shape):
        assert ras.apply(array)[ras.index(at, array.shape)] == array[at]


def test_tilted_scans_say_so(tmp_path: Path) -> None:
    case = ACase(1)
    angle = np.radians(12)
    tilt = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    size = case.scan.geometry.size
    geometry = Geometry(size, (1.0,) * 3, (0.0,) * 3, tuple((np.diag([-1.0, -1.0, 1.0]) @ tilt).ravel().tolist()))
    assert ClosestRas.of(geometry).tilt_degrees == pytest.approx(12)
    image = case.scan.array
    labels = np.zeros(image.shape, np.int32)
    (start, stop), (top, bottom), (left, right) = case.report.findings[0].bounding_box
    labels[start:stop, top:bottom, left:right] = 1
    case.pictures = Pictures(image, image, image * 0, labels, case.foreground, geometry)
    assert "tilted by up to 12°" in case.page(tmp_path).text


def test_a_curved_finding_is_shown_where_it_is() -> None:
    # A horseshoe's centre of mass lies in the gap; the pictures must pass through its tissue.
    lesion = np.zeros((20, 40, 40), bool)
    lesion[8:12, 8:32, 8:12] = lesion[8:12, 8:32, 28:32] = lesion[8:12, 8:12, 8:32] = True
    geometry = a_geometry(lesion.shape)
    (finding,), labels = find(lesion, geometry, lesion * 1.0, np.ones(lesion.shape, bool))
    pictures = Pictures(lesion * 1.0, lesion * 0.0, lesion * 1.0, labels, np.ones(lesion.shape, bool), geometry)
    for row in pictures.of_finding(FindingEntry.of(finding))[:3]:
        assert (entries_of(row.pictures[2].src) == 250).any()


def test_no_number_that_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="finite"):
        ACase(0, timings_s={"restore": float("nan")})


def test_words_for_numbers() -> None:
    assert [millilitres(volume) for volume in (111.7, 99.96, 12.44, 0.999, 0.38, 0.0123)] == [
        *("112", "100", "12.4", "1.0", "0.38", "0.012")
    ]
    assert [signed(value) for value in (1.26, -3.0, -0.01, 0.0)] == ["+1.3", "−3.0", "0.0", "0.0"]
    assert [number(value) for value in (0.0123456, 1234.6, 3.0, 2.5e7)] == ["0.0123", "1235", "3", "2.5e+07"]
    assert [plain(value) for value in (True, False, None, 3, "a")] == ["yes", "no", "not given", "3", "a"]
    assert summary(ACase(1).report) == "1 finding, 0.036 ml."
