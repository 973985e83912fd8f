from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imbsynth.core.metric_table import COMPARED
from imbsynth.engine.comparison.ranking import Common, in_common
from imbsynth.engine.comparison.sentences import covered
from imbsynth.engine.comparison.stored import Result


def result(problem: int, method: int, seed: int) -> Result:
    scores = dict.fromkeys(COMPARED, 0.5)
    return Result(f"p{problem}", f"m{method}", seed, scores, {}, source=f"p{problem}")


@given(st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_what_is_compared_is_a_full_grid(there: set[tuple[int, int, int]]) -> None:
    results = [result(*cell) for cell in sorted(there)]
    common, kept = in_common(results)
    methods = {found.method for found in results}
    grid = {(p, m, seed) for p, seeds in common.seeds.items() for m in methods for seed in seeds}
    assert {(found.problem, found.method, found.seed) for found in kept} == grid
    assert common.of == len({found.problem for found in results})
    assert bool(common.excluded) == (len(kept) < len(results))
    compared = {"seeds": common.seeds, "of": common.of}
    assert covered(compared).startswith(f"over {len(common.seeds)} of {common.of} problem")


def test_pretrained_networks_are_ranked_only_where_there_are_no_others() -> None:
    fresh = [result(p, m, 0) for p in (0, 1) for m in (0, 1)]
    seen = [result(p, 2, 0)._replace(pretrained=True) for p in (2, 3)]
    common, kept = in_common(fresh + seen)
    assert kept == fresh
    (excluded,) = common.excluded
    assert (excluded.reason, excluded.results) == ("pretrained", 2)
    assert in_common(seen) == (Common({"p2": [0], "p3": [0]}, 2, []), seen)


def test_a_single_evaluation_of_a_pretrained_network_is_no_problem_of_an_experiment() -> None:
    grid = [result(p, m, 0)._replace(pretrained=True) for p in (0, 1) for m in (0, 1)]
    single = Result("pretrained", "clf", 0, dict.fromkeys(COMPARED, 0.5), {}, pretrained=True)
    common, kept = in_common([*grid, single])
    assert kept == grid
    assert [found.reason for found in common.excluded] == ["no problem named"]
    assert in_common([single])[1] == [single]


def test_single_evaluations_on_different_images_are_not_ranked() -> None:
    singles = [result(p, m, 0)._replace(source="") for p, m in ((0, 0), (0, 1), (1, 2))]
    common, kept = in_common(singles)
    assert kept == []
    assert [(found.reason, found.results) for found in common.excluded] == [
        ("different test images", 3)
    ]
    assert in_common(singles[:2])[1] == singles[:2]
