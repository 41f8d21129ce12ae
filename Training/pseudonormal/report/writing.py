"""Write ``report.json`` and the self-contained page ``report.html``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from pseudonormal.report.colours import colour_bar
from pseudonormal.report.model import Report
from pseudonormal.report.pictures import Pictures
from pseudonormal.scan.contrast import IN_WORDS

SHOWN = 12
"""Findings with pictures; further ones stand in the table only, to keep the page small."""
TILTED_DEGREES = 5.0
"""Slices tilted by more than this against the patient's axes are mentioned on the page."""


def write_report(
    folder: Path, report: Report, pictures: Pictures, *, z_scale: float, shown: int = SHOWN
) -> tuple[Path, Path]:
    """Write the report of one case.

    The page needs no other file, no script and no network. It is written to where it shall stay only by whoever owns
    the folder: write into a staging folder and move that when everything is done.

    :param folder: existing folder of the case's output.
    :param report: what to say.
    :param pictures: the case's volumes; finding numbers in its label map are those of ``report.findings``.
    :param z_scale: scan units per robust standard deviation, for the colour bar's second scale.
    :param shown: the largest so many findings get pictures.
    :returns: the paths of ``report.json`` and ``report.html``.
    :raises OSError: the folder cannot be written to.
    """
    page = render_page(report, pictures, z_scale=z_scale, shown=shown)
    json_path, html_path = folder / "report.json", folder / "report.html"
    json_path.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    html_path.write_text(page, encoding="utf-8")
    return json_path, html_path


def render_page(report: Report, pictures: Pictures, *, z_scale: float, shown: int = SHOWN) -> str:
    """The page as HTML; parameters as in :func:`write_report`."""
    return _template().render(
        report=report,
        summary=summary(report),
        sections=[(finding, pictures.of_finding(finding)) for finding in report.findings[:shown]],
        overview=[] if report.findings else pictures.overview(),
        colour_bar=colour_bar(),
        range=pictures.range,
        range_z=pictures.range / z_scale,
        window=(pictures.low, pictures.high),
        tilt=pictures.ras.tilt_degrees if pictures.ras.tilt_degrees > TILTED_DEGREES else None,
    )


def summary(report: Report) -> str:
    """The result in one sentence, for instance "3 findings, 12.4 ml in total."."""
    count = len(report.findings)
    if count == 0:
        return "No lesion was found."
    if count == 1:
        return f"1 finding, {millilitres(report.lesion_ml)} ml."
    return f"{count} findings, {millilitres(report.lesion_ml)} ml in total."


def millilitres(volume: float) -> str:
    """A volume with as many digits as it deserves: "112", "12.4", "0.38", "0.012"."""
    for least, digits in ((99.95, 0), (0.995, 1), (0.0995, 2)):
        if volume >= least:
            return f"{volume:.{digits}f}"
    return f"{volume:.3f}"


def number(value: float) -> str:
    """A value in scan units, to three significant digits and never in powers of ten below a million."""
    return f"{value:.3g}" if abs(value) < 1000 or abs(value) >= 1e6 else f"{value:.0f}"


def signed(value: float) -> str:
    """A number with its sign (a true minus sign) and one digit; zero has no sign."""
    text = f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")
    return text[1:] if float(text[1:]) == 0 else text


def plain(value: str | int | float | bool | None) -> str:
    """An option's value as a reader would say it."""
    if value is None:
        return "not given"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("pseudonormal.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        millilitres=millilitres, number=number, signed=signed, plain=plain, contrast=IN_WORDS.__getitem__
    )
    return environment.get_template("template.html")
