"""Fits one estimator of scikit-learn: JSON on stdin, JSON {predictions, scores, seconds, version} out.

The directory it names holds little-endian float32: train and test [rows, width], targets [rows].
"""
import json
import os
import sys
import time

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC

ESTIMATORS = {
    "LinearRegression": lambda seed: LinearRegression(),
    "HistGradientBoostingRegressor": lambda seed: HistGradientBoostingRegressor(random_state=seed),
    "LogisticRegression": lambda seed: LogisticRegression(max_iter=1000),
    # Fewer rows than features would be the case for the dual form, which does not converge here.
    "LinearSVC": lambda seed: LinearSVC(dual=False),
    # Without early stopping it learns its rows by heart and does worse.
    "MLPClassifier": lambda seed: MLPClassifier(early_stopping=True, random_state=seed),
    "KNeighborsClassifier": lambda seed: KNeighborsClassifier(n_neighbors=3),
    "SVC": lambda seed: SVC(),
    "SVC balanced": lambda seed: SVC(class_weight="balanced"),
}

task = json.load(sys.stdin)
array = lambda name: np.fromfile(os.path.join(task["directory"], name), dtype="<f4")
train, test = (array(name).reshape(-1, task["width"]) for name in ("train", "test"))
start = time.monotonic()
model = ESTIMATORS[task["estimator"]](task["seed"]).fit(train, array("targets"))
seconds = time.monotonic() - start
scores = []
if hasattr(model, "decision_function"):
    scores = model.decision_function(test)
elif hasattr(model, "predict_proba"):
    scores = model.predict_proba(test)[:, -1]
print(
    json.dumps(
        {
            "predictions": model.predict(test).tolist(),
            "scores": np.asarray(scores).tolist(),
            "seconds": seconds,
            "version": sklearn.__version__,
        }
    )
)
