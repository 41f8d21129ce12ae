"""The radiologist's story in a browser, clicked through: scan, Generate, findings, comparison, reload."""

from __future__ import annotations

from PseudoNormalLib.settings import FolderSettings
from Testing.browser.windows import SHOWN


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

    a_page.open()
    page.locator(".pn-value", has_text="4.0").wait_for()
    a_page.read("1 found")
    assert a_page.place() == jumped
    assert "pn-on" in a_page.finding(0).get_attribute("class")


def test_the_wheel_goes_through_all_columns_at_once(one_page):
    middle = one_page.place()
    one_page.view("image").hover()
    one_page.page.mouse.wheel(0, -100)
    one_page.wait_until_placed(f"not {middle}")
    at = one_page.place()
    assert at != middle
    one_page.generate()
    one_page.read("Done")
    assert one_page.place("difference") == at


def test_dragging_in_a_slice_changes_scan_and_pseudo_normal_alike(one_page):
    one_page.generate()
    one_page.read("Done")
    one_page.wait_until_shown("pseudo_normal")
    before = {column: one_page.brightness(column) for column in ("image", "pseudo_normal")}
    box = one_page.view("image").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    picture = one_page.picture("pseudo_normal")
    one_page.page.mouse.move(x, y)
    one_page.page.mouse.down()
    one_page.page.mouse.move(x, y + 100, steps=5)
    one_page.page.mouse.up()
    one_page.wait_for_another_picture(picture, "pseudo_normal")
    one_page.page.wait_for_timeout(1000)
    changes = [one_page.brightness(column) - value for column, value in before.items()]
    assert abs(changes[0]) > 3
    assert changes[0] * changes[1] > 0


def test_keys_step_flicker_and_show_themselves_but_not_while_somebody_types(one_page):
    page = one_page.page
    one_page.generate()
    one_page.read("Done")
    page.keyboard.press("n")
    page.locator(".pn-table tr.pn-on").wait_for()
    page.keyboard.press("f")
    one_page.read("Flicker (F): pseudo-normal")
    page.keyboard.press("f")
    one_page.read("Flicker (F): scan")
    page.keyboard.press("?")
    one_page.read("Accept the finding: it is a lesion")
    page.keyboard.press("Escape")
    page.get_by_text("Accept the finding: it is a lesion").wait_for(state="hidden")
    page.get_by_role("tab", name="Review").click()
    page.locator("input[type=text]:visible").first.click()
    page.keyboard.type("f?")
    page.wait_for_timeout(500)
    assert not page.get_by_text("Accept the finding: it is a lesion").is_visible()
    page.get_by_role("tab", name="Scan").click()
    one_page.read("Flicker (F): scan")


def test_all_directions_and_the_lesion_in_3d(one_page):
    page = one_page.page
    one_page.generate()
    one_page.read("Done")
    one_page.button("All directions and 3D").click()
    one_page.view("difference", "Sagittal").wait_for()
    solid = page.locator("[data-view='PseudoNormal3D']")
    solid.wait_for()
    page.get_by_label("Lesion surface in 3D").check()
    one_page.wait("() => document.querySelector(\"[data-view='PseudoNormal3D'] img\").naturalWidth > 50")
    page.wait_for_timeout(2000)
    coloured = _coloured_pixels(solid)
    assert coloured > 100
    page.get_by_label("Lesion surface in 3D").uncheck()
    page.wait_for_timeout(2000)
    assert _coloured_pixels(solid) < coloured / 10


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
