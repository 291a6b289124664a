"""The paper without its ink: strokes are filled, the edges of shadows stay."""

import cv2
import numpy as np
import pytest

from mnist_graph.reading.paper import find_paper


def circles(sheet, thickness):
    """Return a sheet, float32 [h, w], with a row of circles in dark ink."""
    page = sheet.copy()
    for x in range(120, 310, 45):
        cv2.circle(page, (x, 120), 14, 100, thickness, cv2.LINE_AA)
    return page.astype(np.uint8)


def test_a_small_shadow_at_the_edge_of_the_sheet_is_not_ink():
    """The widest window fills it. That shows more ink, though far from as much as there is."""
    light = np.full((250, 350), 60, np.float32)
    light[10:-10, 10:-10] = 200
    light[80:126, 10:56] = 160
    sheet = (light > 100).astype(np.uint8)
    paper = find_paper(circles(light, 2), sheet)
    inside = (slice(86, 120), slice(16, 50))
    assert abs(paper[inside].astype(float) - light[inside]).max() <= 2


@pytest.mark.parametrize("thickness", [2, 8, 28])
def test_strokes_of_any_width_are_filled(thickness):
    light = np.full((250, 350), 200, np.float32)
    paper = find_paper(circles(light, thickness), None)
    assert paper.min() >= 190
