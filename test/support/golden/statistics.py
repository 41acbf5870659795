"""Reference statistics by SciPy, statsmodels and scikit-learn, or by a definition written out where they have none.

Run with Debian's python3-scipy, python3-statsmodels and python3-sklearn; the result is committed beside this file:
    /usr/bin/python3 test/support/golden/statistics.py > test/support/golden/statistics.json
Samples are formulas, so that both sides start alike without a file of numbers.
"""
import hashlib
import json
import math

import numpy as np
import statsmodels.api as sm
from scipy import optimize, spatial, special, stats
from scipy.stats import _resampling
from sklearn.metrics import cohen_kappa_score, f1_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint


def sample(length, seed):
    """Uniform in (0, 1), by a linear congruential generator."""
    state, values = seed, []
    for _ in range(length):
        state = (state * 48271) % 2147483647
        values.append(state / 2147483647)
    return np.array(values)


def distributions():
    rows = []
    for p in [1e-6, 0.001, 0.025, 0.3, 0.5, 0.9, 0.999]:
        rows.append(["normalQuantile", [p], stats.norm.ppf(p)])
        for a, b in [(0.5, 0.5), (1, 1), (2, 3), (10, 30), (800, 200), (5000, 45000)]:
            x = stats.beta.ppf(p, a, b)
            rows += [["betaQuantile", [p, a, b], x], ["betaCdf", [0.99 * x, a, b], stats.beta.cdf(0.99 * x, a, b)]]
    for x in [-8, -5, -1, 0, 0.3, 2, 6]:
        rows.append(["normalCdf", [x], stats.norm.cdf(x)])
    for x, degrees in [(0, 1), (3.84, 1), (16, 1), (5, 4), (80, 9), (400, 2), (4000, 3), (12, 30)]:
        rows.append(["chiSquaredSurvival", [x, degrees], stats.chi2.sf(x, degrees)])
    for k, n, p in [(0, 5, 0.5), (3, 10, 0.5), (10, 10, 0.5), (-1, 10, 0.5), (40, 100, 0.5), (480, 1000, 0.5)]:
        rows.append(["binomialCdf", [k, n, p], stats.binom.cdf(k, n, p)])
    for x in [0.05, 0.3, 0.8, 1.36, 2.5]:
        rows.append(["kolmogorovSurvival", [x], special.kolmogorov(x)])
    return rows


def cuped():
    """theta pooled within arms makes the difference the coefficient of a regression on arm and covariate."""
    x, noise = sample(400, 7), sample(400, 11)
    arm = (np.arange(400) % 3 == 0).astype(float)
    y = 2 + 0.3 * arm + 1.7 * x + noise
    fit = sm.OLS(y, np.column_stack([np.ones(400), arm, x])).fit()
    own = lambda a: np.var((y - fit.params[2] * x)[arm == a], ddof=1)
    return dict(theta=fit.params[2], difference=fit.params[1], variances=[own(1), own(0)])


def sample_ratio():
    cases = [([5200, 4800], [0.5, 0.5]), ([330, 350, 320], [1 / 3, 1 / 3, 1 / 3]), ([905, 95], [0.9, 0.1])]
    found = []
    for counts, shares in cases:
        test = stats.chisquare(counts, np.array(shares) * sum(counts))
        prior = 500 * np.array(shares)
        posterior = prior + np.array(counts)
        # The density of the shares before and after, at the planned shares (Savage and Dickey).
        evidence = stats.dirichlet.logpdf(shares, prior) - stats.dirichlet.logpdf(shares, posterior)
        found.append(dict(exposures=counts, shares=shares, statistic=test.statistic, pValue=test.pvalue,
                          sequentialPValue=min(1, math.exp(-evidence))))
    return found


def proportions():
    wilson = []
    for k, n in [(0, 10), (3, 10), (10, 10), (480, 1000), (1, 5000)]:
        wilson.append([k, n, *proportion_confint(k, n, 0.05, "wilson")])
    newcombe = []
    for a, m, b, n in [(56, 70, 48, 80), (9, 10, 3, 10), (0, 20, 3, 25), (500, 1000, 470, 1000)]:
        newcombe.append([a, m, b, n, *confint_proportions_2indep(a, m, b, n, compare="diff", method="newcomb")])
    return dict(wilson=wilson, newcombe=newcombe)


def tango(n, b, c, margin):
    """The score statistic with its nuisance chance found by search."""
    def negative(q):
        likelihood = special.xlogy(b, q + margin) + special.xlogy(c, q) + special.xlogy(n - b - c, 1 - 2 * q - margin)
        return -likelihood
    low, high = max(0, -margin), (1 - margin) / 2
    q = optimize.minimize_scalar(negative, bounds=(low, high), method="bounded", options=dict(xatol=1e-14)).x
    return (b - c - n * margin) / math.sqrt(n * (2 * q + margin - margin * margin))


def paired():
    found = []
    for n, b, c in [(100, 12, 5), (3080, 61, 40), (50, 3, 3), (200, 9, 21), (1000, 1, 8)]:
        table = [[n - b - c, b], [c, 0]]
        exact = mcnemar(table, exact=True).pvalue
        fewer, trials = min(b, c), b + c
        mid = exact - stats.binom.pmf(fewer, trials, 0.5) if b != c else 1 - stats.binom.pmf(fewer, trials, 0.5) / 2
        z = stats.norm.ppf(0.975)
        ends = [optimize.brentq(lambda m: tango(n, b, c, m) - side * z, *span, xtol=1e-12)
                for side, span in [(1, (-0.9, (b - c) / n)), (-1, ((b - c) / n, 0.9))]]
        found.append(dict(items=n, onlyCandidate=b, onlyIncumbent=c, pValue=exact, midPValue=mid, interval=ends,
                          nonInferiorByTwoPoints=stats.norm.sf(tango(n, b, c, -0.02))))
    return found


def bootstrap():
    data = sample(40, 3) ** 3
    estimates = np.sort([data[(sample(40, 100 + r) * 40).astype(int)].mean() for r in range(500)])
    low, high, _ = _resampling._bca_interval((data,), lambda x, axis: x.mean(axis), -1, 0.025, estimates, None)
    return dict(levels=[low, high], quantiles=np.quantile(estimates, [low, high]).tolist())


def macro_f1():
    truth, told = (sample(90, 5) * 4).astype(int), (sample(90, 6) * 5).astype(int)
    told = np.where(sample(90, 8) < 0.6, truth, told)
    return f1_score(truth, told, average="macro")


def krippendorff(units, level):
    """By the definition: disagreement of pairs within units over that of all pairs."""
    units = [[v for v in unit if v is not None] for unit in units]
    units = [unit for unit in units if len(unit) > 1]
    flat = [v for unit in units for v in unit]
    count = {v: flat.count(v) for v in flat}
    def distance(a, b):
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return (a - b) ** 2
        return (sum(count[g] for g in count if min(a, b) <= g <= max(a, b)) - (count[a] + count[b]) / 2) ** 2
    pairs = lambda values: sum(distance(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j)
    observed = sum(pairs(unit) / (len(unit) - 1) for unit in units) / len(flat)
    return 1 - observed / (pairs(flat) / (len(flat) * (len(flat) - 1)))


def agreement():
    # Krippendorff 2011, "Computing Krippendorff's alpha-reliability", example C: published as .743, .815 and .849.
    units = [[1, 1, None, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4], [4, 4, 4, 4],
             [1, 1, 2, 1], [2, 2, 2, 2], [None, 5, 5, 5], [None, None, 1, 1], [None, None, 3, None]]
    alphas = {level: krippendorff(units, level) for level in ["nominal", "ordinal", "interval"]}
    first, second = (sample(60, 9) * 3).astype(int), (sample(60, 10) * 3).astype(int)
    second = np.where(sample(60, 12) < 0.5, first, second)
    return dict(units=units, alphas=alphas, kappa=cohen_kappa_score(first, second))


def drift():
    p, q = np.array([10, 20, 30, 0, 40]), np.array([20, 20, 10, 5, 45])
    a, b = sample(60, 21), sample(45, 22) ** 1.5
    smooth = lambda c: (c + 0.5) / (c + 0.5).sum()
    x, y = sample(120, 23).reshape(30, 4), 0.2 + sample(100, 24).reshape(25, 4)
    both = spatial.distance.cdist(np.vstack([x, y]), np.vstack([x, y]))
    width = np.median(both[np.tril_indices(55, -1)])
    kernel = np.exp(-both**2 / (2 * width**2))
    within = lambda k: (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))
    mmd = within(kernel[:30, :30]) + within(kernel[30:, 30:]) - 2 * kernel[:30, 30:].mean()
    return dict(
        psi=float(((smooth(q) - smooth(p)) * np.log(smooth(q) / smooth(p))).sum()),
        jensenShannon=spatial.distance.jensenshannon(p, q, base=2),
        ks=stats.ks_2samp(a, b).statistic,
        ksPValue=special.kolmogorov(math.sqrt(60 * 45 / 105) * stats.ks_2samp(a, b).statistic),
        energy=stats.energy_distance(a, b) ** 2,
        width=width,
        mmd=mmd,
        permutation=stats.permutation_test(
            (np.array([1, 2, 3, 9.5]), np.array([4, 5, 6, 7, 12])), lambda s, t: abs(s.mean() - t.mean()),
            alternative="greater", n_resamples=np.inf).pvalue,
    )


def power():
    means = [[d, s, NormalIndPower().solve_power(d / s, alpha=0.05, power=0.8)] for d, s in [(0.1, 1), (-2, 15)]]
    proportions = []
    for a, b in [(0.25, 0.2), (0.11, 0.1), (0.5, 0.52)]:
        z = stats.norm.ppf([0.975, 0.8])
        middle, own = (a + b) / 2, a * (1 - a) + b * (1 - b)
        need = ((z[0] * math.sqrt(2 * middle * (1 - middle)) + z[1] * math.sqrt(own)) / (a - b)) ** 2
        proportions.append([a, b, need])
    reached = [[n, 0.1, 1, NormalIndPower().power(0.1, n, 0.05)] for n in [100, 1000, 3000]]
    return dict(means=means, proportions=proportions, reached=reached)


def best_arm():
    """The chance of each of three betas to be the greatest, and what keeping it loses, by integration on a fine grid."""
    arms = [(21, 81), (31, 71), (28, 74)]
    grid = np.linspace(0, 1, 200001)
    density = [stats.beta.pdf(grid, *arm) for arm in arms]
    below = [stats.beta.cdf(grid, *arm) for arm in arms]
    greatest = [density[i] * np.prod([below[j] for j in range(3) if j != i], axis=0) for i in range(3)]
    value = sum(np.trapz(grid * one, grid) for one in greatest)
    loss = [value - a / (a + b) for a, b in arms]
    return dict(betas=arms, best=[np.trapz(one, grid) for one in greatest], expectedLoss=loss)


def positions():
    """Where units lie in [0, 1): the first 53 bits of a hash."""
    found = []
    for salt, unit in [("salt", "ann"), ("salt", "bob"), ("salt/1/stays", "李"), ("s", ""), ("", "user-1")]:
        digest = hashlib.sha256(f"{len(salt)}:{salt}{unit}".encode()).digest()
        found.append(dict(salt=salt, unit=unit, position=(int.from_bytes(digest[:8], "big") >> 11) / 2**53))
    return found


if __name__ == "__main__":
    found = dict(distributions=distributions(), cuped=cuped(), sampleRatio=sample_ratio(), proportions=proportions(),
                 paired=paired(), bootstrap=bootstrap(), macroF1=macro_f1(), agreement=agreement(), drift=drift(),
                 power=power(), bestArm=best_arm(), positions=positions())
    print(json.dumps(found, indent=1, default=float))
