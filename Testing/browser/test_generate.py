"""The radiologist's story in a browser, clicked through: scan, Generate, findings, comparison, reload."""

from __future__ import annotations

import pytest
from PseudoNormalLib.settings import FolderSettings
from Testing.browser.conftest import looked_at
from Testing.browser.windows import SHOWN, running_window


@pytest.fixture(scope="module")
def a_result_page(an_engine, a_head, a_chromium, tmp_path_factory):
    """A page on which a pseudo-normal has been generated, for tests that only look at it."""
    an_engine.wait_until_ready()
    folder = tmp_path_factory.mktemp("result")
    with (
        running_window(an_engine.url, an_engine.token, folder, sample=a_head.scan) as window,
        looked_at(a_chromium, window.url, (1280, 720)) as page,
    ):
        page.generate()
        page.read("Done")
        page.wait_until_shown("pseudo_normal")
        yield page


def test_a_radiologist_generates_looks_and_finds_everything_again_after_a_reload(a_page):
    page = a_page.page
    a_page.read("Sample brain T1")
    a_page.wait_until_shown("image")
    assert a_page.brightness("pseudo_normal") < SHOWN
    assert a_page.tip("Next (N)") == "There are no findings to go to"
    a_page.generate()
    a_page.read("Done")
    a_page.read("1 found")
    middle = a_page.place()
    for column in ("pseudo_normal", "difference"):
        a_page.wait_until_shown(column)
        a_page.wait_until_placed(middle, column)
    a_page.finding(0).click()
    a_page.wait_until_placed(f"not {middle}")
    jumped = a_page.place()
    for column in ("pseudo_normal", "difference"):
        a_page.wait_until_placed(jumped, column)

    before = a_page.picture("difference")
    threshold = page.get_by_role("slider", name="Threshold, z").first
    threshold.focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    a_page.wait_for_another_picture(before, "difference")
    page.locator(".pn-value", has_text="4.0").wait_for()

    def found_again():  # the last of thirty steps reaches a busy window late
        a_page.open()
        a_page.read("1 found")
        return page.locator(".pn-value", has_text="4.0").is_visible()

    a_page.wait_until(found_again)
    assert a_page.place() == jumped
    assert "pn-on" in a_page.finding(0).get_attribute("class")


def test_the_wheel_goes_through_all_columns_at_once(a_result_page):
    middle = a_result_page.place()
    a_result_page.view("image").hover()
    a_result_page.page.mouse.wheel(0, -100)
    a_result_page.wait_until_placed(f"not {middle}")
    at = a_result_page.place()
    assert at != middle
    for column in ("pseudo_normal", "difference"):
        a_result_page.wait_until_placed(at, column)


def test_dragging_in_a_slice_changes_scan_and_pseudo_normal_alike(a_result_page):
    before = {column: a_result_page.brightness(column) for column in ("image", "pseudo_normal")}
    box = a_result_page.view("image").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    a_result_page.page.mouse.move(x, y)
    a_result_page.page.mouse.down()
    a_result_page.page.mouse.move(x, y + 100, steps=5)
    a_result_page.page.mouse.up()

    def changes():
        return [a_result_page.brightness(column) - value for column, value in before.items()]

    a_result_page.wait_until(lambda: min(map(abs, changes())) > 3)
    scan, normal = changes()
    assert scan * normal > 0


def test_keys_step_flicker_and_show_themselves_but_not_while_somebody_types(a_result_page):
    page = a_result_page.page
    page.keyboard.press("n")
    page.locator(".pn-table tr.pn-on").wait_for()
    page.keyboard.press("f")
    a_result_page.read("Flicker (F): pseudo-normal")
    page.keyboard.press("f")
    a_result_page.read("Flicker (F): scan")
    page.keyboard.press("?")
    a_result_page.read("Accept the finding: it is a lesion")
    page.keyboard.press("Escape")
    page.get_by_text("Accept the finding: it is a lesion").wait_for(state="hidden")
    page.get_by_role("tab", name="Review").click()
    page.locator("input[type=text]:visible").first.click()
    page.keyboard.type("f?")
    page.wait_for_timeout(500)
    assert not page.get_by_text("Accept the finding: it is a lesion").is_visible()
    page.get_by_role("tab", name="Scan").click()
    a_result_page.read("Flicker (F): scan")


def test_all_directions_and_the_lesion_in_3d(a_result_page):
    page = a_result_page.page
    a_result_page.button("Reset brightness").click()  # somebody may have dragged in it
    a_result_page.button("All directions and 3D").click()
    a_result_page.view("difference", "Sagittal").wait_for()
    a_result_page.wait_until(
        lambda: a_result_page.brightness("image") > SHOWN and _edges(a_result_page.view("image")) < SHOWN
    )
    solid = page.locator("[data-view='PseudoNormal3D']")
    solid.wait_for()
    a_result_page.wait("() => document.querySelector(\"[data-view='PseudoNormal3D'] img\").naturalWidth > 50")
    crosshair = _coloured_pixels(solid)
    page.get_by_label("Lesion surface in 3D").check()
    a_result_page.wait_until(lambda: _coloured_pixels(solid) > crosshair + 1000)
    page.get_by_label("Lesion surface in 3D").uncheck()
    a_result_page.wait_until(lambda: _coloured_pixels(solid) < crosshair + 500)


def test_the_light_theme_stays_chosen_for_all_windows(one_page, a_window):
    one_page.page.get_by_title("Light or dark").click()
    one_page.page.locator(".v-theme--light").first.wait_for()
    settings = FolderSettings(a_window.data / "settings")
    assert settings.get("PseudoNormal/Web/Theme") == "light"
    assert not any(
        "token" in path.name.lower() or "Key" in path.name for path in (a_window.data / "settings").iterdir()
    )


def test_a_window_nobody_wants_any_more_ends_by_itself(a_window):
    assert a_window.end() == 0


def _coloured_pixels(view):
    from io import BytesIO

    import numpy as np
    from PIL import Image

    pixels = np.asarray(Image.open(BytesIO(view.screenshot())).convert("RGB"), np.int16)
    return int(((pixels.max(axis=2) - pixels.min(axis=2)) > 60).sum())


def _edges(view):
    """Mean brightness at the left, right and upper edge: where a head is that was fitted into a larger view."""
    from io import BytesIO

    import numpy as np
    from PIL import Image

    pixels = np.asarray(Image.open(BytesIO(view.screenshot())).convert("L"), float)
    pixels = pixels[2:-2, 2:-2]  # the gap between views
    return float(np.concatenate([pixels[:, :3].ravel(), pixels[:, -3:].ravel(), pixels[:3].ravel()]).mean())
