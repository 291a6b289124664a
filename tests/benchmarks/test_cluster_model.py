"""The model of a step, and the report made of it."""

import pytest

from benchmarks.cluster.model import (
    COSTS,
    Constants,
    Link,
    Model,
    Sending,
    Sum,
    find_spread,
    fit,
    fit_compute,
    list_sendings,
    predict_sum,
    relative_errors,
    straggler,
)

CONSTANTS = Constants(0.4, 0.1, 0.2, 1.5, 0.8, 8.0, 0.1, 0.4)
FAST = Link(gbit=10, delay_ms=0.1)


def sums(constants, workers=(2, 3, 4), cores=2):
    """Sums that take exactly as long as the model says."""
    found = []
    for count in workers:
        for gbit, delay in ((1, None), (10, None), (10, 0), (10, 1), (1, 5)):
            for way in COSTS:
                for size in (1000, 10**6, 2 * 10**7):
                    place = (count, way, size, gbit, delay)
                    one = predict_sum(constants, *place, cores)
                    found.append(Sum(1, *place, one))
                    found.append(Sum(8, *place, 8 * (one - constants.call) + constants.call))
    return found


def test_a_step_sends_factors_where_they_are_small_and_sums_the_rest():
    dense, summed = [(3136, 1024, 2), (1024, 10, 4)], [256, 13_098_540]
    rest = 13_098_540 - 4 * 3136 * 1024
    factors = [Sending("gather", 25 * 4160 * 2)]
    early, late = Sending("rounds", rest), Sending("rounds", 3328)
    bounds = Sending("rounds", 256)
    assert list_sendings(dense, summed, False, 2, 50) == [bounds, *factors, early]
    assert list_sendings(dense, [*summed, 3328], True, 2, 50) == [bounds, *factors, early, late]
    *_, last = list_sendings(dense, summed, False, 13, 50)
    assert last == Sending("ring", rest)
    # Of a large batch, the factors are more than the weights.
    last = list_sendings(dense, summed, False, 64, 64 * 50)[-1]
    assert last == Sending("ring", 13_098_540)


def test_the_constants_are_found_again():
    measured = sums(CONSTANTS)
    assert fit(measured, 2) == pytest.approx(CONSTANTS)
    assert max(map(abs, relative_errors(CONSTANTS, measured, 2))) < 1e-9


def test_constants_are_never_negative():
    measured = [each._replace(milliseconds=5.0) for each in sums(CONSTANTS)]
    assert min(fit(measured, 2)) >= 0


def test_a_sum_of_known_constants():
    # an operation, 2 messages of 0.2 ms and 1.5 delays of 0.1 ms; 10 MB at 0.8 + 8 / 10 ms
    assert predict_sum(CONSTANTS, 2, "ring", 10**7, 10) == pytest.approx(0.5 + 0.4 + 16)
    assert predict_sum(CONSTANTS, 2, "ring", 10**7, 10, 0.1) == pytest.approx(0.5 + 0.7 + 16)
    # with a relay, 2 * (0.2 + 0.15 + 0.1) and 10 * (0.8 + 0.8 + 0.4)
    relayed = predict_sum(CONSTANTS, 2, "ring", 10**7, 10, 0.1, cores=2)
    assert relayed == pytest.approx(0.5 + 0.9 + 20)


def test_workers_that_share_cores_take_longer():
    alone, crowded = (
        predict_sum(CONSTANTS, 4, "ring", 10**6, 10, None, cores) for cores in (None, 2)
    )
    assert crowded - alone == pytest.approx(0.1 + 6 * 0.2 + 1.5 * 0.8)


def test_rounds_of_eight_are_three_operations_of_one_message():
    one, three = (predict_sum(CONSTANTS, count, "rounds", 10**6, 10) for count in (2, 8))
    assert three - 0.4 == pytest.approx(3 * (one - 0.4))


def test_computing_is_a_line():
    assert fit_compute({8: 14.0, 16: 18.0, 50: 35.0}) == pytest.approx((10, 0.5))
    fixed, per_row = fit_compute({1: 1.0, 10: 20.0})
    assert fixed == 0
    assert per_row > 0


def test_the_slowest_of_many_is_the_slowest_ever_measured():
    times = [1.0, 1.0, 1.0, 1.5]
    assert straggler([2.0] * 5, 1000) == pytest.approx(1)
    assert straggler(times, 1) == pytest.approx(1)
    assert straggler(times, 2) == pytest.approx((1 + 0.5 * (1 - 0.75**2)) / 1.125)
    assert straggler(times, 1000) == pytest.approx(1.5 / 1.125)


def test_a_machine_that_becomes_slower_spreads_no_times():
    jitter = [0.9, 1.0, 1.1]
    slower = [scale * each for scale in (1, 1, 2, 3) for each in jitter]
    assert find_spread(slower) == pytest.approx(4 * jitter)


@pytest.fixture
def model():
    dense = [(1000, 2000, 4)]
    moments = {40: {"factors": 0.4, "early": 0.7, "gradients": 0.9, "adam": 0.1}}
    summed = [1000, 10**7, 2000]
    return Model(CONSTANTS, 64, 10.0, 0.5, [1.0], dense, summed, True, moments)


def test_one_worker_is_the_program_without_a_cluster(model):
    step = model.step(1, FAST)
    assert (step["step"], step["efficiency"], step["images"]) == (42, 1, pytest.approx(64000 / 42))


def test_what_is_sent_while_computing_takes_no_time(model):
    step = model.step(2, FAST)
    alone, fixed = 26, 0.1 + 0.2 + 1.5 * 0.1
    factors, early = 32 * 3000 * 4 / 1e6 * 1.6, 2 * 1.6
    normalization, late = fixed + 0.001 * 1.6, 0.002 * 1.6
    assert step["compute"] == alone
    assert step["sent"] == pytest.approx(normalization + 3 * fixed + factors + early + late)
    # The factors come before the gradients are known; Adam then takes longer than what is late.
    assert 0.4 * alone + factors + fixed < 0.9 * alone
    assert step["exposed"] == pytest.approx(normalization)
    assert step["step"] == pytest.approx(step["compute"] + step["exposed"])
    assert step["efficiency"] == pytest.approx(26 / step["step"])


def test_what_is_not_there_in_time_is_waited_for(model):
    """All bytes go one after the other over a slow link; Adam is hidden behind the last."""
    slow = Link(gbit=0.01, delay_ms=0)
    step = model.step(2, slow)
    assert step["exposed"] == pytest.approx(step["sent"] - (0.9 - 0.4 + 0.1) * 26 - 2 * 0.3)


def test_halving_makes_a_step_shorter(model):
    assert model.step(4, FAST, halved=True)["step"] < model.step(4, FAST)["step"]


def test_a_whole_batch_for_each_worker_scales_further(model):
    counts = (1, 2, 4, 8, 16, 32, 64)
    assert model.limit(FAST, counts, scales_batch=True) > model.limit(FAST, counts)
    assert model.step(8, FAST, scales_batch=True)["compute"] == 42
