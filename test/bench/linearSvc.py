"""TF-IDF and LinearSVC of scikit-learn: JSON {train, test, analyzer} on stdin, JSON {accuracy, predictions, seconds, version} out."""
import json
import sys
import time

import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_union
from sklearn.svm import LinearSVC

ANALYZERS = {
    # \w+ keeps one-letter words, which the default pattern drops.
    "words": lambda: make_union(
        TfidfVectorizer(token_pattern=r"(?u)\b\w+\b", ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True),
    ),
    # Scripts without spaces: words of one and two characters.
    "characters": lambda: TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True),
}

task = json.load(sys.stdin)
start = time.monotonic()
vectorizer = ANALYZERS[task["analyzer"]]()
features = vectorizer.fit_transform([row["text"] for row in task["train"]])
model = LinearSVC().fit(features, [row["label"] for row in task["train"]])
seconds = time.monotonic() - start
tested = vectorizer.transform([row["text"] for row in task["test"]])
predictions = [str(label) for label in model.predict(tested)]
right = sum(label == row["label"] for label, row in zip(predictions, task["test"]))
accuracy = right / max(1, len(predictions))
found = {"accuracy": accuracy, "predictions": predictions, "seconds": seconds, "version": sklearn.__version__}
print(json.dumps(found))
