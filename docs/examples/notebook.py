"""From a folder of good cloth to an anomaly map, in a notebook. The folder: mill/<fabric>/normal/*.png."""

from cras_core import load, score_image, train

train("mill", out="fabrics.cras", settings={"backbone.input_scale": 1, "train.epochs": 6})  # less, and in a minute

detector = load("fabrics.cras")
found = score_image(detector, "mill/plain/defect/plain_000.png")  # a file, or a numpy array
print(f"{found.fabric}: score {found.score:.1f}; 1 is the calibrated threshold")

anomalous = found.anomaly_map >= 1.0  # (H, W); NaN beside the cloth compares false
print(f"{anomalous.sum()} anomalous pixels of {found.anomaly_map.shape}")
