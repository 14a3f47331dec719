"""Records what pycocotools makes of drawn detections, for packages/compiler/src/evaluate.

    python oracles/coco_map.py OUT

Boxes are drawn: golds of a few classes, some crowds, some with an area of their own, and detections near and far from
them with tied scores. OUT (JSON): {"versions", "images": [{"golds", "found"}], "expected": {all, at50, small, medium}}.
"""

import argparse
import contextlib
import io
import json
from importlib.metadata import version

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

CLASSES, IMAGES = 4, 12


def draw(rng):
    images = []
    for _ in range(IMAGES):
        golds, found = [], []
        for _ in range(rng.integers(0, 7)):
            x, y, w, h = (int(v) for v in (*rng.integers(0, 300, 2), *rng.integers(8, 160, 2)))
            gold = {"classIndex": int(rng.integers(CLASSES)), "box": dict(x=x, y=y, width=w, height=h)}
            gold["area"] = int(w * h * rng.uniform(0.4, 1))
            gold["crowd"] = bool(rng.random() < 0.15)
            golds.append(gold)
            for _ in range(rng.integers(0, 4)):
                dx, dy, dw, dh = rng.normal(0, 0.12, 4)
                box = dict(x=round(x + dx * w, 2), y=round(y + dy * h, 2), width=round(w * (1 + dw), 2), height=round(h * (1 + dh), 2))
                kind = gold["classIndex"] if rng.random() < 0.85 else int(rng.integers(CLASSES))
                found.append({"classIndex": kind, "score": round(float(rng.random()), 2), "box": box})
        for _ in range(rng.integers(0, 6)):
            x, y, w, h = (int(v) for v in (*rng.integers(0, 300, 2), *rng.integers(8, 160, 2)))
            found.append({"classIndex": int(rng.integers(CLASSES)), "score": round(float(rng.random()), 2), "box": dict(x=x, y=y, width=w, height=h)})
        images.append({"golds": golds, "found": found})
    return images


def evaluate(images):
    corners = lambda box: [box["x"], box["y"], box["width"], box["height"]]
    annotations = [
        {"image_id": i, "category_id": g["classIndex"], "bbox": corners(g["box"]), "area": g["area"], "iscrowd": int(g["crowd"])}
        for i, image in enumerate(images) for g in image["golds"]
    ]
    for number, annotation in enumerate(annotations):
        annotation["id"] = number + 1
    results = [
        {"image_id": i, "category_id": d["classIndex"], "bbox": corners(d["box"]), "score": d["score"]}
        for i, image in enumerate(images) for d in image["found"]
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": [{"id": i} for i in range(len(images))], "annotations": annotations,
                        "categories": [{"id": c} for c in range(CLASSES)]}
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(results), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return {"all": run.stats[0], "at50": run.stats[1], "at75": run.stats[2], "small": run.stats[3], "medium": run.stats[4], "large": run.stats[5]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    out = parser.parse_args().out
    images = draw(np.random.default_rng(3))
    recorded = {"versions": {"pycocotools": version("pycocotools")}, "images": images, "expected": evaluate(images)}
    with open(out, "w") as file:
        json.dump(recorded, file, indent=1)
    print(recorded["expected"])


main()
