"""Whether a person is asked before a roll ends, as a table."""

import pytest

from aoi_app.app.roll.ending_question import DO, STAY, AtStake, Wish, ending_question, source_words

NEXT = Wish("Start the next roll?", "Start the next roll")
STOP = Wish("End the roll?", "End the roll", takes_table=False, needs_roll=True)
QUIT = Wish("Quit the program?", "Quit", ends_program=True)
REST, RUNS = AtStake(is_running=False), AtStake(is_running=True)
TRAINING = AtStake(is_running=False, work=("A training runs.",))


@pytest.mark.parametrize(
    ("wish", "stake", "text"),
    [
        (NEXT, REST, None),
        (NEXT, RUNS, "Start the next roll? The running roll is ended."),
        (
            NEXT,
            AtStake(is_running=False, unreviewed=1),
            "Start the next roll? 1 defect has no verdict yet; it leaves the screen and stays in the records.",
        ),
        (
            NEXT,
            AtStake(is_running=True, unreviewed=12),
            (
                "Start the next roll? The running roll is ended. "
                "12 defects have no verdict yet; they leave the screen and stay in the records."
            ),
        ),
        (NEXT, TRAINING, None),
        (STOP, REST, None),
        (STOP, RUNS, "End the roll?"),
        (STOP, AtStake(is_running=True, unreviewed=3), "End the roll?"),
        (QUIT, REST, None),
        (QUIT, TRAINING, "Quit the program? A training runs."),
        (QUIT, RUNS, "Quit the program? The running roll is ended."),
    ],
)
def test_what_is_at_stake_is_asked(wish: Wish, stake: AtStake, text: str | None) -> None:
    question = ending_question(wish, stake)
    assert (question.text if question is not None else None) == text


@pytest.mark.parametrize("wish", [NEXT, STOP, QUIT])
def test_enter_and_escape_go_on_with_the_roll(wish: Wish) -> None:
    question = ending_question(wish, RUNS)
    assert question is not None
    assert [a.key for a in question.answers] == [STAY, DO]
    assert question.answers[0].text == "Go on with the roll"
    assert question.safe == STAY


def test_a_question_outlives_the_roll_unless_it_was_about_its_end() -> None:
    for wish in (NEXT, QUIT):
        question = ending_question(wish, REST, RUNS)
        assert question is not None
        assert "ended by itself" in question.text
        assert question.answers[0].text == "Stay"
    assert ending_question(STOP, REST, RUNS) is None


def test_a_roll_that_was_over_before_has_not_ended_meanwhile() -> None:
    unreviewed = AtStake(is_running=False, unreviewed=2)
    question = ending_question(NEXT, REST, unreviewed)
    assert question is not None
    assert question.text == "Start the next roll?"


@pytest.mark.parametrize("wish", [NEXT, STOP, QUIT])
def test_an_open_question_keeps_its_words_while_nothing_changes(wish: Wish) -> None:
    assert ending_question(wish, RUNS, RUNS) == ending_question(wish, RUNS)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("loom:plain", "the built-in loom"),
        ("folder:/data/roll 17/strips", "the folder strips"),
        ("folder:/", "the folder /"),
        ("replay:recordings/one", "the recording one"),
        ("genicam:22334455", "the camera 22334455"),
        ("synthetic", "the camera"),
        ("side-by-side:web.json", "side-by-side:web.json"),
    ],
)
def test_a_source_is_called_as_a_person_calls_it(spec: str, words: str) -> None:
    assert source_words(spec) == words
