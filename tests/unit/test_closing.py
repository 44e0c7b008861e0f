"""The sentence on which each chapter ends, of the study of three people."""

from dataclasses import replace

import by_hand
import pandas as pd
import pytest

from monkey_transfer.measure.controls import equivalents
from monkey_transfer.measure.rare_poses import RarePoses
from monkey_transfer.measure.scores import of_networks, people_of
from monkey_transfer.study.splits import Split
from monkey_transfer.tell import closing
from monkey_transfer.tell.answer import answers


@pytest.fixture
def three():
    with by_hand.measured() as results:
        yield results


def test_on_the_data(three):
    assert closing.on_the_data(three.study) == (
        "Every arm is tested on the same **3 rendered test people** of 3 groups; of the 11 others each seed (3 seeds) "
        "draws its own to learn, the same for all arms. 1 person of the files is left out."
    )


def test_people_of_the_source_who_are_left_out_are_no_people(three):
    lost = pd.DataFrame({"image_id": ["m6", "m7"], "keypoint": "", "reason": "no box"})
    monkeys = replace(three.study, source=replace(three.study.source, left_out=lost))
    monkeys.__dict__.update({name: three.study.__dict__[name] for name in ("splits", "draws")})
    assert closing.on_the_data(monkeys).endswith("1 person of the files is left out.")
    lengths = three.study.target.reference_lengths
    some = replace(three.study.target, reference_lengths=lengths[lengths["image_id"] != lengths["image_id"].iloc[-1]])
    assert (
        "People without a head size, 1, may be learnt, after all others, and are never tested. "
        in closing.on_the_data(replace(three.study, target=some))
    )


def test_on_a_network(three):
    study = three.study
    run = study.finished_run("transfer", 1, 3)
    table = of_networks(study, [run]).table(lambda point: people_of(study, point))
    assert closing.on_a_network(study, run, table) == (
        "**transfer** of seed 1 finds 75.0 [too few groups] % of the joints (PCKh@0.5) of 3 rendered test people, "
        "where the mean pose finds 25.0 [too few groups] %: intervals over people alone, since this is one network."
    )


def test_on_monkeys(three):
    run = three.study.finished_run("baseline", 0)
    assert closing.on_monkeys(three.study, run) == (
        "On held out monkeys 66.7 % of the joints are within 0.2 box lengths."
    )
    nobody = replace(three.study)
    nobody.__dict__["splits"] = {"source": Split(0, (), (), 0)}
    assert closing.on_monkeys(nobody, run) == ("No monkey is held out, so how good it is on monkeys is not known.")


def test_on_the_comparison(three):
    first, second = answers(three)
    assert closing.on_the_comparison(three) == f"- {first}\n- {second}"


def test_on_worth(three):
    assert closing.on_worth(three, equivalents(three)) == (
        "**For the score of `transfer`, `scratch_control` needs** so many labelled people: 4 [too few groups] where "
        "`transfer` had 2 and 8 [too few groups] where `transfer` had 4, on 3 rendered test people, 3 seeds."
    )
    of_another = equivalents(three).assign(arm=["transfer_frozen", "transfer"])
    assert "needs** so many labelled people: 8 [too few groups] where `transfer` had 4, on" in closing.on_worth(
        three, of_another
    )
    assert closing.on_worth(three, equivalents(three).head(0)) == (
        "What monkeys are worth in people is not known: `scratch_control` learnt one number of people."
    )


def test_on_rarity(three):
    lines = pd.DataFrame(
        {
            "quantity": ["slope", "rarest"],
            "value": [-1.5, 7.0],
            "low": [-4.25, 1.0],
            "high": [1.25, 9.0],
            "note": "",
        }
    )
    people = pd.DataFrame({"image_id": ["ann", "bob"]})
    rare = RarePoses(people, 1, pd.DataFrame(), pd.DataFrame(), lines, pd.DataFrame())
    assert closing.on_rarity(three.study, rare) == (
        "**From the most ordinary person to the rarest** the advantage of `transfer` over `scratch_control` changes by "
        "-1.5 [-4.2, +1.2] points of PCKh@0.5 (3 images), on 2 rendered test people with all limbs labelled (1 has "
        "not), 3 seeds. It was not asked beforehand, so it is not ruled on."
    )
